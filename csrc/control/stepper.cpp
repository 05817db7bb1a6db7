#include "control/stepper.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace rti {
namespace {

// A q_d this far from our last command is not ours: the arm went on without us. A difference that
// passes for ours is in the next command's derivatives: as jerk three times over a cycle cubed,
// 30 rad/s³, as acceleration twice over a cycle squared, 0.02 rad/s². Both fit into the limiter's
// reserve (2 %); FCI's states are doubles and carry a command back unrounded.
constexpr double kSamePosition_rad = 1e-8;
constexpr double kBridgeGrowth = 1.6;
constexpr double kGivenUp = 0.25;  // of the nominal rate
// With less left of it a chunk has nothing to say any more.
constexpr double kShortestSplice_steps = 0.5;

}  // namespace

Stepper::Stepper(const StepperConfig& config)
    : config_(config),
      blend_{.rule = config.aggregate,
             .crossfade_steps = config.crossfade_steps,
             .offset_decay_steps = config.offset_decay_s * config.fps},
      smoothing_{.fps = config.fps, .tolerance_rad = config.tolerance_rad},
      admission_({config.max_age_s, config.max_start_distance_rad}),
      planner_(config.limits),
      limiter_(config.limits),
      detour_(config.limits),
      fence_(config.box, config.tool),
      clock_(config.fps * config.speed) {}

void Stepper::start(const ArmState& state) noexcept {
    now_ns_ = state.time_ns;
    clock_.halt();
    limiter_.seed(state.q_d, JointArray{}, JointArray{});
    detour_.clear();
    fence_.start();
    rest_q_ = state.q_d;
    following_ = false;
    progress_.phase = RTI_PHASE_HOLD;
    begin_epoch();
}

void Stepper::begin_epoch() noexcept {
    admission_.begin_epoch();
    has_pending_ = false;
    waiting_to_splice_ = false;
    void_path_ = following_;
    progress_.tool_values = 0;
}

// ------------------------------------------------------------------ what comes in

void Stepper::offer(const rti_action& record) noexcept {
    if (record.kind == RTI_RECORD_NEW_EPOCH) {
        begin_epoch();
    } else if (record.kind == RTI_RECORD_ACTION && chunks_[arriving_].take(record)) {
        admit();
    }
}

void Stepper::admit() noexcept {
    const Chunk& chunk = chunks_[arriving_];
    ++progress_.chunks_received;
    const rti_refusal refusal = admission_.judge(chunk, {.now_ns = now_ns_,
                                                         .step = clock_.step(),
                                                         .stopping = request_ != Request::kFollow,
                                                         .q = limiter_.q()});
    if (refusal != RTI_ADMITTED) {
        ++progress_.refused[refusal];
        progress_.last_refusal = refusal;
        progress_.start_distance_rad = admission_.start_distance_rad();
        refused_ = true;
        return;
    }
    ++progress_.chunks_admitted;
    std::swap(arriving_, pending_);
    has_pending_ = true;
    stretch_ = 1.0;
}

// ------------------------------------------------------------------ the cycle

ArmCommand Stepper::step(const ArmState& state, Request request) noexcept {
    now_ns_ = state.time_ns;
    progress_.flags = refused_ ? RTI_CYCLE_REFUSED : 0;  // by offer(), before us
    refused_ = false;
    if (request_ == Request::kRest && request == Request::kFollow) begin_epoch();
    admission_.cycle(now_ns_);
    request_ = request;
    if (request != Request::kFollow) has_pending_ = waiting_to_splice_ = false;
    braking_ = void_path_ || waiting_to_splice_ || request != Request::kFollow;

    // Lost cycles are played by the clock, since the arm has moved on through them (what reports
    // more of them than FCI lets pass has not been moving); then the reference is taken from the
    // arm. Their time is gone: nothing is ever caught up.
    advance(std::min(lost_cycles(state), kLongestHold_cycles));
    take_up_from(state, reference());
    advance(1);

    ArmCommand command;
    const bool limited = limiter_.limit(wanted(), command.q);
    if (limited) {
        ++progress_.limiter_interventions;
        progress_.flags |= RTI_CYCLE_LIMITED;
    }
    followed_ = following_;
    const bool of_this_epoch = following_ && !void_path_;
    if (following_ && clock_.at_rest()) come_to_rest();
    if (of_this_epoch) hand_to_tool();  // the last action's, too, once the arm rests on it
    const bool still = !following_ && !detour_.active() && limiter_.at_rest();
    // Where it stands is where it is held, although the limiter may have led it past where the path
    // ended: inside the closing band there is no way back.
    if (still) {
        limiter_.settle();
        rest_q_ = limiter_.q();
    }
    command.motion_finished = request == Request::kFinish && still;

    progress_.finished = command.motion_finished;
    if (!following_ && !progress_.finished && progress_.splices > 0) ++progress_.held_cycles;
    tell();
    return command;
}

void Stepper::advance(std::uint32_t cycles) noexcept {
    for (std::uint32_t i = 0; i < cycles; ++i) {
        detour_.advance();
        if (!following_ || (i > 0 && clock_.at_rest())) continue;
        const bool nominal = clock_.advance(path(), profile(), planner_, braking_);
        if (!nominal && !void_path_ && request_ == Request::kFollow) {
            ++progress_.slowed_cycles;
            progress_.flags |= RTI_CYCLE_SLOWED;
        }
    }
}

PathPoint Stepper::reference() const noexcept {
    PathPoint point;
    if (!following_) {
        point.q = rest_q_;
        return point;
    }
    point = path().at(clock_.step());
    const double rate = clock_.rate();
    for (std::size_t j = 0; j < kDof; ++j) {
        point.d2[j] = point.d2[j] * rate * rate + point.d1[j] * clock_.acceleration();
        point.d1[j] *= rate;
    }
    return point;
}

void Stepper::take_up_from(const ArmState& state, const PathPoint& reference) noexcept {
    const double strayed = distance(state.q_d, limiter_.q());
    const bool ours = strayed <= kSamePosition_rad;
    if (strayed == 0.0 && lost_cycles(state) == 0) return;
    // Whatever the difference: the limiter judges what the arm will judge, and where the envelope
    // is shut the arm allows none.
    limiter_.seed(state.q_d, state.dq_d, state.ddq_d);
    if (ours && (lost_cycles(state) == 0 || (!following_ && !detour_.active()))) return;

    detour_.begin({.q = state.q_d, .d1 = state.dq_d, .d2 = state.ddq_d}, reference);
    ++progress_.reseeds;
    progress_.flags |= RTI_CYCLE_RESEEDED;
}

JointArray Stepper::wanted() noexcept {
    PathPoint point;
    point.q = following_ ? path().at(clock_.step()).q : rest_q_;
    detour_.add_to(point);
    return point.q;
}

void Stepper::come_to_rest() noexcept {
    rest_q_ = path().at(clock_.step()).q;
    // The last action's own step passes at once: nothing moves in it.
    if (clock_.step() >= path().end()) clock_.pass_to(path().held_until());
    following_ = false;
    if (!braking_) ++progress_.holds;
    void_path_ = false;
}

void Stepper::hand_to_tool() noexcept {
    const Chunk& chunk = chunks_[adopted_];
    progress_.tool = chunk.tools[chunk.in_force(clock_.step())];
    progress_.tool_values = chunk.tool_values;
}

// ------------------------------------------------------------------ after the write

void Stepper::plan() noexcept {
    measure();
    if (has_pending_) {
        try_splice();
    } else if (following_ && profile().used_up(clock_.step())) {
        profile().build(path(), clock_.step(), clock_.nominal_rate(), planner_);
    }
    if (following_ && !void_path_ && fence_.stops(path(), profile(), clock_, planner_)) {
        void_path_ = true;
        ++progress_.fence_stops;
    }
    tell();
}

// The state that the world is told, all of the same moment.
void Stepper::tell() noexcept {
    progress_.phase = progress_.finished                           ? RTI_PHASE_FINISHED
                      : !following_                                ? RTI_PHASE_HOLD
                      : void_path_ || request_ != Request::kFollow ? RTI_PHASE_BRAKE
                                                                   : RTI_PHASE_FOLLOW;
    progress_.epoch = admission_.epoch();
    progress_.epoch_since_ns = admission_.epoch_since_ns();
    progress_.policy_step = clock_.step();
    progress_.policy_rate = clock_.rate();
    progress_.steps_executed = clock_.step();
    progress_.steps_queued = steps_queued();
}

// A chunk counts from its admission on: who sees it judged and nothing queued would ask again.
double Stepper::steps_queued() const noexcept {
    double until = following_ && !void_path_ ? path().held_until() : clock_.step();
    if (has_pending_) until = chunks_[pending_].last_step() + 1.0;
    return std::max(0.0, until - clock_.step());
}

// Of the cycle whose command has just been written.
void Stepper::measure() noexcept {
    if (!followed_) return;
    ++progress_.followed_cycles;
    const double away_rad = distance(limiter_.q(), chunks_[adopted_].between(clock_.step()));
    progress_.policy_distance_squared_sum += away_rad * away_rad;
    if (following_ && !void_path_ && request_ == Request::kFollow) {
        progress_.lost_to_slowing_s += kCycle_s * (1.0 - clock_.rate() / clock_.nominal_rate());
    }
}

// One candidate a cycle: the time for planning stays the same however hard the splice is.
void Stepper::try_splice() noexcept {
    const SplicePoint from{
        .step = clock_.step(),
        .rate = clock_.rate(),
        .nominal_rate = clock_.nominal_rate(),
        .reference = following_ ? path().at(clock_.step()) : PathPoint{.q = rest_q_}};
    Path& next = paths_[1 - active_];
    SpeedProfile& next_profile = profiles_[1 - active_];
    // An old path that the clock has all but stopped on, waiting for a splice, has nothing to say
    // in it any more: a blend that is too steep to enter would be so for ever.
    const bool given_up = waiting_to_splice_ && clock_.rate() < kGivenUp * clock_.nominal_rate();
    const Path* old = following_ && !void_path_ && !given_up ? &path() : nullptr;
    const std::uint32_t clamped =
        lay(chunks_[pending_], old, blend_, smoothing_, from.step, planner_, next);
    if (next.held_until() - from.step < kShortestSplice_steps) {  // waited too long for it
        give_up(RTI_REFUSED_LATE);
        return;
    }
    const bool could_be_longer = bridge(from, stretch_, config_.limits, planner_.envelope, next);
    next_profile.build(next, from.step, clock_.nominal_rate(), planner_);
    // A path on which the hand could not be stopped inside its box is not entered, at speed or from
    // rest.
    if (can_enter(from, clock_.look_ahead(), next_profile) &&
        fence_.admits(next, next_profile, clock_, planner_)) {
        progress_.waypoints_clamped += clamped;
        // From rest the way to the first target is the policy's wish, not a jump of its mind.
        const double jump_rad =
            following_ ? distance(from.reference.q, next.curve(from.step).q) : 0.0;
        adopt(jump_rad);
    } else if (could_be_longer) {
        if (stretch_ == 1.0 && !waiting_to_splice_) ++progress_.bridges_lengthened;
        stretch_ *= kBridgeGrowth;
    } else if (!following_) {
        give_up(RTI_REFUSED_FENCE);  // from rest every profile can be entered
    } else {
        if (!waiting_to_splice_) ++progress_.splices_delayed;
        waiting_to_splice_ = true;
        stretch_ = 1.0;
    }
}

// An admitted chunk after all.
void Stepper::give_up(rti_refusal reason) noexcept {
    --progress_.chunks_admitted;
    ++progress_.refused[reason];
    progress_.last_refusal = reason;
    progress_.flags |= RTI_CYCLE_REFUSED;
    has_pending_ = waiting_to_splice_ = false;
}

void Stepper::adopt(double jump_rad) noexcept {
    active_ = 1 - active_;
    following_ = true;
    admission_.started();
    void_path_ = waiting_to_splice_ = has_pending_ = false;
    std::swap(pending_, adopted_);
    const Chunk& chunk = chunks_[adopted_];
    const double passed = std::ceil(clock_.step() - chunk.origin_step);
    progress_.late_steps += static_cast<std::uint64_t>(std::clamp(passed, 0.0, chunk.count * 1.0));
    ++progress_.splices;
    progress_.splice_jump_max_rad = std::max(progress_.splice_jump_max_rad, jump_rad);
    progress_.chunk_id = chunk.id;
    progress_.spliced_received_ns = chunk.received_ns;
    progress_.flags |= RTI_CYCLE_SPLICED;
}

}  // namespace rti
