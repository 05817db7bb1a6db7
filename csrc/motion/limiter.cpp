#include "motion/limiter.hpp"

#include <algorithm>
#include <cmath>

namespace rti {
namespace {

constexpr double kAccelerationShare = 0.98;
constexpr double kJerkShare = 0.98;
// Back to what is wanted: time constants of the gap and of the speed at which it closes, and the
// share of braking power that may be counted on.
constexpr double kReturn_s = 0.020;
constexpr double kReturnSpeed_s = 0.005;
constexpr double kReturnBraking = 0.5;
// The least power to close a gap with, where what is wanted uses all of it. [rad/s²]
constexpr double kLeastBraking = 0.5;
// After a detour a joint joins what is wanted only where closing the gap at once, and undoing that
// in the next two cycles, costs no more than this share of the jerk limit beside what the wanted
// motion itself asks for.
constexpr double kJoinShare = 0.5;
// No speed that is wanted is taken for faster than that.
constexpr double kFastest = 10.0;  // rad/s
// The longest that one command can be in force, and how many it takes from the hardest acceleration
// to the hardest braking.
constexpr double kHold_s = kLongestHold_cycles * kCycle_s;
constexpr int kHolds = 5;
// Positions are sent in steps of 4e-16 rad: what that is in a velocity, 20 cycles on, with room.
constexpr double kRounding = 1e-11;  // rad/s
// Of a speed away from the end of the range, what is taken off over a hold: none of it may be left
// over as a speed towards it.
constexpr double kGentleShare = 0.9;
// A command nearer than this to what was wanted is that, rounded.
constexpr double kSame_rad = 1e-12;
constexpr double kAtRest = 1e-9;  // rad/s and, times 1000, rad/s²

}  // namespace

Limiter::Limiter(const MotionLimits& limits) noexcept
    : envelope_(limits, kLimiterMargins),
      ddq_max_(kAccelerationShare * limits.ddq_max),
      dddq_max_(kJerkShare * limits.dddq_max) {}

void Limiter::seed(const JointArray& q, const JointArray& dq, const JointArray& ddq) noexcept {
    q_ = q;
    dq_ = dq;
    ddq_ = ddq;
    wanted_ = q;
    wanted_dq_ = dq;
    gaps_ = {};
    detoured_.fill(false);
}

// Whether joint j, if it is given acceleration `ddq` now, can be stopped towards the end of its
// range that `side` points to, however many packets get lost from here on.
//
// The slowest that our braking can be: each command, this one first, is held for as long as FCI
// goes on without us, and each next one takes away as much acceleration as the jerk limit lets it.
// Whatever is really lost, the joint is at no time faster or further along than that; so if that
// keeps the envelope, the next command, harder braking at the least, is admissible again. Once the
// joint brakes as hard as the envelope falls, it stays below it.
bool Limiter::stoppable(std::size_t j, double ddq, double side) const noexcept {
    double speed = side * dq_[j];
    double push = side * ddq;
    // An arm that stands may stand anywhere; one that leaves may go on, if no rounding turns it.
    if (push <= 0.0 && (speed == 0.0 || speed <= -kRounding)) return true;
    // Most joints, most of the time, are far from it: all at once, and a little too much.
    const double fastest = speed + 2.0 * kHold_s * std::max(push, 0.0) + kRounding;
    if (fastest <= 0.0) return true;
    if (fastest <= envelope_.speed(j, q_[j] + side * fastest * kHolds * kHold_s, side)) return true;

    const auto inside = [&](double way) noexcept {  // written so that a NaN fails it
        return speed + kRounding <= envelope_.speed(j, q_[j] + side * way, side);
    };
    speed += kCycle_s * push;
    double way = kCycle_s * speed;
    if (!inside(way)) return false;
    double left_s = kHold_s - kCycle_s;  // of this hold
    for (int hold = 0; hold < kHolds; ++hold) {
        way += left_s * (speed + 0.5 * push * (left_s + kCycle_s));
        speed += left_s * push;
        if (!inside(way)) return false;
        if (push <= -envelope_.decel(j) || (speed <= 0.0 && push <= 0.0)) return true;
        push = std::max(push - dddq_max_ * kCycle_s, -ddq_max_);
        left_s = kHold_s;
    }
    return true;
}

bool Limiter::admissible(std::size_t j, double ddq) const noexcept {
    return stoppable(j, ddq, 1.0) && stoppable(j, ddq, -1.0);
}

// The acceleration nearest to `bad` that keeps joint j stoppable towards `side`; `hardest` is as
// much braking as there is, and if even that is not enough, it is the best there is.
double Limiter::nearest_stoppable(std::size_t j, double bad, double hardest,
                                  double side) const noexcept {
    if (stoppable(j, bad, side)) return bad;
    if (!stoppable(j, hardest, side)) return hardest;
    double good = hardest;
    // Where the envelope is shut only next to nothing is left, and bisection would miss it: a joint
    // that leaves may slow down, but never to a stop; one that stands may stand.
    const double slower = -(kGentleShare * dq_[j] + side * 2.0 * kRounding) / kHold_s;
    const double gentle = dq_[j] == 0.0 ? 0.0 : slower;
    const bool between = (gentle - good) * (bad - gentle) > 0.0;
    if (between && stoppable(j, gentle, side)) good = gentle;
    for (int i = 0; i < 24; ++i) {
        const double middle = 0.5 * (bad + good);
        (stoppable(j, middle, side) ? good : bad) = middle;
    }
    return good;
}

// Those stoppable towards one end are an interval; so are those inside the limits.
double Limiter::nearest_admissible(std::size_t j, double wanted) const noexcept {
    const double ramp = dddq_max_ * kCycle_s;
    const double low = std::max(-ddq_max_, ddq_[j] - ramp);
    const double high = std::min(ddq_max_, ddq_[j] + ramp);
    if (low > high) return std::clamp(0.0, ddq_[j] - ramp, ddq_[j] + ramp);
    wanted = std::clamp(wanted, low, high);
    const double below = nearest_stoppable(j, wanted, low, 1.0);
    return nearest_stoppable(j, below, high, -1.0);
}

// Acceleration that leads back to the wanted motion, and along with it: the gap closes as if what
// is wanted stood still, and `ahead`, its acceleration, comes on top. Near it the gap decays,
// farther away it is closed at constant braking; the two meet with equal slope. Braking relative to
// a motion that itself brakes has less power left, and one that speeds up leaves more.
double Limiter::towards(std::size_t j, double ahead) const noexcept {
    const double gap = wanted_[j] - q_[j];
    const double relative = dq_[j] - wanted_dq_[j];
    const double left = std::min(ddq_max_, ddq_max_ + std::copysign(1.0, gap) * ahead);
    const double braking = std::max(kReturnBraking * left, kLeastBraking);
    const double near = braking * kReturn_s * kReturn_s;
    const double away = std::abs(gap);
    const double closing =
        away < near ? away / kReturn_s : std::sqrt(2.0 * braking * (away - 0.5 * near));
    const double slope = away < near ? 1.0 / kReturn_s : braking / closing;  // d closing / d gap
    return ahead - slope * relative + (std::copysign(closing, gap) - relative) / kReturnSpeed_s;
}

// What joining now would add to the wanted motion's own jerk: the gaps of the last three cycles,
// gone at once, as third differences of this cycle and the next two. [rad/s³]
double Limiter::jerk_of_joining(std::size_t j) const noexcept {
    const auto& [last, before, first] = gaps_[j];
    const double now = std::abs(3.0 * (before - last) - first);
    const double next = std::abs(3.0 * last - before);
    return std::max({now, next, std::abs(last)}) / (kCycle_s * kCycle_s * kCycle_s);
}

bool Limiter::limit(const JointArray& wanted, JointArray& command) noexcept {
    bool changed = false;
    for (std::size_t j = 0; j < kDof; ++j) {
        const double dq = (wanted[j] - q_[j]) / kCycle_s;
        const double ddq = (dq - dq_[j]) / kCycle_s;
        const double dddq = (ddq - ddq_[j]) / kCycle_s;
        const double wanted_dq = (wanted[j] - wanted_[j]) / kCycle_s;
        const bool finite = std::isfinite(wanted_dq);
        // A place that jumps has no such speed: what an arm could follow of it.
        const double most = ddq_max_ * kCycle_s;
        const double speed = finite ? std::clamp(wanted_dq, -kFastest, kFastest) : 0.0;
        const double change = std::clamp(speed - wanted_dq_[j], -most, most);
        const bool joins = !detoured_[j] || jerk_of_joining(j) <= kJoinShare * dddq_max_;
        // Written so that a NaN fails it.
        const bool passes =
            joins && std::abs(dddq) <= dddq_max_ && std::abs(ddq) <= ddq_max_ && admissible(j, ddq);
        double taken = ddq;
        detoured_[j] = !passes;
        if (!passes) {
            const double back = finite ? towards(j, change / kCycle_s) : -dq_[j] / kReturn_s;
            taken = nearest_admissible(j, back);
        }
        wanted_dq_[j] += change;
        if (finite) wanted_[j] = wanted[j];
        const double next_dq = passes ? dq : dq_[j] + taken * kCycle_s;
        const double next_q = passes ? wanted[j] : q_[j] + next_dq * kCycle_s;
        // Differences of what is really sent, so that our picture of them is FCI's.
        const double sent_dq = (next_q - q_[j]) / kCycle_s;
        ddq_[j] = (sent_dq - dq_[j]) / kCycle_s;
        dq_[j] = sent_dq;
        q_[j] = next_q;
        gaps_[j] = {wanted_[j] - next_q, gaps_[j][0], gaps_[j][1]};
        command[j] = next_q;
        changed = changed || !(std::abs(next_q - wanted[j]) <= kSame_rad);
    }
    return changed;
}

void Limiter::settle() noexcept {
    wanted_ = q_;
    wanted_dq_ = {};
    gaps_ = {};
    detoured_.fill(false);
}

bool Limiter::at_rest() const noexcept {
    for (std::size_t j = 0; j < kDof; ++j) {
        if (std::abs(dq_[j]) > kAtRest || std::abs(ddq_[j]) > 1000.0 * kAtRest) return false;
    }
    return true;
}

}  // namespace rti
