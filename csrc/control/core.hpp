// The core process from its set-up to its end: the watch, realtime scheduling, the loop.
//
// Called once a process, by the thread that is to run the loop. The set-up may throw
// std::runtime_error with a sentence for the user; once the arm has been started nothing throws.
#pragma once

#include <functional>
#include <string>

#include "arms/arm.hpp"
#include "control/realtime.hpp"
#include "control/stepper.hpp"
#include "include/rt_infer.h"

namespace rti {

struct CoreOptions {
    StepperConfig motion;
    RealtimeOptions realtime;
};

// Takes the arm through one motion: follows what comes through the region's ring, rests while the
// heartbeat is stale, and ends when it is told to or when nobody is at the other end of the pipe.
// Returns RTI_PHASE_FINISHED or RTI_PHASE_FAULT. `tell` gets a sentence for each thing the machine
// refused, before the motion starts.
rti_phase run_core(rti_region& region, int heartbeat_fd, Arm& arm, const CoreOptions& options,
                   const std::function<void(const std::string&)>& tell);

}  // namespace rti
