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

// Where the motion may pass: the envelope leaves half of what it leaves a target. Nearer to the end
// a path could bring the clock to rest, and be as slow as not to move.
struct Range {
    JointArray low_rad{};
    JointArray high_rad{};
};

Range passable(const Envelope& envelope) noexcept {
    Range range;
    for (std::size_t j = 0; j < kDof; ++j) {
        range.low_rad[j] = envelope.lowest_target(j, 0.5 * kTargetSpeed);
        range.high_rad[j] = envelope.highest_target(j, 0.5 * kTargetSpeed);
    }
    return range;
}

// Points of a bridge at which it is seen where it leads: 2 % of the gap between two of them hides
// less than what is left between the range below and where the envelope is shut.
constexpr int kLooks = 16;

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
    const Range range = passable(limits.envelope);
    path.keep_within(range.low_rad, range.high_rad);
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

Gap gap_to(const Path& path, const SplicePoint& from, const MotionLimits& arm) noexcept {
    const PathPoint target = path.curve(from.step);
    const bool moving = from.rate > 0.0;
    Gap gap;
    double needed_s = std::max(kShortestBridge_s, kShortestBridge_steps / from.nominal_rate);
    for (std::size_t j = 0; j < kDof; ++j) {
        gap.value[j] = from.reference.q[j] - target.q[j];
        if (moving) {
            gap.slope[j] = from.reference.d1[j] - target.d1[j];
            gap.curvature[j] = from.reference.d2[j] - target.d2[j];
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

// Whether the arm stands outside of where it may pass, or a bridge from there leads outside.
bool strays(const Path& path, std::size_t j, double from, double length,
            const Range& range) noexcept {
    for (int look = 0; look <= kLooks; ++look) {
        const double q = path.at(from + length * look / kLooks).q[j];
        if (q < range.low_rad[j] || q > range.high_rad[j]) return true;
    }
    return false;
}

// From rest, such a joint goes straight to where the chunk has it at the bridge's end: from there
// to there a quintic never turns back, so that there is a way out of wherever the arm stands.
void straighten(Path& path, const SplicePoint& from, double length, const Envelope& envelope,
                Gap& gap) noexcept {
    const Range range = passable(envelope);
    for (std::size_t j = 0; j < kDof; ++j) {
        if (!strays(path, j, from.step, length, range)) continue;
        path.level(j, from.step + length);
        gap.value[j] = from.reference.q[j] - path.curve(from.step).q[j];
        path.bridge().set(from.step, length, gap.value, gap.slope, gap.curvature);
    }
}

}  // namespace

bool bridge(const SplicePoint& from, double stretch, const MotionLimits& arm,
            const Envelope& envelope, Path& path) noexcept {
    Gap gap = gap_to(path, from, arm);
    if (from.step + std::min(gap.needed * stretch, gap.longest) > path.end()) {
        path.hold_last();
        gap = gap_to(path, from, arm);
    }
    const double length = std::min(gap.needed * stretch, gap.longest);
    path.bridge().set(from.step, length, gap.value, gap.slope, gap.curvature);
    if (from.rate == 0.0) straighten(path, from, length, envelope, gap);
    return length < gap.longest;
}

bool can_enter(const SplicePoint& from, double ahead, const SpeedProfile& profile) noexcept {
    if (from.rate == 0.0) return true;
    const double tolerated = from.rate * (1.0 - kEntryTolerance);
    return profile.lowest_squared_rate(from.step, ahead) >= tolerated * tolerated;
}

}  // namespace rti
