// What the tests of the inverse kinematics share: the usual rules, measures of waypoints, and a
// motion of the joints whose poses can be followed.
#pragma once

#include <vector>

#include "kinematics/inverse.hpp"
#include "tests/urdf_fr3.hpp"

namespace rti::test {

inline constexpr double kStep_s = 1.0 / 30.0;

inline FollowRules rules(double step_s = kStep_s) {
    return {.range = target_range(MotionLimits::fr3()), .tool = hand_tool(), .step_s = step_s};
}

inline Transform tip_at(const JointArray& q) {
    return compose(flange_pose(q), hand_tool());
}

inline double largest(const JointArray& a, const JointArray& b) {
    double worst = 0.0;
    for (std::size_t j = 0; j < kDof; ++j) worst = std::max(worst, std::abs(a[j] - b[j]));
    return worst;
}

inline bool inside(const JointArray& q, const JointRange& range) {
    for (std::size_t j = 0; j < kDof; ++j) {
        if (!(q[j] >= range.low_rad[j] && q[j] <= range.high_rad[j])) return false;
    }
    return true;
}

// Of how much of what a joint can do in a step the step makes use, the worst joint.
inline double share_of_speed(const JointArray& from, const JointArray& to, const FollowRules& by) {
    double worst = 0.0;
    for (std::size_t j = 0; j < kDof; ++j) {
        worst = std::max(worst, std::abs(to[j] - from[j]) / (by.range.speed_rad_s[j] * by.step_s));
    }
    return worst;
}

// A smooth motion of all joints, somewhere in the middle of their range, at up to `speed` rad/s.
inline std::vector<JointArray> stroll(std::mt19937& random, int steps, double speed) {
    const JointArray middle = random_joints(random);
    JointArray frequency;
    JointArray phase;
    const JointRange range = target_range(MotionLimits::fr3());
    for (std::size_t j = 0; j < kDof; ++j) {
        frequency[j] = std::uniform_real_distribution<>(0.3, 1.0)(random);
        phase[j] = std::uniform_real_distribution<>(0.0, 2.0 * M_PI)(random);
    }
    std::vector<JointArray> out;
    for (int i = 0; i < steps; ++i) {
        JointArray q;
        for (std::size_t j = 0; j < kDof; ++j) {
            const double swing = speed / frequency[j];
            const double low = range.low_rad[j] + swing;
            const double high = range.high_rad[j] - swing;
            q[j] = std::clamp(middle[j], low, high) +
                   swing * std::sin(phase[j] + frequency[j] * i * kStep_s);
        }
        out.push_back(q);
    }
    return out;
}

}  // namespace rti::test
