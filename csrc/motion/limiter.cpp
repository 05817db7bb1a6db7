#include "motion/limiter.hpp"

#include <algorithm>
#include <cmath>

namespace rti {
namespace {

constexpr double kAccelerationShare = 0.98;
constexpr double kJerkShare = 0.98;
// Back to the wanted position: time constant, and the share of braking power it may count on.
constexpr double kReturn_s = 0.030;
constexpr double kReturnBraking = 0.5;
// After a detour a joint joins what is wanted only where doing so costs this share of a
// jerk-limited cycle: a jump onto a standing target would have to be undone in the next one.
constexpr double kJoinShare = 0.25;
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
    detoured_.fill(false);
}

bool Limiter::admissible(std::size_t j, double ddq) const noexcept {
    const double dq = dq_[j] + ddq * kCycle_s;
    const double q = q_[j] + dq * kCycle_s;
    // Speed still to come while the acceleration is taken back, then the way until braking is
    // complete.
    const double direction = dq != 0.0 ? dq : ddq;
    const double forward = std::copysign(1.0, direction);
    const double pushing = std::max(0.0, ddq * forward);
    const double peak = std::abs(dq) + 0.5 * pushing * (pushing / dddq_max_ + kCycle_s);
    const double ramp_s = (pushing + ddq_max_) / dddq_max_ + 2.0 * kCycle_s;
    const double allowed = envelope_.speed(j, q + forward * peak * ramp_s, forward);
    return peak <= allowed;
}

// Admissible accelerations are an interval; `wanted` outside of it meets its nearer end.
double Limiter::nearest_admissible(std::size_t j, double wanted) const noexcept {
    const double ramp = dddq_max_ * kCycle_s;
    const double low = std::max(-ddq_max_, ddq_[j] - ramp);
    const double high = std::min(ddq_max_, ddq_[j] + ramp);
    wanted = low > high ? std::clamp(0.0, ddq_[j] - ramp, ddq_[j] + ramp)
                        : std::clamp(wanted, low, high);
    if (admissible(j, wanted)) return wanted;
    // Braking is always the admissible side; if even the hardest is not, it is the best there is.
    double bad = wanted;
    double good = dq_[j] + wanted * kCycle_s > 0.0 ? low : high;
    if (!admissible(j, good)) return good;
    for (int i = 0; i < 24; ++i) {
        const double middle = 0.5 * (bad + good);
        (admissible(j, middle) ? good : bad) = middle;
    }
    return good;
}

// Acceleration that leads back to the wanted position and velocity, without overshoot.
double Limiter::towards(std::size_t j, double wanted_q, double wanted_dq) const noexcept {
    const double gap = wanted_q - q_[j];
    const double closing = std::min(std::abs(gap) / kReturn_s,
                                    std::sqrt(2.0 * kReturnBraking * ddq_max_ * std::abs(gap)));
    const double speed = wanted_dq + std::copysign(closing, gap);
    return (speed - dq_[j]) / (0.2 * kReturn_s);
}

bool Limiter::limit(const JointArray& wanted, JointArray& command) noexcept {
    bool changed = false;
    for (std::size_t j = 0; j < kDof; ++j) {
        const double dq = (wanted[j] - q_[j]) / kCycle_s;
        const double ddq = (dq - dq_[j]) / kCycle_s;
        const double dddq = (ddq - ddq_[j]) / kCycle_s;
        const double wanted_dq = (wanted[j] - wanted_[j]) / kCycle_s;
        const double join = kJoinShare * dddq_max_ * kCycle_s * kCycle_s;
        const bool joins = !detoured_[j] || std::abs(dq - wanted_dq) <= join;
        // Written so that a NaN fails it.
        const bool passes =
            joins && std::abs(dddq) <= dddq_max_ && std::abs(ddq) <= ddq_max_ && admissible(j, ddq);
        double taken = ddq;
        detoured_[j] = !passes;
        if (!passes) {
            changed = true;
            const double back = std::isfinite(wanted_dq)
                                    ? towards(j, wanted[j], std::clamp(wanted_dq, -10.0, 10.0))
                                    : -dq_[j] / kReturn_s;
            taken = nearest_admissible(j, back);
        }
        if (std::isfinite(wanted[j])) wanted_[j] = wanted[j];
        const double next_dq = passes ? dq : dq_[j] + taken * kCycle_s;
        const double next_q = passes ? wanted[j] : q_[j] + next_dq * kCycle_s;
        // Differences of what is really sent, so that our picture of them is FCI's.
        ddq_[j] = (next_dq - dq_[j]) / kCycle_s;
        dq_[j] = (next_q - q_[j]) / kCycle_s;
        q_[j] = next_q;
        command[j] = next_q;
    }
    return changed;
}

bool Limiter::at_rest() const noexcept {
    for (std::size_t j = 0; j < kDof; ++j) {
        if (std::abs(dq_[j]) > kAtRest || std::abs(ddq_[j]) > 1000.0 * kAtRest) return false;
    }
    return true;
}

}  // namespace rti
