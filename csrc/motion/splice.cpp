#include "motion/splice.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "motion/quintic.hpp"
#include "motion/target_range.hpp"

namespace rti {
namespace {

// What a bridge alone may take of the arm's acceleration and velocity at nominal rate.
constexpr double kBridgeAcceleration = 0.30;
constexpr double kBridgeVelocity = 0.30;
// Small corrections, as every chunk brings, are spread over this long; only large ones cost
// acceleration.
constexpr double kShortestBridge_s = 0.25;
constexpr double kShortestBridge_steps = 2.0;
// A bridge that starts with a slope or a curvature leads away before it leads back, the further the
// longer it is. Beyond this the splice waits instead, until the clock is slow enough for a short
// one.
constexpr double kBridgeExcursion_rad = 0.1;
// A profile that lies this share of the clock's own rate below it is tracked away within the
// limits' reserve: what the joints do goes with the rate's square, whatever the nominal rate is.
constexpr double kEntryTolerance = 0.02;

// The longest bridge that leads no joint further away than kBridgeExcursion_rad [steps].
double longest_bridge(const JointArray& slope, const JointArray& curvature) noexcept {
    double longest = std::numeric_limits<double>::infinity();
    for (std::size_t j = 0; j < kDof; ++j) {
        // The root of curved · length² + leaning · length = kBridgeExcursion_rad.
        const double leaning = kSlopeExcursion * std::abs(slope[j]);
        const double curved = kCurvatureExcursion * std::abs(curvature[j]);
        const double root = std::sqrt(leaning * leaning + 4.0 * curved * kBridgeExcursion_rad);
        longest = std::min(longest, 2.0 * kBridgeExcursion_rad / (leaning + root));
    }
    return longest;
}

}  // namespace

std::uint32_t lay(const Chunk& chunk, const Path* old, const Blend& blend,
                  const Smoothing& smoothing, double from_step, const PlannerLimits& limits,
                  Path& path) noexcept {
    // 28 KB: the loop's stack is prefaulted, and a chunk is laid at most once a cycle.
    std::array<JointArray, RTI_MAX_CHUNK> targets;
    std::copy_n(chunk.targets.begin(), chunk.count, targets.begin());
    if (old != nullptr) blend_targets(blend, chunk, *old, from_step, targets.data());
    smooth(smoothing, targets.data(), chunk.count);
    std::uint32_t clamped = 0;
    for (std::size_t i = 0; i < chunk.count; ++i) {
        for (std::size_t j = 0; j < kDof; ++j) {
            const double inside =
                std::clamp(targets[i][j], limits.envelope.lowest_target(j, kTargetSpeed),
                           limits.envelope.highest_target(j, kTargetSpeed));
            clamped += inside != targets[i][j] ? 1U : 0U;
            targets[i][j] = inside;
        }
    }
    path.set_waypoints(chunk.origin_step, targets.data(), chunk.count);
    return clamped;
}

namespace {

// What a bridge has to take up, and for how long it must, and may, last [steps].
struct Gap {
    JointArray value{};
    JointArray slope{};
    JointArray curvature{};
    double needed = 0.0;
    double longest = 0.0;
};

Gap gap_to(const Path& path, const SplicePoint& from, const MotionLimits& arm,
           const Envelope& envelope) noexcept {
    const PathPoint target = path.curve(from.step);
    const bool moving = from.rate > 0.0;
    Gap gap;
    double needed_s = std::max(kShortestBridge_s, kShortestBridge_steps / from.nominal_rate);
    for (std::size_t j = 0; j < kDof; ++j) {
        gap.value[j] = from.reference.q[j] - target.q[j];
        if (moving) {
            gap.slope[j] = from.reference.d1[j] - target.d1[j];
            gap.curvature[j] = from.reference.d2[j] - target.d2[j];
        } else if (envelope.speed(j, from.reference.q[j], target.d1[j]) <= 0.0) {
            // Where the envelope is shut, a slope that leads further out, however slight, would
            // keep the clock from ever starting: leave level, towards the targets.
            gap.slope[j] = -target.d1[j];
            gap.curvature[j] = -target.d2[j];
        }
        const double acceleration = kBridgeAcceleration * arm.ddq_max;
        const double wide = std::abs(gap.value[j]);
        const double speed = std::abs(gap.slope[j]) * from.rate;
        needed_s = std::max({needed_s, std::sqrt(kPeakAcceleration * wide / acceleration),
                             kPeakVelocity * wide / (kBridgeVelocity * arm.dq_max[j]),
                             kPeakSheddingAcceleration * speed / acceleration});
    }
    gap.needed = needed_s * from.nominal_rate;
    const double room = path.held_until() - from.step;
    gap.longest =
        std::min(std::max(longest_bridge(gap.slope, gap.curvature), kShortestBridge_steps), room);
    return gap;
}

}  // namespace

bool bridge(const SplicePoint& from, double stretch, const MotionLimits& arm,
            const Envelope& envelope, Path& path) noexcept {
    Gap gap = gap_to(path, from, arm, envelope);
    if (from.step + std::min(gap.needed * stretch, gap.longest) > path.end()) {
        path.hold_last();
        gap = gap_to(path, from, arm, envelope);
    }
    const double length = std::min(gap.needed * stretch, gap.longest);
    path.bridge().set(from.step, length, gap.value, gap.slope, gap.curvature);
    return length < gap.longest;
}

bool can_enter(const SplicePoint& from, double ahead, const SpeedProfile& profile) noexcept {
    if (from.rate == 0.0) return true;
    const double tolerated = from.rate * (1.0 - kEntryTolerance);
    return profile.lowest_squared_rate(from.step, ahead) >= tolerated * tolerated;
}

}  // namespace rti
