#include "control/loop.hpp"

#include <algorithm>
#include <limits>

#include "control/cycle_record.hpp"
#include "control/monotonic.hpp"

namespace rti {
namespace {

constexpr std::int64_t kCycle_ns = 1'000'000;

std::uint64_t not_negative(std::int64_t duration_ns) noexcept {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(duration_ns, 0));
}

std::uint32_t to_32_bits(std::int64_t duration_ns) noexcept {
    constexpr std::int64_t kMax = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(duration_ns, 0, kMax));
}

}  // namespace

Loop::Loop(rti_region& region, Arm& arm, Stepper& stepper) noexcept
    : arm_(arm),
      stepper_(stepper),
      ring_(region),
      mailbox_(region),
      telemetry_(region),
      statistics_(region.stats) {}

bool Loop::cycle(Request request) noexcept {
    if (outcome_ != RTI_PHASE_STARTING) return false;
    const bool first = previous_time_ns_ == 0;
    if (!arm_.read(state_)) return fault();
    Stamps stamps{.read_ns = monotonic_ns()};

    if (first) stepper_.start(state_);
    request_ = request;
    // Not in the first one, so that its record tells where in the ring this loop has attached.
    if (!first) ring_.drain([this](const rti_action& record) noexcept { stepper_.offer(record); });
    command_ = stepper_.step(state_, request);
    const bool taken = arm_.write(command_);
    stamps.written_ns = monotonic_ns();

    stepper_.plan();
    count(stamps);
    append_record(stamps);
    // Why the arm took no command is known to its next state only.
    if (!taken) return arm_.read(state_) ? end(RTI_PHASE_FAULT) : fault();
    if (stepper_.progress().finished) return end(RTI_PHASE_FINISHED);
    publish_state(stepper_.progress().phase);
    previous_time_ns_ = state_.time_ns;
    statistics_.step.record(not_negative(monotonic_ns() - stamps.read_ns));
    return true;
}

bool Loop::end(rti_phase outcome) noexcept {
    outcome_ = outcome;
    statistics_.end(outcome);
    publish_state(outcome);  // last: who sees it finds every cycle counted
    return false;
}

bool Loop::fault() noexcept {
    statistics_.reflex(state_.reflex, state_.cycle);
    return end(RTI_PHASE_FAULT);
}

void Loop::count(const Stamps& stamps) noexcept {
    const Progress& progress = stepper_.progress();
    statistics_.count(progress, arm_.peaks(), lost_cycles(state_));
    statistics_.response.record(not_negative(stamps.written_ns - stamps.read_ns));
    if (previous_time_ns_ != 0) {
        statistics_.period.record(not_negative(state_.time_ns - previous_time_ns_));
    }
    if (state_.due_ns != 0) statistics_.wake_late.record(not_negative(wake_late_ns()));
    if ((progress.flags & RTI_CYCLE_SPLICED) != 0) {
        statistics_.splice.record(not_negative(state_.time_ns - progress.spliced_received_ns));
    }
}

void Loop::publish_state(rti_phase phase) noexcept {
    const Progress& progress = stepper_.progress();
    rti_state out{};
    out.cycle = state_.cycle;
    out.time_ns = state_.time_ns;
    out.policy_step = progress.policy_step;
    out.policy_rate = progress.policy_rate;
    out.steps_queued = progress.steps_queued;
    out.epoch_since_ns = progress.epoch_since_ns;
    out.epoch = progress.epoch;
    out.phase = phase;
    out.reflex = static_cast<std::uint32_t>(state_.reflex);
    out.last_refusal = progress.last_refusal;
    out.chunk_id = progress.chunk_id;
    out.chunks_admitted = progress.chunks_admitted;
    for (const std::uint64_t refused : progress.refused) out.chunks_refused += refused;
    out.start_distance_rad = progress.start_distance_rad;
    std::copy(state_.q.begin(), state_.q.end(), out.q);
    std::copy(state_.dq.begin(), state_.dq.end(), out.dq);
    std::copy(command_.q.begin(), command_.q.end(), out.q_command);
    std::copy(progress.tool.begin(), progress.tool.end(), out.tool);
    out.tool_values = progress.tool_values;
    mailbox_.publish(out);
}

void Loop::append_record(const Stamps& stamps) noexcept {
    rti_record out{};
    put_inputs(state_, request_, ring_.read_index(), out);
    put_outputs(command_, stepper_.progress(), out);
    out.wake_late_ns = state_.due_ns != 0 ? to_32_bits(wake_late_ns()) : 0;
    out.response_ns = to_32_bits(stamps.written_ns - stamps.read_ns);
    telemetry_.append(out);
}

// Against the grid point that read() waited for, which is an earlier one than this state's where
// cycles were lost.
std::int64_t Loop::wake_late_ns() const noexcept {
    return state_.time_ns - state_.due_ns + lost_cycles(state_) * kCycle_ns;
}

}  // namespace rti
