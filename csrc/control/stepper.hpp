// The stepper: everything between a state of the arm and its next command, as a pure function.
//
// Protocol, once a cycle, by the control loop's thread (or by a test, in virtual time):
//   step(state, request)    before the write: admit what was offered last, advance the clock, limit
//   offer(record)           each record drained from the ring, in ring order
//   plan()                  after the write: splice the newest admitted chunk into the path
// It reads no clock (time is state.time_ns), does no I/O, allocates nothing after construction, throws
// nothing, and holds no pointer to the outside: equal inputs give equal commands, bit for bit.
//
// Invariants: after an epoch rises nothing moves until a chunk of that epoch, from an observation
// captured after the epoch began, is admitted; the path that is followed can always be left to rest
// within the limits; a command differs from the path only where the limiter says so, and is counted.
#pragma once

#include <cstdint>

#include "arms/arm.hpp"
#include "control/progress.hpp"
#include "include/rt_infer.h"
#include "motion/chunk.hpp"
#include "motion/limiter.hpp"
#include "motion/limits.hpp"
#include "motion/path.hpp"
#include "motion/policy_clock.hpp"
#include "motion/splice.hpp"

namespace rti {

// What the world outside asks of the motion; sampled once a cycle.
enum class Request : std::uint32_t {
    kFollow = 0,  // business as usual
    kRest = 1,    // brake along the path and hold; chunks are refused until the next epoch (stale heartbeat)
    kFinish = 2,  // brake along the path, then end the motion for good
};

struct StepperConfig {
    double fps = 30.0;                    // policy steps a second at full speed
    double speed = 1.0;                   // fraction of fps the clock may reach, (0, 1]
    double max_age_s = 2.0;               // older observations are refused
    double max_start_distance_rad = 0.5;  // first target of an epoch from the arm, worst joint
    Aggregate aggregate = Aggregate::kWeightedAverage;
    MotionLimits limits = MotionLimits::fr3();
};

class Stepper {
  public:
    explicit Stepper(const StepperConfig& config);

    // The arm at rest, before the first cycle or after a recovery: seeds the reference, raises the epoch.
    void start(const ArmState& state) noexcept;
    [[nodiscard]] ArmCommand step(const ArmState& state, Request request) noexcept;
    void offer(const rti_action& record) noexcept;
    void plan() noexcept;

    // What the last cycle was and what the run has counted; valid until the next step().
    [[nodiscard]] const Progress& progress() const noexcept { return progress_; }

  private:
    Progress progress_;
};

}  // namespace rti
