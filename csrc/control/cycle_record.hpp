// A cycle as a telemetry record: what it was decided by, and what was decided.
//
// The loop writes both into the telemetry ring; a replay reads the one and makes the other anew.
// Together with the ring's records the inputs are all that a Stepper ever sees of the world: what
// it comes to use besides them has to come in here, or a recorded run can be played no more.
#pragma once

#include <algorithm>
#include <cstdint>

#include "arms/arm.hpp"
#include "control/progress.hpp"
#include "control/stepper.hpp"
#include "include/rt_infer.h"

namespace rti {

// `ring_index`: how many of the ring's records have been offered to the stepper by this cycle's
// step().
inline void put_inputs(const ArmState& state, Request request, std::uint64_t ring_index,
                       rti_record& out) noexcept {
    out.cycle = state.cycle;
    out.time_ns = state.time_ns;
    out.elapsed_cycles = state.elapsed_cycles;
    std::copy(state.q.begin(), state.q.end(), out.q);
    std::copy(state.q_d.begin(), state.q_d.end(), out.q_d);
    std::copy(state.dq_d.begin(), state.dq_d.end(), out.dq_d);
    std::copy(state.ddq_d.begin(), state.ddq_d.end(), out.ddq_d);
    out.ring_index = ring_index;
    out.request = static_cast<std::uint32_t>(request);
}

// The arm's state as the stepper needs it: no measured velocity, no grid, no reflex.
inline ArmState state_of(const rti_record& record) noexcept {
    ArmState state;
    state.cycle = record.cycle;
    state.time_ns = record.time_ns;
    state.elapsed_cycles = static_cast<std::uint32_t>(record.elapsed_cycles);
    std::copy_n(record.q, RTI_DOF, state.q.begin());
    std::copy_n(record.q_d, RTI_DOF, state.q_d.begin());
    std::copy_n(record.dq_d, RTI_DOF, state.dq_d.begin());
    std::copy_n(record.ddq_d, RTI_DOF, state.ddq_d.begin());
    return state;
}

// After plan().
inline void put_outputs(const ArmCommand& command, const Progress& progress,
                        rti_record& out) noexcept {
    out.policy_step = progress.policy_step;
    out.policy_rate = progress.policy_rate;
    out.chunk_id = progress.chunk_id;
    out.epoch = progress.epoch;
    out.phase = static_cast<std::uint16_t>(progress.phase);
    out.flags = progress.flags;
    std::copy(command.q.begin(), command.q.end(), out.q_command);
}

}  // namespace rti
