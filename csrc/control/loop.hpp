// The control loop: one cycle of the arm after the other, until the motion ends.
//
// A cycle:  read   wait for the arm's next state
//           offer  drain the action ring into the stepper, step, write the command   <- the
//           response plan   what can wait: splicing, then telemetry, mailbox, statistics
// The arm paces it. Nothing here or below allocates, locks, throws, or makes a system call besides
// the arm's own (the clock is read through the vDSO). Nothing is waited for but the arm: who reads
// the region does so at its own pace.
//
// Ends when the command with motion_finished has been written (outcome FINISHED), or when the arm
// has stopped by itself (FAULT; the reflex is in the mailbox and in the statistics).
//
// Threads. One thread, the one that owns the arm. `request` may come from anywhere, once a cycle.
#pragma once

#include <concepts>
#include <cstdint>

#include "arms/arm.hpp"
#include "control/statistics.hpp"
#include "control/stepper.hpp"
#include "include/rt_infer.h"
#include "memory/mailbox.hpp"
#include "memory/spsc_ring.hpp"
#include "memory/telemetry.hpp"

namespace rti {

class Loop {
  public:
    // Attaches to the ring: what was queued before is never executed. The arm has been started.
    Loop(rti_region& region, Arm& arm, Stepper& stepper) noexcept;

    // Cycles until the motion ends; asks `request()` for a Request once a cycle.
    template <std::invocable Ask>
    rti_phase run(Ask&& request) noexcept {
        while (cycle(request())) {
        }
        return outcome_;
    }

    // One cycle. False: it was the last one, see outcome().
    bool cycle(Request request) noexcept;

    // RTI_PHASE_FINISHED or RTI_PHASE_FAULT once the motion has ended.
    [[nodiscard]] rti_phase outcome() const noexcept { return outcome_; }

  private:
    // When things happened in this cycle, CLOCK_MONOTONIC.
    struct Stamps {
        std::int64_t read_ns = 0;     // read() has returned
        std::int64_t written_ns = 0;  // write() has returned
    };

    bool end(rti_phase outcome) noexcept;
    bool fault() noexcept;
    void count(const Stamps& stamps) noexcept;
    void publish_state(rti_phase phase) noexcept;
    void append_record(const Stamps& stamps) noexcept;
    [[nodiscard]] std::int64_t wake_late_ns() const noexcept;

    Arm& arm_;
    Stepper& stepper_;
    RingConsumer ring_;
    MailboxWriter mailbox_;
    TelemetryWriter telemetry_;
    Statistics statistics_;
    ArmState state_;
    ArmCommand command_;
    Request request_ = Request::kFollow;  // of this cycle
    std::int64_t previous_time_ns_ = 0;   // of the state before this one; 0 = there was none
    rti_phase outcome_ = RTI_PHASE_STARTING;
};

}  // namespace rti
