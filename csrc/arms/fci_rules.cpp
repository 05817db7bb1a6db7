#include "arms/fci_rules.hpp"

#include <algorithm>
#include <cmath>

namespace rti::fci {
namespace {

bool all_finite(const JointArray& values) noexcept {
    return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

bool any_above(const JointArray& values, double limit) noexcept {
    return std::any_of(values.begin(), values.end(),
                       [limit](double v) { return std::abs(v) > limit; });
}

bool outside_range(const JointArray& q) noexcept {
    for (std::size_t j = 0; j < kDof; ++j) {
        if (q[j] < kJointLimits[j].q_min_rad || q[j] > kJointLimits[j].q_max_rad) return true;
    }
    return false;
}

bool outside_envelope(const JointArray& q_from, const JointArray& dq) noexcept {
    for (std::size_t j = 0; j < kDof; ++j) {
        if (dq[j] > velocity_ceiling_rad_s(kJointLimits[j], q_from[j])) return true;
        if (dq[j] < velocity_floor_rad_s(kJointLimits[j], q_from[j])) return true;
    }
    return false;
}

bool further_apart_than(const JointArray& a, const JointArray& b, double limit_rad) noexcept {
    for (std::size_t j = 0; j < kDof; ++j) {
        if (std::abs(a[j] - b[j]) > limit_rad) return true;
    }
    return false;
}

}  // namespace

void FciRules::start(const JointArray& q) noexcept {
    FciRules fresh;
    fresh.reference_.q = q;
    fresh.ratios_ = ratios_;
    fresh.cycles_ = cycles_;
    *this = fresh;
}

Reflex FciRules::accept(const JointArray& q, bool motion_finished) noexcept {
    if (reflex_ != Reflex::kNone || finished_) return reflex_;
    ++cycles_;
    if (!all_finite(q)) return reflex_ = Reflex::kNotANumber;

    const Rates rates = backward_euler(reference_, q);
    ratios_.observe(reference_.q, rates, cycles_);
    reflex_ = judge(q, rates);
    if (reflex_ != Reflex::kNone) return reflex_;

    armed_ = true;
    account(true);
    reference_ = {q, rates.dq, rates.ddq};
    if (!motion_finished) return Reflex::kNone;
    if (any_above(rates.dq, kRestVelocity_rad_s) ||
        any_above(rates.ddq, kRestAcceleration_rad_s2)) {
        return reflex_ = Reflex::kMotionFinishedWhileMoving;
    }
    finished_ = true;
    return Reflex::kNone;
}

Reflex FciRules::lost() noexcept {
    if (reflex_ != Reflex::kNone || finished_) return reflex_;
    ++cycles_;
    if (!armed_) return Reflex::kNone;
    account(false);
    if (lost_in_a_row_ == kLostCyclesMax) return reflex_ = Reflex::kCommunicationConstraints;

    Reference next = reference_;
    for (std::size_t j = 0; j < kDof; ++j) {
        next.dq[j] += reference_.ddq[j] * kCycle_s;
        next.q[j] += next.dq[j] * kCycle_s;
    }
    // Only the envelope needs a look: the acceleration is the last command's, the jerk is zero, and
    // the envelope shuts before the range ends.
    if (outside_envelope(reference_.q, next.dq)) return reflex_ = Reflex::kJointVelocityLimits;
    reference_ = next;
    return Reflex::kNone;
}

void FciRules::stop(Reflex reason) noexcept {
    if (reflex_ == Reflex::kNone) reflex_ = reason;
}

double FciRules::success_rate() const noexcept {
    if (accounted_ == 0) return 1.0;
    const auto window = std::min<std::uint64_t>(accounted_, kSuccessWindow);
    return static_cast<double>(arrived_.count()) / static_cast<double>(window);
}

Reflex FciRules::judge(const JointArray& q, const Rates& rates) const noexcept {
    if (outside_range(q)) return Reflex::kJointPositionLimits;
    if (!armed_ && further_apart_than(q, reference_.q, kStartTolerance_rad)) {
        return Reflex::kStartPoseInvalid;
    }
    if (any_above(rates.ddq, kAccelerationMax_rad_s2)) return Reflex::kJointVelocityDiscontinuity;
    if (outside_envelope(reference_.q, rates.dq)) return Reflex::kJointVelocityLimits;
    if (any_above(rates.dddq, kJerkMax_rad_s3)) return Reflex::kJointAccelerationDiscontinuity;
    return Reflex::kNone;
}

void FciRules::account(bool arrived) noexcept {
    arrived_[static_cast<std::size_t>(accounted_ % kSuccessWindow)] = arrived;
    ++accounted_;
    lost_in_a_row_ = arrived ? 0 : lost_in_a_row_ + 1;
}

}  // namespace rti::fci
