// The fence: the hand is stopped before it leaves the workspace box.
//
// Looked at once a cycle, after the write, and before a path is adopted, from rest too: the way
// along the path if the next cycle is played unbraked and an urgent stop begins in the one after,
// which is when the fence can first be heard again. If flange or tool would be outside at one of a
// few points of it, the stepper brakes now, or does not adopt. What comes from the network process
// has its targets inside the box (kinematics/keep_in_box.hpp), so the fence is for what does not,
// and for bridges that swing out between targets.
//
// The promise, along each axis for itself: no path leads a point further out than the furthest in
// that it has been since start(), by more than kRipple_m, however many paths try. A path that comes
// further in later on may use most of that, since a curve inward may begin with a ripple; any other
// may use the half of it, so that no policy can use up what the way back in may need. Where
// something else (a detour after lost packets) has put the arm further out, it may stay, and come
// in.
//
// Nothing allocated, nothing thrown; the control loop's thread.
#pragma once

#include "kinematics/workspace.hpp"
#include "motion/policy_clock.hpp"

namespace rti {

// By how much further out than the least so far a point may ever be led.
inline constexpr double kRipple_m = 0.0005;
// Inside the box nothing is led nearer to a side than this.
inline constexpr double kKeptClear_m = 0.001;

class Fence {
  public:
    // `tool`: the TCP in the flange's frame.
    Fence(const Box& box, const Transform& tool) noexcept;

    // Forgets where the arm has been: it may have been moved by hand.
    void start() noexcept;
    // Whether the clock, on its step of `path` with `profile`, must brake in the next cycle.
    [[nodiscard]] bool stops(const Path& path, const SpeedProfile& profile,
                             const PolicyClock& clock, const PlannerLimits& limits) noexcept;
    // Whether `path` may become the clock's: looked at more closely, since nothing of it has been
    // seen before.
    [[nodiscard]] bool admits(const Path& path, const SpeedProfile& profile,
                              const PolicyClock& clock, const PlannerLimits& limits) noexcept;

  private:
    // How far outside each of the six is, flange and tool along three axes [m]; 0 inside.
    using Excess = std::array<double, 6>;
    [[nodiscard]] bool leads_out(const Path& path, const SpeedProfile& profile,
                                 const PolicyClock& clock, const PlannerLimits& limits,
                                 int looks) noexcept;
    // How far out each may be, point by point along a path.
    struct Bound {
        Excess least;
        Excess most;
        double ripple_m;
        [[nodiscard]] bool holds(const Excess& there) noexcept;
    };
    [[nodiscard]] Bound bound(const Excess& here, double ripple_m) const noexcept;
    // Whether each comes at least as far in as it ever was, later on the path than `step`.
    [[nodiscard]] bool comes_in(const Path& path, double step) const noexcept;
    [[nodiscard]] Excess excess(const JointArray& q_rad) const noexcept;

    Box inner_;
    Transform tool_;
    bool open_;       // no side is set: nothing to look at
    Excess least_{};  // so far
};

}  // namespace rti
