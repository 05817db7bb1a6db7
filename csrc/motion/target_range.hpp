// Where a target may be: inside the planner's envelope, with room left to move towards its end.
//
// The splice clamps targets to this range; the inverse kinematics makes none outside of it.
#pragma once

#include "kinematics/inverse.hpp"
#include "motion/limits.hpp"

namespace rti {

// A target keeps room for this speed towards the end of the range: it can be approached, not crept
// up to.
inline constexpr double kTargetSpeed = 0.05;  // rad/s

inline JointRange target_range(const MotionLimits& limits) noexcept {
    const Envelope envelope(limits, kPlannerMargins);
    JointRange range;
    for (std::size_t j = 0; j < kDof; ++j) {
        range.low_rad[j] = envelope.lowest_target(j, kTargetSpeed);
        range.high_rad[j] = envelope.highest_target(j, kTargetSpeed);
        range.speed_rad_s[j] = kPlannerMargins.velocity * limits.dq_max[j];
    }
    return range;
}

}  // namespace rti
