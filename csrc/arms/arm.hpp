// The arm, as the 1 kHz loop sees it: wait for the next state, answer it with one command.
//
// Protocol. start() once; then read(), write(), read(), write(), … strictly in turn, one write for
// each read; the write that carries motion_finished is the last one. read() is what paces the loop:
// it blocks until the arm's next cycle. `elapsed_cycles` above 1 means that commands were lost: the
// arm has carried on by itself (FCI extrapolates with constant acceleration) and q_d, dq_d, ddq_d
// say where it really is. The controller starts again from there.
//
// Threads. One thread, the control loop's, calls everything here. read(), write() and peaks()
// allocate nothing, take no lock and never throw; faults are values.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rti {

inline constexpr int kDof = 7;
inline constexpr double kCycle_s = 0.001;  // FCI's fixed control period
using JointArray = std::array<double, kDof>;

// The worst joint's distance.
inline double distance(const JointArray& a, const JointArray& b) noexcept {
    double worst = 0.0;
    for (std::size_t j = 0; j < kDof; ++j) worst = std::max(worst, std::abs(a[j] - b[j]));
    return worst;
}

// Why an arm stopped taking commands. Names and meaning are FCI's own (franka/errors.h); the string
// that users see comes from reflex_name().
enum class Reflex : std::uint32_t {
    kNone = 0,
    kJointPositionLimits,             // joint_position_limits_violation
    kJointVelocityLimits,             // joint_motion_generator_velocity_limits_violation
    kJointVelocityDiscontinuity,      // joint_motion_generator_velocity_discontinuity: acceleration
    kJointAccelerationDiscontinuity,  // joint_motion_generator_acceleration_discontinuity: jerk
    kStartPoseInvalid,                // joint_position_motion_generator_start_pose_invalid
    kCommunicationConstraints,        // communication_constraints_violation
    kMotionFinishedWhileMoving,       // motion finished commanded, but the robot is still moving
    kNotANumber,                      // a command that is not finite; libfranka refuses to send it
    kOther,
};

// FCI's name of the reflex, as libfranka prints it.
std::string_view reflex_name(Reflex reflex) noexcept;

struct ArmState {
    std::int64_t time_ns = 0;  // CLOCK_MONOTONIC at which this state was received
    std::int64_t due_ns = 0;   // when it was due on the arm's own grid; 0: the arm tells none
    std::uint64_t cycle = 0;   // the arm's own count of 1 ms cycles since start()
    std::uint32_t elapsed_cycles = 1;  // cycles since the previous read; 0 if there was none
    Reflex reflex = Reflex::kNone;     // set once the arm has stopped by itself
    JointArray q{};                    // measured position [rad]
    JointArray dq{};                   // measured velocity [rad/s]
    JointArray q_d{};                  // last commanded (or extrapolated) position [rad]
    JointArray dq_d{};                 // its velocity [rad/s]
    JointArray ddq_d{};                // its acceleration [rad/s²]
    double success_rate = 1.0;         // fraction of the last 100 commands that arrived in time
};

// Cycles that the arm went through without us before this state.
inline std::uint32_t lost_cycles(const ArmState& state) noexcept {
    return state.elapsed_cycles > 1 ? state.elapsed_cycles - 1 : 0;
}

struct ArmCommand {
    JointArray q{};                // position for the next cycle [rad]
    bool motion_finished = false;  // last command of the motion; the arm must be at rest
};

// What the commands asked of the arm since this object was made: commanded value over the arm's
// limit, worst joint, worst cycle; and the jerk squared, mean over the joints, summed over all
// cycles. Taken from the commands that reached the arm, by the arm's own arithmetic; knows nothing
// of our limiter. (In a cycle without a command the arm goes on without jerk.)
struct CommandPeaks {
    double velocity_ratio = 0.0;
    double acceleration_ratio = 0.0;
    double jerk_ratio = 0.0;
    double jerk_squared_sum = 0.0;  // [rad²/s⁶]
};

class Arm {
  public:
    Arm() = default;
    Arm(const Arm&) = delete;
    Arm& operator=(const Arm&) = delete;
    virtual ~Arm() = default;

    // Begins a motion from rest. Also called again after a recovery. May take long; throws
    // std::runtime_error with a sentence for the user.
    virtual void start() = 0;
    // Blocks until the next cycle and fills `state`. False: the arm has stopped (state.reflex says
    // why).
    [[nodiscard]] virtual bool read(ArmState& state) noexcept = 0;
    // Sends the command for the state just read. False: the arm has stopped.
    [[nodiscard]] virtual bool write(const ArmCommand& command) noexcept = 0;
    [[nodiscard]] virtual CommandPeaks peaks() const noexcept = 0;
    // Ends the motion; the arm takes no more commands until start().
    virtual void stop() noexcept = 0;
};

}  // namespace rti
