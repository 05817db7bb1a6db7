// The fence: the hand is stopped before it leaves the workspace box.
//
// Looked at once a cycle, after the write: the way along the path that an urgent stop would take
// from here, at a few points of it. If flange or tool would be outside there, the stepper brakes
// now, while there still is room. What comes from the network process has its targets inside the
// box (kinematics/keep_in_box.hpp), so the fence is for what does not, and for bridges that swing
// out between targets.
//
// An arm that is outside already may move, along each axis for itself, as far out as it is, and
// half a millimetre further out than the furthest in it has been: a curve inward may begin with a
// ripple, and ripples do not add up.
//
// Nothing allocated, nothing thrown; the control loop's thread.
#pragma once

#include "kinematics/workspace.hpp"
#include "motion/policy_clock.hpp"

namespace rti {

class Fence {
  public:
    // `tool`: the TCP in the flange's frame.
    Fence(const Box& box, const Transform& tool) noexcept;

    // Forgets where the arm has been: it may have been moved by hand.
    void start() noexcept;
    // Whether the clock, on its step of `path`, must brake in the next cycle.
    [[nodiscard]] bool stops(const Path& path, const PolicyClock& clock,
                             const PlannerLimits& limits) noexcept;
    // Whether `path` may become the clock's: looked at more closely, since nothing of it has been
    // seen before.
    [[nodiscard]] bool admits(const Path& path, const PolicyClock& clock,
                              const PlannerLimits& limits) noexcept;

  private:
    [[nodiscard]] bool leads_out(const Path& path, const PolicyClock& clock,
                                 const PlannerLimits& limits, int looks) noexcept;
    // How far outside each of the six is, flange and tool along three axes [m]; 0 inside.
    using Excess = std::array<double, 6>;
    [[nodiscard]] Excess excess(const JointArray& q_rad) const noexcept;

    Box inner_;
    Transform tool_;
    bool open_;  // no side is set: nothing to look at
    Excess least_{};
};

}  // namespace rti
