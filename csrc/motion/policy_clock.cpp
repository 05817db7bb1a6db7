#include "motion/policy_clock.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace rti {
namespace {

constexpr double kTracking_per_s = 60.0;     // how fast a difference to the profile is closed
constexpr double kStart_per_s = 100.0;       // the same, up to the nominal rate
constexpr double kShortestStart_s = 0.03;    // from rest to the nominal rate, where no joint minds
constexpr double kShortestBraking_s = 0.04;  // from the nominal rate to rest
// In which the hardest braking builds up and is taken back.
constexpr double kRamp_s = 0.006;
// In which a corner of the profile is taken that is not the onset of the last braking.
constexpr double kCorner_s = 0.030;
constexpr double kEntry_s = 0.020;    // how far ahead a new profile must leave the clock its rate
constexpr double kArrival_s = 0.010;  // the last of a way that was not landed decays like this
constexpr double kBrakingLook_s = 0.020;  // between two looks at the way of an urgent stop
constexpr int kBrakingLooks = 32;
constexpr double kBrakingTail_s = 2.0 * kRamp_s;  // the last of it, the ramp back included
// How far ahead it is made sure that braking can still begin in time, and what of the profile's
// rate² passes for it: before the last braking, and on the way.
constexpr int kForesight_cycles = 16;
constexpr int kLongForesight_cycles = 32;
constexpr double kOverrun = 1.005;
constexpr double kLooseOverrun = 1.01;
constexpr double kRest = 1e-9;  // steps before the end and, of the nominal rate, rest

}  // namespace

PolicyClock::Room PolicyClock::room(const Path& path, const PlannerLimits& limits) const noexcept {
    const double hardest = nominal_ / kShortestBraking_s;
    const double ramp = hardest / kRamp_s;
    Room room{nominal_ / kShortestStart_s, hardest, ramp, 10.0 * ramp, 10.0 * ramp};
    // Of the cycle's both ends the worse: where the path bends quickly they differ.
    const double rate_then = std::max(0.0, rate_ + acceleration_ * kCycle_s);
    const double step_then = step_ + 0.5 * (rate_ + rate_then) * kCycle_s;
    for (const auto& [step, rate] : {std::pair{step_, rate_}, std::pair{step_then, rate_then}}) {
        const PathPoint point = path.at(step);
        for (std::size_t j = 0; j < kDof; ++j) {
            const double slope = std::abs(point.d1[j]);
            if (slope < 1e-9) continue;
            // What the curvature already uses, counted along the direction of motion.
            const double sign = std::copysign(1.0, point.d1[j]);
            const double along = sign * point.d2[j] * rate * rate;
            const double bending = sign * (point.d3[j] * rate * rate * rate +
                                           3.0 * point.d2[j] * rate * acceleration_);
            room.up = std::min({room.up, limits.start_acceleration / slope,
                                std::max(0.0, limits.cruise_acceleration - along) / slope,
                                (limits.clock_acceleration - along) / slope});
            room.down = std::min(room.down, (limits.clock_acceleration + along) / slope);
            room.ramp = std::min(room.ramp, limits.clock_jerk / slope);
            room.steeper = std::min(room.steeper, (limits.whole_jerk - bending) / slope);
            room.gentler = std::min(room.gentler, (limits.whole_jerk + bending) / slope);
        }
    }
    room.steeper = std::max(room.steeper, room.ramp);
    room.gentler = std::max(room.gentler, room.ramp);
    room.down = std::max(room.down, 0.0);
    // A path that bends with the motion lets the clock brake harder, and in the same time.
    room.ramp = std::clamp(room.down / kRamp_s, room.ramp, std::min(room.steeper, room.gentler));
    room.up = std::max(room.up, -room.down);
    return room;
}

double PolicyClock::look_ahead() const noexcept {
    return step_ + rate_ * kEntry_s;
}

// A coarse play of advance() with brake, on the long side everywhere: all of the ramp goes by
// before anything is lost of the rate, and the braking power is the worse of both ends of a look.
double PolicyClock::braking_distance(const Path& path, const PlannerLimits& limits) const noexcept {
    PolicyClock ahead = *this;
    const Room now = room(path, limits);
    const double speeding = std::max(0.0, acceleration_);
    const double ramp_s = (now.down + speeding) / now.ramp + kCycle_s;
    ahead.rate_ += 0.5 * speeding * ramp_s;
    ahead.acceleration_ = 0.0;
    ahead.step_ += ahead.rate_ * ramp_s;
    double down = ahead.room(path, limits).down;
    for (int i = 0; i < kBrakingLooks && ahead.rate_ > down * kBrakingTail_s; ++i) {
        const double from = ahead.step_;
        const double before = ahead.rate_;
        ahead.step_ += before * kBrakingLook_s;
        const double further = ahead.room(path, limits).down;
        ahead.rate_ -= std::min({down, further, before / kBrakingLook_s}) * kBrakingLook_s;
        ahead.step_ = from + 0.5 * (before + ahead.rate_) * kBrakingLook_s;
        down = further;
    }
    return std::min(ahead.step_ + ahead.rate_ * kBrakingTail_s, path.end()) - step_;
}

void PolicyClock::rest_at(double step) noexcept {
    step_ = step;
    rate_ = 0.0;
    acceleration_ = 0.0;
}

// With constant jerk to rest in time T: rate = r u², way left = r T u³ / 3, u = 1 - t / T.
bool PolicyClock::land(double steps_left, const Room& room) noexcept {
    if (rate_ <= 0.0 || steps_left <= 0.0) return false;
    const double time_s = 3.0 * steps_left / rate_;
    const double decel = 2.0 * rate_ / time_s;
    const double jump = decel + acceleration_;
    const double ramp = room.ramp * kCycle_s;
    if (decel > room.down || jump > ramp || jump < -2.0 * ramp) return false;
    if (decel < 0.5 * room.ramp * time_s) return false;  // too early: it would take its time
    const double u = 1.0 - kCycle_s / time_s;
    if (u <= 0.0) {
        rest_at(step_ + steps_left);
        return true;
    }
    step_ += steps_left * (1.0 - u * u * u);
    rate_ *= u * u;
    acceleration_ = -decel * u;
    return true;
}

// Whether the rate comes to lie above the profile although, after a cycle with `acceleration`, the
// clock brakes harder and harder.
bool PolicyClock::overruns(double acceleration, double ramp, bool stops,
                           const SpeedProfile& profile, const Room& room) const noexcept {
    const int cycles = stops ? kForesight_cycles : kLongForesight_cycles;
    const double overrun = stops ? kOverrun : kLooseOverrun;
    double rate = rate_;
    double step = step_;
    for (int i = 0; i < cycles; ++i) {
        const double before = rate;
        rate += acceleration * kCycle_s;
        if (rate <= 0.0) return false;
        step += 0.5 * (before + rate) * kCycle_s;
        const SpeedProfile::Pace pace = profile.pace(step);
        if (rate * rate > overrun * pace.squared_rate) return true;
        if (acceleration <= pace.acceleration) return false;
        acceleration = std::max(acceleration - ramp, -room.down);
    }
    return false;
}

bool PolicyClock::advance(const Path& path, const SpeedProfile& profile,
                          const PlannerLimits& limits, bool brake) noexcept {
    const bool stops = step_ + rate_ * kCorner_s >= profile.last_way();
    const SpeedProfile::Pace pace = profile.pace(step_, rate_ * (stops ? kRamp_s : kCorner_s));
    const Room room = this->room(path, limits);
    const double left = path.end() - step_;
    const bool final_way = profile.final_way(step_);
    double allowed = std::sqrt(std::max(0.0, pace.squared_rate));
    if (final_way) {
        // The ramp back from braking takes way, which is kept for it; what has not come to land
        // creeps.
        const double ramped = -pace.acceleration * kRamp_s;
        allowed = std::max(std::sqrt(std::max(0.0, pace.squared_rate - ramped * ramped / 12.0)),
                           std::min(left / kArrival_s, 0.1 * ramped));
    }
    const bool nominal = allowed >= 0.999 * nominal_;

    // Where the ramp back has to begin, at the end of the path or of an urgent stop.
    if (brake) {
        const double ending = 2.0 / 3.0 * rate_ * rate_ / std::max(-acceleration_, 1e-9);
        if (acceleration_ * acceleration_ >= 2.0 * room.ramp * rate_ && ending < left &&
            land(ending, room)) {
            return nominal;
        }
    }
    if (final_way && land(left, room)) return nominal;

    // Up to the nominal rate, with nothing to slow down for in sight, there is no reason to dawdle.
    const double tracking_per_s = nominal && rate_ < allowed ? kStart_per_s : kTracking_per_s;
    // The curve falls with the step, so a clock well below it needs as much less of its slope.
    const double falling =
        std::min(0.0, pace.acceleration) * std::min(1.0, rate_ / std::max(allowed, kRest));
    double wanted = tracking_per_s * (allowed - rate_) + falling;
    if (brake) wanted = std::min(wanted, -std::sqrt(2.0 * room.ramp * rate_));
    const double ramp = room.ramp * kCycle_s;
    double release = ramp;
    // Braking harder than landing takes would end short of the end: less of it, and soon.
    const double landing = left > 0.0 ? -2.0 / 3.0 * rate_ * rate_ / left : 0.0;
    if (final_way && !brake && acceleration_ < landing) {
        wanted = std::max(wanted, landing);
        release = room.steeper * kCycle_s;
    }
    wanted = std::clamp(wanted, -room.down, room.up);
    const double ramped = acceleration_ + std::clamp(wanted - acceleration_, -ramp, release);
    // Where the path bends faster than the ramp, the joints' own jerk limit is the bound, not
    // beauty.
    const double inside = std::clamp(ramped, -room.down, room.up);
    double taken = acceleration_ + std::clamp(inside - acceleration_, -room.gentler * kCycle_s,
                                              room.steeper * kCycle_s);
    // Begun early enough, braking may build up slowly; harder only where that comes too late.
    const double gentle = stops ? ramp : ramp * kRamp_s / kCorner_s;
    if (overruns(taken, gentle, stops, profile, room)) {
        double braking = gentle;
        double early = std::max(acceleration_ - braking, -room.down);
        for (const double harder : {ramp, room.gentler * kCycle_s}) {
            if (!overruns(early, braking, stops, profile, room)) break;
            braking = harder;
            early = std::max(acceleration_ - braking, -room.down);
        }
        for (int i = 0; i < 4; ++i) {
            const double middle = 0.5 * (early + taken);
            (overruns(middle, braking, stops, profile, room) ? taken : early) = middle;
        }
        taken = std::min(taken, early);
    }
    acceleration_ = taken;

    const double before = rate_;
    rate_ = std::max(0.0, rate_ + acceleration_ * kCycle_s);
    step_ += 0.5 * (before + rate_) * kCycle_s;
    if (step_ >= path.end() - kRest) {
        rest_at(path.end());
    } else if (rate_ <= kRest * nominal_) {
        rest_at(step_);
    }
    return nominal;
}

}  // namespace rti
