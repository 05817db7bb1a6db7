#include "motion/policy_clock.hpp"

#include <algorithm>
#include <cmath>

namespace rti {
namespace {

constexpr double kLead_s = 0.020;            // how far ahead the profile is read, in time
constexpr double kTracking_per_s = 60.0;     // how fast a difference to the profile is closed
constexpr double kBrakingTail_s = 0.025;     // the last of an urgent stop decays with this constant
constexpr double kShortestStart_s = 0.15;    // from rest to the nominal rate
constexpr double kShortestBraking_s = 0.08;  // from the nominal rate to rest
constexpr double kRamp_s = 0.015;  // in which the hardest braking may build up: what makes it C²
constexpr double kBrakingLook_s = 0.020;  // between two looks at the way of an urgent stop
constexpr int kBrakingLooks = 32;
constexpr double kRest = 1e-5;  // of the nominal rate: below this the clock stands

}  // namespace

PolicyClock::Room PolicyClock::room(const PathPoint& point,
                                    const PlannerLimits& limits) const noexcept {
    const double ramp = nominal_ / kShortestBraking_s / kRamp_s;
    Room room{nominal_ / kShortestStart_s, nominal_ / kShortestBraking_s, ramp, 10.0 * ramp};
    for (std::size_t j = 0; j < kDof; ++j) {
        const double slope = std::abs(point.d1[j]);
        if (slope < 1e-9) continue;
        // Acceleration the curvature already uses, counted along the direction of motion.
        const double along = std::copysign(1.0, point.d1[j]) * point.d2[j] * rate_ * rate_;
        room.up = std::min({room.up, (limits.clock_acceleration - along) / slope,
                            limits.start_acceleration / slope});
        room.down = std::min(room.down, (limits.clock_acceleration + along) / slope);
        room.jerk = std::min(room.jerk, limits.jerk / slope);
    }
    room.ramp = std::min(room.ramp, room.jerk);
    room.down = std::max(room.down, 0.0);
    room.up = std::max(room.up, -room.down);
    return room;
}

double PolicyClock::look_ahead() const noexcept {
    return step_ + rate_ * kLead_s;
}

// A coarse play of advance() with brake, on the long side everywhere: all of the ramp goes by
// before anything is lost of the rate, the braking power is the worse of both ends of a look, and
// the way between them is gone at the faster one.
double PolicyClock::braking_distance(const Path& path, const PlannerLimits& limits) const noexcept {
    PolicyClock ahead = *this;
    ahead.rate_ += 0.5 * std::max(0.0, acceleration_) * kRamp_s;
    ahead.step_ += ahead.rate_ * (kRamp_s + kCycle_s);
    double down = ahead.room(path.at(ahead.step_), limits).down;
    for (int i = 0; i < kBrakingLooks && ahead.rate_ > down * kBrakingTail_s; ++i) {
        ahead.step_ += ahead.rate_ * kBrakingLook_s;
        const double further = ahead.room(path.at(ahead.step_), limits).down;
        ahead.rate_ -= std::min({down, further, ahead.rate_ / kBrakingLook_s}) * kBrakingLook_s;
        down = further;
    }
    return std::min(ahead.step_ + ahead.rate_ * kBrakingTail_s, path.end()) - step_;
}

bool PolicyClock::advance(const Path& path, const SpeedProfile& profile,
                          const PlannerLimits& limits, bool brake) noexcept {
    const double ahead = look_ahead();
    const double allowed = std::sqrt(std::max(0.0, profile.lowest_squared_rate(step_, ahead)));
    const bool nominal = allowed >= 0.999 * nominal_;

    double wanted;  // the clock's acceleration
    if (brake) {
        wanted = -rate_ / kBrakingTail_s;
    } else {
        const double along_profile = std::min(0.0, profile.acceleration(ahead));
        wanted = kTracking_per_s * (allowed - rate_);
        if (allowed > 0.0) wanted += along_profile * std::min(1.0, rate_ / allowed);
    }
    const Room room = this->room(path.at(step_), limits);
    wanted = std::clamp(wanted, -room.down, room.up);
    const double ramp = room.ramp * kCycle_s;
    const double ramped = acceleration_ + std::clamp(wanted - acceleration_, -ramp, ramp);
    // Where the path bends faster than the ramp, the joints' own jerk limit is the bound, not
    // beauty.
    const double inside = std::clamp(ramped, -room.down, room.up);
    const double steepest = room.jerk * kCycle_s;
    acceleration_ += std::clamp(inside - acceleration_, -steepest, steepest);

    rate_ += acceleration_ * kCycle_s;
    const bool to_rest = brake || allowed < kRest * nominal_;
    if (rate_ <= 0.0 || (to_rest && rate_ < kRest * nominal_)) {
        rate_ = 0.0;
        acceleration_ = 0.0;
    }
    step_ += rate_ * kCycle_s;
    if (step_ >= path.end()) {  // held there since the last waypoint: no joint notices
        step_ = path.end();
        rate_ = 0.0;
        acceleration_ = 0.0;
    }
    return nominal;
}

}  // namespace rti
