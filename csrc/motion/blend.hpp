// Blending: what a new chunk's targets become where the path that is followed has an opinion too.
//
// Only joint targets are blended. Tool values (a gripper) are those of the newest chunk, always:
// half of "open" is nothing that a policy meant. Nor is there an orientation to average: poses have
// become joint angles before they came here.
//
// A rule decides how steps are shared between old and new; that position, velocity and acceleration
// do not jump is not its business but the bridge's (splice.hpp).
//
// Pure functions of plain values; the control loop's thread.
#pragma once

#include <cstdint>

#include "arms/arm.hpp"
#include "motion/chunk.hpp"
#include "motion/path.hpp"

namespace rti {

// The first four have LeRobot's names and weights (async_inference/configs.py); their weight is the
// old path's share at the splice and fades over the overlap. A constant share, as LeRobot has it,
// would end in a jump of that share of the disagreement where the old path ends.
enum class Aggregate : std::uint32_t {
    kWeightedAverage = 0,  // 0.3 old + 0.7 new
    kLatestOnly = 1,       // new
    kAverage = 2,          // 0.5 old + 0.5 new
    kConservative = 3,     // 0.7 old + 0.3 new
    kCrossfade = 4,        // all old at the splice, all new `crossfade_steps` later
    kOffsetDecay = 5,      // the new chunk's shape; its distance from the old path decays
};
inline constexpr int kAggregates = 6;

struct Blend {
    Aggregate rule = Aggregate::kWeightedAverage;
    double crossfade_steps = 10.0;    // above 0; cut to the overlap
    double offset_decay_steps = 9.0;  // above 0; the time constant
};

// The old path's share of the target at `step`, for a splice at `from_step` with an old path whose
// last target is at `old_last`: 0 where that has no opinion, and for kOffsetDecay everywhere.
[[nodiscard]] double old_share(const Blend& blend, double step, double from_step,
                               double old_last) noexcept;

// What is left at `step` of the offset between old path and new chunk at the splice, of 1 there. It
// is an exponential less what would remain of it at `last_step`, the chunk's last action, and so 0
// at that: the arm comes to rest where the policy said, and a chunk that is short in comparison
// with the time constant is followed all the same.
[[nodiscard]] double offset_left(const Blend& blend, double step, double from_step,
                                 double last_step) noexcept;

// Turns `targets`, the actions of `chunk`, into their blend with `old` for a splice at `from_step`.
void blend_targets(const Blend& blend, const Chunk& chunk, const Path& old, double from_step,
                   JointArray* targets) noexcept;

}  // namespace rti
