// The FR3's limits as FCI enforces them on a joint position motion.
//
// Source: the FR3's URDF (libfranka, test/fr3.urdf, robot system 5.9.0 and later), the documented
// rates of rate_limiting.h, and the velocity envelope of joint_velocity_limits.cpp. libfranka's own
// rate limiter aims at each rate less 1e-3; the arm's threshold is the nominal value, and that is
// what stands here. Only the velocity envelope carries the 1e-3 on the arm's side too.
//
// This table belongs to the arm that judges. What plans and limits motion keeps its own, so that a
// wrong number there is found here instead of being agreed upon.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "arms/arm.hpp"

namespace rti::fci {

struct JointLimits {
    double q_min_rad;
    double q_max_rad;
    double dq_max_rad_s;
    double envelope_offset_rad_s;         // how much earlier than the braking parabola it closes
    double envelope_deceleration_rad_s2;  // of that parabola
};

inline constexpr std::array<JointLimits, kDof> kJointLimits = {{
    {-2.7501, 2.7501, 2.62, 0.30, 6.0},
    {-1.7918, 1.7918, 2.62, 0.20, 2.585},
    {-2.9065, 2.9065, 2.62, 0.20, 3.50},
    {-3.0481, -0.1458, 2.62, 0.30, 4.00},
    {-2.8101, 2.8101, 5.26, 0.35, 17.0},
    {0.54092, 4.5205, 4.18, 0.35, 5.5},
    {-3.0196, 3.0196, 5.26, 0.35, 17.0},
}};

inline constexpr double kAccelerationMax_rad_s2 = 10.0;  // above: velocity_discontinuity
inline constexpr double kJerkMax_rad_s3 = 5000.0;        // above: acceleration_discontinuity
inline constexpr double kVelocityMargin_rad_s = 1e-3;    // libfranka's kLimitEps
inline constexpr double kStartTolerance_rad = 0.1;  // first command to q_d, as franka_sim has it

inline constexpr int kLostCyclesMax = 20;   // this many in a row stop the motion
inline constexpr int kSuccessWindow = 100;  // control_command_success_rate looks back this far

// What counts as rest for motion_finished. FCI does not publish its thresholds; these are far below
// any motion one can see and far above rounding (1 ulp of 3 rad is 4e-13 rad/s in 1 ms).
inline constexpr double kRestVelocity_rad_s = 1e-3;
inline constexpr double kRestAcceleration_rad_s2 = 0.1;

// Fastest velocity towards the upper limit at position q_rad [rad/s]; never negative: within a few
// milliradians of the limit the formula alone would forbid even standing still.
inline double velocity_ceiling_rad_s(const JointLimits& joint, double q_rad) noexcept {
    const double left_rad = std::max(0.0, joint.q_max_rad - q_rad);
    const double braking = std::sqrt(2.0 * joint.envelope_deceleration_rad_s2 * left_rad);
    const double ceiling =
        std::min(joint.dq_max_rad_s, std::max(0.0, braking - joint.envelope_offset_rad_s));
    return std::max(0.0, ceiling - kVelocityMargin_rad_s);
}

// Its mirror: fastest velocity towards the lower limit, zero or negative [rad/s].
inline double velocity_floor_rad_s(const JointLimits& joint, double q_rad) noexcept {
    const double left_rad = std::max(0.0, q_rad - joint.q_min_rad);
    const double braking = std::sqrt(2.0 * joint.envelope_deceleration_rad_s2 * left_rad);
    const double floor =
        std::max(-joint.dq_max_rad_s, std::min(0.0, joint.envelope_offset_rad_s - braking));
    return std::min(0.0, floor + kVelocityMargin_rad_s);
}

}  // namespace rti::fci
