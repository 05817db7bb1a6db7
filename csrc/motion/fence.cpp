#include "motion/fence.hpp"

namespace rti {
namespace {

// Points of the way to rest, the last one its end: while a path is followed they move along it by
// little from cycle to cycle, and come by everything that lies between.
constexpr int kLooks = 4;
constexpr int kLooksAtNew = 16;
// Points of all that is left of a path, where it may come in again.
constexpr int kLooksAhead = 4;
constexpr double kSamePlace_m = 1e-12;  // computed twice
// Of kRipple_m; the rest is for a least excess that lies between two looks.
constexpr double kRippleOfAny_m = 0.5 * kRipple_m;
constexpr double kRippleComingIn_m = 0.8 * kRipple_m;

}  // namespace

Fence::Fence(const Box& box, const Transform& tool) noexcept
    : inner_(box.shrunk_by(kKeptClear_m + kRipple_m)), tool_(tool), open_(box.is_open()) {
    start();
}

void Fence::start() noexcept {
    least_.fill(Box::kOpen);
}

bool Fence::stops(const Path& path, const SpeedProfile& profile, const PolicyClock& clock,
                  const PlannerLimits& limits) noexcept {
    return leads_out(path, profile, clock, limits, kLooks);
}

bool Fence::admits(const Path& path, const SpeedProfile& profile, const PolicyClock& clock,
                   const PlannerLimits& limits) noexcept {
    return !leads_out(path, profile, clock, limits, kLooksAtNew);
}

bool Fence::leads_out(const Path& path, const SpeedProfile& profile, const PolicyClock& clock,
                      const PlannerLimits& limits, int looks) noexcept {
    if (open_) return false;
    const double step = clock.step();
    const Excess here = excess(path.at(step).q);
    for (std::size_t i = 0; i < here.size(); ++i) least_[i] = std::min(least_[i], here[i]);

    PolicyClock next = clock;
    next.advance(path, profile, limits, false);
    const double way = next.step() - step + next.braking_distance(path, limits);
    // On its way in the path makes itself what may be.
    Bound any = bound(here, kRippleOfAny_m);
    Bound coming_in = bound(here, kRippleComingIn_m);
    bool strays = false;
    for (int look = 1; look <= looks; ++look) {
        const Excess there = excess(path.at(step + way * look / looks).q);
        strays |= !any.holds(there);
        if (!coming_in.holds(there)) return true;
    }
    return strays && !comes_in(path, step + way);
}

Fence::Bound Fence::bound(const Excess& here, double ripple_m) const noexcept {
    Bound out{.least = least_, .most = here, .ripple_m = ripple_m};
    for (std::size_t i = 0; i < here.size(); ++i) {
        out.most[i] = std::max(here[i], least_[i] + ripple_m);
    }
    return out;
}

bool Fence::Bound::holds(const Excess& there) noexcept {
    for (std::size_t i = 0; i < there.size(); ++i) {
        if (there[i] > most[i] + kSamePlace_m) return false;
        least[i] = std::min(least[i], there[i]);
        most[i] = std::min(most[i], std::max(there[i], least[i] + ripple_m));
    }
    return true;
}

bool Fence::comes_in(const Path& path, double step) const noexcept {
    for (int look = 1; look <= kLooksAhead; ++look) {
        const Excess there = excess(path.at(step + (path.end() - step) * look / kLooksAhead).q);
        bool all = true;
        for (std::size_t i = 0; i < there.size(); ++i) all = all && there[i] <= least_[i];
        if (all) return true;
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
