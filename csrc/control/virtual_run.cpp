#include "control/virtual_run.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>

namespace rti {
namespace {

// The elements of a script that are due in a cycle, whatever their order in it.
template <class Event, class Act>
void each_due(const std::vector<Event>& events, std::uint64_t cycle, Act act) {
    for (const Event& event : events) {
        if (event.cycle == cycle) act(event);
    }
}

void check(const VirtualScript& script) {
    for (const VirtualChunk& chunk : script.chunks) {
        if (chunk.capture_cycle >= chunk.cycle) {
            throw std::invalid_argument("a chunk that arrives in cycle " +
                                        std::to_string(chunk.cycle) +
                                        " must have been captured in an earlier one");
        }
        if (chunk.dim == 0 || chunk.dim > RTI_MAX_VALUES || chunk.values.size() % chunk.dim != 0) {
            throw std::invalid_argument("a chunk is T actions of 1 to 16 values each");
        }
    }
}

class Player {
  public:
    Player(const StepperConfig& motion, const SimFr3Config& arm, const VirtualScript& script)
        : arm_(arm), stepper_(std::make_unique<Stepper>(motion)), script_(script) {
        run_.cycles.reserve(script.cycles);
    }

    VirtualRun play() {
        arm_.start();
        for (now_ = 0; now_ < script_.cycles; ++now_) {
            if (!cycle()) break;
        }
        run_.progress = stepper_->progress();
        run_.peaks = arm_.peaks();
        return std::move(run_);
    }

  private:
    bool cycle() {
        each_due(script_.losses, now_, [&](const auto& loss) { arm_.lose(loss.lost_cycles); });
        if (!arm_.read(state_)) return stopped();
        if (now_ == 0) stepper_->start(state_);
        rti_action new_epoch{};
        new_epoch.kind = RTI_RECORD_NEW_EPOCH;
        for (const std::uint64_t cycle : script_.new_epochs) {
            if (cycle == now_) stepper_->offer(new_epoch);
        }
        for (std::size_t i = 0; i < script_.chunks.size(); ++i) {
            if (script_.chunks[i].cycle == now_) offer(script_.chunks[i], i + 1);
        }
        each_due(script_.requests, now_, [&](const auto& event) { request_ = event.request; });

        const ArmCommand command = stepper_->step(state_, request_);
        const bool taken = arm_.write(command);
        stepper_->plan();
        keep(command);
        if (taken) return !command.motion_finished;
        // Why the arm took no command is known to its next state only.
        return arm_.read(state_) ? false : stopped();
    }

    void offer(const VirtualChunk& chunk, std::uint64_t id) {
        if (chunk.capture_cycle >= run_.cycles.size()) return;
        const VirtualCycle& captured = run_.cycles[chunk.capture_cycle];
        rti_action record{};
        record.kind = RTI_RECORD_ACTION;
        record.epoch = chunk.epoch.value_or(captured.epoch);
        record.chunk_id = id;
        record.count = static_cast<std::uint32_t>(chunk.values.size() / chunk.dim);
        record.capture_ns = captured.state.time_ns;
        record.origin_step = chunk.origin_step.value_or(captured.policy_step);
        record.received_ns = state_.time_ns;
        record.dim = chunk.dim;
        for (; record.index < record.count; ++record.index) {
            std::copy_n(chunk.values.begin() + record.index * chunk.dim, chunk.dim, record.values);
            stepper_->offer(record);
        }
    }

    void keep(const ArmCommand& command) {
        const Progress& progress = stepper_->progress();
        run_.cycles.push_back({.state = state_,
                               .q_command = command.q,
                               .policy_step = progress.policy_step,
                               .policy_rate = progress.policy_rate,
                               .phase = progress.phase,
                               .flags = progress.flags,
                               .epoch = progress.epoch,
                               .tool = progress.tool,
                               .tool_values = progress.tool_values,
                               .chunk_id = progress.chunk_id});
    }

    bool stopped() {
        run_.reflex = state_.reflex;
        run_.reflex_cycle = now_;
        return false;
    }

    SimFr3 arm_;
    std::unique_ptr<Stepper> stepper_;
    const VirtualScript& script_;
    ArmState state_;
    Request request_ = Request::kFollow;
    std::uint64_t now_ = 0;
    VirtualRun run_;
};

}  // namespace

VirtualRun play(const StepperConfig& motion, SimFr3Config arm, const VirtualScript& script) {
    check(script);
    arm.pacing = Pacing::kVirtual;
    return Player(motion, arm, script).play();
}

}  // namespace rti
