#include "motion/blend.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace rti {
namespace {

// So far behind a splice a target has a say in the curve ahead of it, a fiftieth of its own.
constexpr double kShaping_steps = 3.0;

// 1 at `from`, 0 at `to`, level at both ends.
double fade(double step, double from, double to) noexcept {
    if (to <= from) return 0.0;
    const double x = std::clamp((to - step) / (to - from), 0.0, 1.0);
    return x * x * (3.0 - 2.0 * x);
}

}  // namespace

double old_share(const Blend& blend, double step, double from_step, double old_last) noexcept {
    if (step >= old_last) return 0.0;
    switch (blend.rule) {
        case Aggregate::kWeightedAverage:
            return 0.3 * fade(step, from_step, old_last);
        case Aggregate::kAverage:
            return 0.5 * fade(step, from_step, old_last);
        case Aggregate::kConservative:
            return 0.7 * fade(step, from_step, old_last);
        case Aggregate::kCrossfade:
            return fade(step, from_step, std::min(from_step + blend.crossfade_steps, old_last));
        case Aggregate::kLatestOnly:
        case Aggregate::kOffsetDecay:
            return 0.0;
    }
    return 0.0;
}

double offset_left(const Blend& blend, double step, double from_step, double last_step) noexcept {
    const double at_last = std::exp(-(last_step - from_step) / blend.offset_decay_steps);
    // Targets behind the splice only shape the curve; the nearest ones as smoothly as those ahead.
    const double passed = std::max(-kShaping_steps, step - from_step);
    const double here = std::exp(-passed / blend.offset_decay_steps);
    // No less than 1: the splice is on the last action, which is where the arm is to rest.
    return at_last < 1.0 ? (here - at_last) / (1.0 - at_last) : 0.0;
}

void blend_targets(const Blend& blend, const Chunk& chunk, const Path& old, double from_step,
                   JointArray* targets) noexcept {
    if (blend.rule == Aggregate::kOffsetDecay) {
        const JointArray from = old.at(from_step).q;
        const JointArray to = chunk.between(from_step);
        for (std::size_t i = 0; i < chunk.count; ++i) {
            const double step = chunk.origin_step + static_cast<double>(i);
            const double left = offset_left(blend, step, from_step, chunk.last_step());
            for (std::size_t j = 0; j < kDof; ++j) targets[i][j] += left * (from[j] - to[j]);
        }
        return;
    }
    for (std::size_t i = 0; i < chunk.count; ++i) {
        const double step = chunk.origin_step + static_cast<double>(i);
        const double share = old_share(blend, step, from_step, old.last_waypoint());
        if (share == 0.0) continue;
        const PathPoint before = old.at(step);
        for (std::size_t j = 0; j < kDof; ++j) {
            targets[i][j] += share * (before.q[j] - targets[i][j]);
        }
    }
}

}  // namespace rti
