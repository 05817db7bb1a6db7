#include "motion/detour.hpp"

#include <algorithm>
#include <cmath>

#include "motion/quintic.hpp"

namespace rti {
namespace {

constexpr double kAcceleration = 0.35;  // of the arm's
constexpr double kShortest_s = 0.10;
// For the acceleration. Its jerk is 9 times the acceleration over this: 2250 rad/s³ for all of it.
constexpr double kShedding_s = 0.04;

}  // namespace

Detour::Detour(const MotionLimits& limits) noexcept
    : acceleration_(kAcceleration * limits.ddq_max) {}

void Detour::begin(const PathPoint& arm, const PathPoint& reference) noexcept {
    JointArray value{};
    JointArray slope{};
    JointArray curvature{};  // in time: an acceleration
    double length_s = kShortest_s;
    for (std::size_t j = 0; j < kDof; ++j) {
        value[j] = arm.q[j] - reference.q[j];
        slope[j] = arm.d1[j] - reference.d1[j];
        curvature[j] = arm.d2[j] - reference.d2[j];
        length_s =
            std::max({length_s, std::sqrt(kPeakAcceleration * std::abs(value[j]) / acceleration_),
                      kPeakSheddingAcceleration * std::abs(slope[j]) / acceleration_});
    }
    way_.set(0.0, length_s, value, slope, {});
    shedding_.set(0.0, kShedding_s, {}, {}, curvature);
    at_s_ = 0.0;
}

}  // namespace rti
