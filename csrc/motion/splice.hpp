// Splicing: how a new chunk becomes the path, from wherever the reference is now.
//
// The new chunk's targets are blended with the old path (blend.hpp), freed of noise (smooth.hpp),
// clamped inside the range the planner can stop in, and laid as a curve; a bridge then takes up the
// difference in value, slope and curvature at the splice, so the reference stays C². Whether the
// arm can follow (and stop) is the speed profile's verdict; the stepper tries longer bridges, then
// waits while the clock slows.
#pragma once

#include "motion/blend.hpp"
#include "motion/chunk.hpp"
#include "motion/path.hpp"
#include "motion/smooth.hpp"
#include "motion/speed_profile.hpp"

namespace rti {

// Where the reference is on the old path at the moment of the splice.
struct SplicePoint {
    double step = 0.0;
    double rate = 0.0;          // of the policy clock [steps/s]; at 0 slope and curvature are free
    double nominal_rate = 0.0;  // steps/s
    PathPoint reference{};
};

// Lays `chunk` into `path` without a bridge. `old` is the path to blend with from `from_step` on,
// or null: where the arm rests, nothing has another opinion, and how far the first target is from
// the arm is the policy's wish, not a disagreement. Returns how many target values had to be
// clamped.
std::uint32_t lay(const Chunk& chunk, const Path* old, const Blend& blend,
                  const Smoothing& smoothing, double from_step, const PlannerLimits& limits,
                  Path& path) noexcept;

// Sets the bridge from `from` onto `path`, `stretch` times as long as the least that its own motion
// would need at nominal rate, but no longer than the path is or than leads astray; where the
// waypoints are too few for it, the last one is held. Returns false when it cannot be longer.
bool bridge(const SplicePoint& from, double stretch, const MotionLimits& arm,
            const Envelope& envelope, Path& path) noexcept;

// Whether a clock at `from`, about to look `ahead`, can enter the profile of the new path.
bool can_enter(const SplicePoint& from, double ahead, const SpeedProfile& profile) noexcept;

}  // namespace rti
