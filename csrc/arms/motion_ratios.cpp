#include "arms/motion_ratios.hpp"

#include <cmath>
#include <cstddef>

#include "arms/fci_limits.hpp"

namespace rti::fci {
namespace {

double velocity_ratio(const JointLimits& joint, double q_rad, double dq_rad_s) noexcept {
    if (dq_rad_s == 0.0) return 0.0;
    const double limit =
        dq_rad_s > 0.0 ? velocity_ceiling_rad_s(joint, q_rad) : -velocity_floor_rad_s(joint, q_rad);
    const double speed = std::abs(dq_rad_s);
    return limit > 0.0 ? speed / limit : 1.0 + speed / kVelocityMargin_rad_s;
}

void raise(Peak& peak, double ratio, std::size_t joint, std::uint64_t cycle) noexcept {
    if (ratio > peak.ratio) peak = {ratio, static_cast<int>(joint), cycle};
}

}  // namespace

Rates backward_euler(const Reference& from, const JointArray& q) noexcept {
    Rates rates;
    for (std::size_t j = 0; j < kDof; ++j) {
        rates.dq[j] = (q[j] - from.q[j]) / kCycle_s;
        rates.ddq[j] = (rates.dq[j] - from.dq[j]) / kCycle_s;
        rates.dddq[j] = (rates.ddq[j] - from.ddq[j]) / kCycle_s;
    }
    return rates;
}

void MotionRatios::observe(const JointArray& q_from, const Rates& rates,
                           std::uint64_t cycle) noexcept {
    double squares = 0.0;
    for (std::size_t j = 0; j < kDof; ++j) {
        raise(velocity_, velocity_ratio(kJointLimits[j], q_from[j], rates.dq[j]), j, cycle);
        raise(acceleration_, std::abs(rates.ddq[j]) / kAccelerationMax_rad_s2, j, cycle);
        raise(jerk_, std::abs(rates.dddq[j]) / kJerkMax_rad_s3, j, cycle);
        squares += rates.dddq[j] * rates.dddq[j];
    }
    jerk_squared_sum_ += squares / kDof;
}

}  // namespace rti::fci
