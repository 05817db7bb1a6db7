// What the stepper tells about itself: the state of the last cycle and the counts of the run.
//
// Plain values, written by Stepper in the control loop's thread only. The loop copies them into the
// mailbox, the telemetry ring and the statistics of the region; tests read them directly.
#pragma once

#include <array>
#include <cstdint>

#include "include/rt_infer.h"
#include "motion/chunk.hpp"

namespace rti {

struct Progress {
    // the last cycle
    rti_phase phase = RTI_PHASE_STARTING;
    std::uint16_t flags = 0;    // rti_telemetry_flags
    double policy_step = 0.0;   // the policy clock
    double policy_rate = 0.0;   // its speed [steps/s]
    double steps_queued = 0.0;  // left of the chunk admitted last [steps]
    std::uint32_t epoch = 0;
    std::int64_t epoch_since_ns = 0;  // observations captured before this are void
    std::uint64_t chunk_id = 0;       // the chunk being followed, 0 = none
    std::int64_t spliced_received_ns =
        0;                          // with RTI_CYCLE_SPLICED: when the new chunk was received
    ToolArray tool{};               // of the newest action whose step has come in this epoch
    std::uint32_t tool_values = 0;  // how many of them there are
    bool finished = false;          // the command of this cycle was the last: motion_finished

    // the run
    rti_refusal last_refusal = RTI_ADMITTED;
    double start_distance_rad = 0.0;  // of the last RTI_REFUSED_START
    std::uint64_t chunks_received = 0;
    std::uint64_t chunks_admitted = 0;
    std::array<std::uint64_t, RTI_REFUSALS> refused{};
    std::uint64_t late_steps = 0;
    std::uint64_t splices = 0;
    std::uint64_t bridges_lengthened = 0;
    std::uint64_t splices_delayed = 0;
    std::uint64_t waypoints_clamped = 0;
    std::uint64_t reseeds = 0;
    std::uint64_t limiter_interventions = 0;
    std::uint64_t holds = 0;            // times the path ran dry and the arm came to rest
    std::uint64_t held_cycles = 0;      // cycles at rest after the first chunk
    std::uint64_t slowed_cycles = 0;    // cycles in which the path, not fps, set the clock's pace
    std::uint64_t followed_cycles = 0;  // cycles on a path
    std::uint64_t fence_stops = 0;      // times the arm rested before the hand left its box
    // How beautiful the motion is; summed up after the write.
    double splice_jump_max_rad = 0.0;  // greatest change of the reference a splice had to take up
    double policy_distance_squared_sum = 0.0;  // to the policy's own actions, worst joint [rad²]
    double lost_to_slowing_s = 0.0;  // by which the clock fell behind its nominal rate on its way
    double steps_executed = 0.0;
};

}  // namespace rti
