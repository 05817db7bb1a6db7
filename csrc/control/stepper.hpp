// The stepper: everything between a state of the arm and its next command, as a pure function.
//
// Protocol, once a cycle, by the control loop's thread (or by a test, in virtual time):
//   offer(record)           each record drained from the ring, in ring order: admit whole chunks
//   step(state, request)    before the write: advance the clock, limit
//   plan()                  after the write: splice the newest admitted chunk into the path
// It reads no clock (time is state.time_ns), does no I/O, allocates nothing after construction,
// throws nothing, and holds no pointer to the outside: equal inputs give equal commands, bit for
// bit.
//
// Invariants: after an epoch rises nothing moves until a chunk of that epoch, from an observation
// captured after the epoch began, is admitted; the path that is followed can always be left to rest
// within the limits; a command differs from the path only where the limiter says so, and is
// counted.
#pragma once

#include <cstdint>

#include "arms/arm.hpp"
#include "control/admission.hpp"
#include "control/progress.hpp"
#include "include/rt_infer.h"
#include "motion/chunk.hpp"
#include "motion/detour.hpp"
#include "motion/fence.hpp"
#include "motion/limiter.hpp"
#include "motion/limits.hpp"
#include "motion/path.hpp"
#include "motion/policy_clock.hpp"
#include "motion/splice.hpp"

namespace rti {

// What the world outside asks of the motion; sampled once a cycle.
enum class Request : std::uint32_t {
    kFollow = 0,  // business as usual
    kRest = 1,    // brake along the path and hold; chunks are refused until the next epoch (stale
                  // heartbeat)
    kFinish = 2,  // brake along the path, then end the motion for good
};

struct StepperConfig {
    double fps = 30.0;                    // policy steps a second at full speed
    double speed = 1.0;                   // fraction of fps the clock may reach, (0, 1]
    double max_age_s = 2.0;               // older observations are refused
    double max_start_distance_rad = 0.5;  // first target of an epoch from the arm, worst joint
    Aggregate aggregate = Aggregate::kWeightedAverage;
    double crossfade_steps = 10.0;  // of Aggregate::kCrossfade
    double offset_decay_s = 0.3;    // of Aggregate::kOffsetDecay
    double tolerance_rad = 0.0;     // by which smoothing may move a target; 0: not at all
    MotionLimits limits = MotionLimits::fr3();
    Box box{};         // where flange and TCP may be
    Transform tool{};  // the TCP in the flange's frame
};

class Stepper {
  public:
    explicit Stepper(const StepperConfig& config);

    // The arm at rest, before the first cycle or after a recovery: seeds the reference, raises the
    // epoch.
    void start(const ArmState& state) noexcept;
    [[nodiscard]] ArmCommand step(const ArmState& state, Request request) noexcept;
    void offer(const rti_action& record) noexcept;
    void plan() noexcept;

    // What the last cycle was and what the run has counted; of one moment, the end of plan().
    [[nodiscard]] const Progress& progress() const noexcept { return progress_; }

  private:
    void begin_epoch() noexcept;
    void admit() noexcept;  // or refuse, what has arrived
    // Plays `cycles` cycles of the clock; what is braked for is settled in step().
    void advance(std::uint32_t cycles) noexcept;
    void take_up_from(const ArmState& state, const PathPoint& reference) noexcept;
    // The reference in time, without the detour: position, velocity, acceleration in q, d1, d2.
    [[nodiscard]] PathPoint reference() const noexcept;
    [[nodiscard]] JointArray wanted() noexcept;
    void come_to_rest() noexcept;
    void hand_to_tool() noexcept;
    void measure() noexcept;
    void tell() noexcept;
    [[nodiscard]] double steps_queued() const noexcept;
    void try_splice() noexcept;
    void give_up(rti_refusal reason) noexcept;
    void adopt(double jump_rad) noexcept;

    [[nodiscard]] Path& path() noexcept { return paths_[active_]; }
    [[nodiscard]] const Path& path() const noexcept { return paths_[active_]; }
    [[nodiscard]] SpeedProfile& profile() noexcept { return profiles_[active_]; }

    StepperConfig config_;
    Blend blend_;
    Smoothing smoothing_;
    Admission admission_;
    PlannerLimits planner_;
    Limiter limiter_;
    Detour detour_;
    Fence fence_;
    PolicyClock clock_;
    std::array<Path, 2> paths_{};  // the adopted one and the next
    std::array<SpeedProfile, 2> profiles_{};
    std::size_t active_ = 0;
    // One is being filled, one is admitted and not yet spliced, one is what is followed: they
    // change places, since 65 KB are too much to copy before the write.
    std::array<Chunk, 3> chunks_{};
    std::size_t arriving_ = 0;
    std::size_t pending_ = 1;
    std::size_t adopted_ = 2;
    JointArray rest_q_{};  // where the arm is held while nothing is followed [rad]

    std::int64_t now_ns_ = 0;
    double stretch_ = 1.0;  // of the bridge being tried
    bool has_pending_ = false;
    bool following_ = false;          // path() is adopted and the clock has not come to rest on it
    bool void_path_ = false;          // it is of an older epoch or leaves the box: brake on it
    bool waiting_to_splice_ = false;  // slowing down until the pending chunk can be entered
    bool braking_ = false;            // in this cycle, for whichever reason
    bool followed_ = false;           // a path, in this cycle: the command is a step of it
    bool refused_ = false;            // a chunk, since the last step()
    Request request_ = Request::kFollow;
    Progress progress_{};
};

}  // namespace rti
