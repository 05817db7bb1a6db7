// A run in virtual time: the stepper against the simulated FR3, without processes, threads or a
// clock.
//
// What happens is scripted by the index of the cycle, from 0: chunks arrive, the world asks for
// rest or for the end, packets get lost. The same script gives the same run, bit for bit, so that a
// property test can shrink what it finds and a plot shows what the arm would have been told.
//
// Any one thread; allocates; throws std::invalid_argument for a script that cannot happen.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "arms/arm.hpp"
#include "arms/sim_fr3.hpp"
#include "control/progress.hpp"
#include "control/stepper.hpp"
#include "include/rt_infer.h"

namespace rti {

struct VirtualChunk {
    std::uint64_t cycle = 0;             // when the core drains it
    std::uint64_t capture_cycle = 0;     // when its observation was captured; before `cycle`
    std::optional<double> origin_step;   // none: the policy clock's value at the capture
    std::optional<std::uint32_t> epoch;  // none: the epoch at the capture
    std::uint32_t dim = RTI_DOF;
    std::vector<double> values;  // count × dim, action by action [rad]
};

struct VirtualRequest {
    std::uint64_t cycle = 0;
    Request request = Request::kFollow;  // from this cycle on
};

struct VirtualLoss {
    std::uint64_t cycle = 0;
    std::uint64_t lost_cycles = 0;  // cycles of the arm that pass unanswered before this one
};

struct VirtualScript {
    std::uint64_t cycles = 0;
    std::vector<VirtualChunk> chunks;
    std::vector<VirtualRequest> requests;
    std::vector<VirtualLoss> losses;
    std::vector<std::uint64_t> new_epochs;  // cycles in which the network process asks for one
};

struct VirtualCycle {
    ArmState state;
    JointArray q_command{};  // [rad]
    double policy_step = 0.0;
    double policy_rate = 0.0;  // [steps/s]
    rti_phase phase = RTI_PHASE_STARTING;
    std::uint16_t flags = 0;
    std::uint32_t epoch = 0;
    ToolArray tool{};
    std::uint32_t tool_values = 0;
    std::uint64_t chunk_id = 0;  // chunks count from 1 in the order of the script
};

struct VirtualRun {
    std::vector<VirtualCycle> cycles;  // fewer than scripted if the motion ended before
    Progress progress;                 // at the end
    CommandPeaks peaks;
    Reflex reflex = Reflex::kNone;   // why the arm stopped by itself
    std::uint64_t reflex_cycle = 0;  // index of the cycle whose command or loss it was
};

VirtualRun play(const StepperConfig& motion, SimFr3Config arm, const VirtualScript& script);

}  // namespace rti
