#include "motion/fence.hpp"

namespace rti {
namespace {

// The arm rests this far inside the box: for what the way between two of the points below hides.
constexpr double kRoom_m = 0.001;
// Points of the way to rest, the last one its end: while a path is followed they move along it by
// little from cycle to cycle, and come by everything that lies between.
constexpr int kLooks = 4;
constexpr int kLooksAtNew = 16;
constexpr double kRipple_m = 0.0005;
constexpr double kSamePlace_m = 1e-9;  // computed twice

}  // namespace

Fence::Fence(const Box& box, const Transform& tool) noexcept
    : inner_(box.shrunk_by(kRoom_m)), tool_(tool), open_(box.is_open()) {
    start();
}

void Fence::start() noexcept {
    least_.fill(Box::kOpen);
}

bool Fence::stops(const Path& path, const PolicyClock& clock,
                  const PlannerLimits& limits) noexcept {
    return leads_out(path, clock, limits, kLooks);
}

bool Fence::admits(const Path& path, const PolicyClock& clock,
                   const PlannerLimits& limits) noexcept {
    return !leads_out(path, clock, limits, kLooksAtNew);
}

bool Fence::leads_out(const Path& path, const PolicyClock& clock, const PlannerLimits& limits,
                      int looks) noexcept {
    if (open_ || clock.at_rest()) return false;
    Excess allowed = excess(path.at(clock.step()).q);
    for (std::size_t i = 0; i < allowed.size(); ++i) {
        least_[i] = std::min(least_[i], allowed[i]);
        if (least_[i] > 0.0) allowed[i] = std::max(allowed[i], least_[i] + kRipple_m);
    }
    const double way = clock.braking_distance(path, limits);
    for (int look = 1; look <= looks; ++look) {
        const Excess there = excess(path.at(clock.step() + way * look / looks).q);
        for (std::size_t i = 0; i < there.size(); ++i) {
            if (there[i] > allowed[i] + kSamePlace_m) return true;
        }
    }
    return false;
}

Fence::Excess Fence::excess(const JointArray& q_rad) const noexcept {
    const HandPoints hand = hand_points(q_rad, tool_);
    Excess out;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        out[axis] = std::max(0.0, inner_.outside_along(axis, hand.flange_m));
        out[axis + 3] = std::max(0.0, inner_.outside_along(axis, hand.tip_m));
    }
    return out;
}

}  // namespace rti
