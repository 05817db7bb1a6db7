// A stepper and a simulated FR3 in virtual time: what the motion tests drive.
//
// The judge of every test is SimFr3, which enforces FCI's rules by arithmetic of its own; the rig
// only carries chunks to the stepper when they are due and keeps what the arm was commanded.
#pragma once

#include <cmath>
#include <functional>
#include <vector>

#include "arms/sim_fr3.hpp"
#include "control/stepper.hpp"

namespace rti::test {

using Policy = std::function<JointArray(double step)>;

struct Rig {
    explicit Rig(StepperConfig stepper_config = {}, SimFr3Config arm_config = {})
        : config(stepper_config), arm(in_virtual_time(arm_config)), stepper(stepper_config) {
        arm.start();
    }

    static SimFr3Config in_virtual_time(SimFr3Config arm_config) {
        arm_config.pacing = Pacing::kVirtual;
        return arm_config;
    }

    // One cycle. False once the arm has stopped (see state.reflex) or the motion is finished.
    bool cycle() {
        if (!arm.read(state)) return false;
        if (!started) stepper.start(state);
        started = true;
        for (const rti_action& record : due) stepper.offer(record);
        due.clear();
        const ArmCommand command = stepper.step(state, request);
        commands.push_back(command.q);
        if (!arm.write(command)) {
            state.reflex = last_reflex();
            return false;
        }
        stepper.plan();
        return !command.motion_finished;
    }

    bool run(int cycles) {
        for (int i = 0; i < cycles; ++i) {
            if (!cycle()) return false;
        }
        return true;
    }

    Reflex last_reflex() {
        ArmState after;
        return arm.read(after) ? Reflex::kNone : after.reflex;
    }

    // A chunk from an observation captured now, to be delivered later with deliver().
    std::vector<rti_action> observe(const Policy& policy, std::uint32_t count) {
        const Progress& now = stepper.progress();
        std::vector<rti_action> chunk(count);
        ++chunk_id;
        for (std::uint32_t i = 0; i < count; ++i) {
            rti_action& action = chunk[i];
            action.kind = RTI_RECORD_ACTION;
            action.epoch = now.epoch;
            action.chunk_id = chunk_id;
            action.index = i;
            action.count = count;
            action.capture_ns = state.time_ns;
            action.origin_step = now.policy_step;
            action.received_ns = state.time_ns;
            action.dim = RTI_DOF;
            const JointArray target = policy(now.policy_step + i);
            std::copy(target.begin(), target.end(), action.values);
        }
        return chunk;
    }

    void deliver(const std::vector<rti_action>& chunk) {
        due.insert(due.end(), chunk.begin(), chunk.end());
    }

    void new_epoch() {
        rti_action record{};
        record.kind = RTI_RECORD_NEW_EPOCH;
        due.push_back(record);
    }

    // Runs the usual loop: observe when `threshold` of a chunk is left, deliver `delay` cycles
    // later.
    bool follow(const Policy& policy, int cycles, std::uint32_t count = 50, double threshold = 0.5,
                int delay = 60) {
        for (int i = 0; i < cycles; ++i) {
            if (in_flight.empty() && started &&
                stepper.progress().steps_queued <= threshold * count) {
                in_flight = observe(policy, count);
                arrives_in = delay;
            }
            if (!in_flight.empty() && arrives_in-- <= 0) {
                deliver(in_flight);
                in_flight.clear();
            }
            if (!cycle()) return false;
        }
        return true;
    }

    [[nodiscard]] const Progress& progress() const { return stepper.progress(); }

    StepperConfig config;
    SimFr3 arm;
    Stepper stepper;
    ArmState state;
    Request request = Request::kFollow;
    bool started = false;
    std::uint64_t chunk_id = 0;
    std::vector<rti_action> due;
    std::vector<rti_action> in_flight;
    int arrives_in = 0;
    std::vector<JointArray> commands;
};

// Franka's "ready" pose, from which the simulated arm starts.
inline JointArray ready() {
    return SimFr3Config{}.start_pose_rad;
}

// A sine of `amplitude` [rad] at `frequency` [Hz] on all joints around ready(), starting at rest
// there.
inline Policy sine(double amplitude, double frequency, double fps) {
    return [=](double step) {
        JointArray q = ready();
        const double phase = 2.0 * M_PI * frequency * step / fps;
        for (double& joint : q) joint += amplitude * 0.5 * (1.0 - std::cos(phase));
        return q;
    };
}

inline double moved(const Rig& rig, std::size_t since) {
    double worst = 0.0;
    for (std::size_t i = since; i < rig.commands.size(); ++i) {
        worst = std::max(worst, distance(rig.commands[i], rig.commands[since]));
    }
    return worst;
}

// Everything still: the arm's command has not changed over the last 100 cycles.
inline bool rests(const Rig& rig) {
    return moved(rig, rig.commands.size() - 100) == 0.0;
}

inline Policy reach_out() {
    return [](double step) {
        JointArray q = ready();
        q[0] += 0.02 * std::min(step, 40.0);
        return q;
    };
}

}  // namespace rti::test
