// A simulated Franka FR3 that takes joint positions at 1 kHz and holds them to FCI's rules.
//
// Cycles. State k is out at grid point k; the answer to it is in time if write() comes before grid
// point k + 1. A cycle without an answer is lost: the reference is extrapolated as fci_rules.hpp
// says, and read() gives the newest state at once, with elapsed_cycles above 1 where states went by
// unseen. A late answer is dropped, except that of motion_finished, which is repeated as libfranka
// does until the arm has it. The first read() after start() sets the grid: until then nothing can
// be late.
//
// Pacing. kRealtime sleeps on CLOCK_MONOTONIC to the grid point, and goes on without a controller
// that oversleeps. kPatient is the same, but the grid moves on with a controller that is late, so
// that nothing is lost: for a machine that cannot keep time. kVirtual has no clock: each read() is
// the next grid point, and lose(n) puts n points more before it. Everything else is the same code.
//
// The joints follow the reference as critically damped second-order lags, q¨ = ω²(q_d - q) - 2ωq˙,
// each solved exactly over a cycle of constant q_d. At constant speed a joint is 2/ω behind: 20 ms
// at the default, an assumption in the manner of joint impedance control, not a measurement of an
// FR3. Gravity, contact, the 300 µs of the robot's own processing, and network jitter are not
// simulated.
//
// A reflex or stop() leaves the joints where they are; the next start() begins there, at rest.
// After motion_finished it begins at the last command.
//
// Threads. As arm.hpp says: one. The set-up may throw; read and write make no system calls but
// clock_nanosleep and clock_gettime (none in virtual time), and allocate nothing.
#pragma once

#include <cstdint>

#include "arms/arm.hpp"
#include "arms/fci_rules.hpp"
#include "kinematics/fr3_geometry.hpp"

namespace rti {

enum class Pacing { kRealtime, kPatient, kVirtual };

// What goes wrong on purpose. Cycles are ArmState::cycle; 0 is never.
struct SimFaults {
    // read() of this cycle says that the arm has stopped, and why. Once: a restarted arm goes on.
    std::uint64_t fail_at_cycle = 0;
    Reflex fail_with = Reflex::kOther;
    // The answers to this cycle and the next drop_count - 1 get lost on the way, in every motion.
    std::uint64_t drop_from_cycle = 0;
    std::uint64_t drop_count = 0;
};

struct SimFr3Config {
    Pacing pacing = Pacing::kRealtime;
    JointArray start_pose_rad = kReadyPose_rad;
    JointArray natural_frequency_rad_s = {100.0, 100.0, 100.0, 100.0, 100.0, 100.0, 100.0};
    SimFaults faults;
};

class SimFr3 final : public Arm {
  public:
    // Throws std::runtime_error for a pose out of range or a natural frequency that is not
    // positive.
    explicit SimFr3(const SimFr3Config& config);

    void start() override;
    [[nodiscard]] bool read(ArmState& state) noexcept override;
    [[nodiscard]] bool write(const ArmCommand& command) noexcept override;
    [[nodiscard]] CommandPeaks peaks() const noexcept override;
    void stop() noexcept override;

    // kVirtual only, by the same thread: n more cycles pass before the next read(), unanswered.
    void lose(std::uint64_t cycles) noexcept;

    // What the commands that arrived asked of the arm, over all motions of this object.
    [[nodiscard]] const fci::MotionRatios& ratios() const noexcept { return rules_.ratios(); }

  private:
    enum class Phase { kIdle, kStarting, kRunning };

    bool moving() const noexcept;
    std::int64_t grid_ns(std::uint64_t cycle) const noexcept;
    std::uint64_t newest_cycle(std::int64_t at_ns) const noexcept;
    std::int64_t wait_for_next_state() noexcept;
    void be_patient(std::int64_t now_ns) noexcept;
    void advance_to(std::uint64_t cycle) noexcept;
    void move_joints() noexcept;
    bool drops_answer() const noexcept;
    void fill(ArmState& state, std::int64_t time_ns, std::uint64_t elapsed) const noexcept;

    const SimFr3Config config_;
    fci::FciRules rules_;
    JointArray q_;        // of the joints [rad]
    JointArray dq_{};     // [rad/s]
    JointArray decay_{};  // exp(-ω · 1 ms)
    Phase phase_ = Phase::kIdle;
    bool fail_pending_;
    bool answered_ = false;            // state cycle_ has its answer
    std::uint64_t cycle_ = 0;          // of the newest state that read() gave
    std::uint64_t pending_lost_ = 0;   // lose()
    std::int64_t grid_origin_ns_ = 0;  // time of cycle 0
};

}  // namespace rti
