// FCI's judgement of a joint position motion, one 1 ms cycle at a time. No clock, no I/O.
//
// Protocol. start(q) once at rest; then exactly one call for each cycle of the arm: accept() if a
// command reached it in time, lost() if none did. Each returns why the motion stopped, or kNone.
// After a stop, or after a command with motion_finished, the reference no longer moves until the
// next start().
//
// A command is differenced backwards over one cycle against the reference: the last command
// accepted, or what was extrapolated in its place. In this order, since a step breaks several rules
// at once and the arm names the first: finite, position range, distance of the first command from
// the start, acceleration (FCI calls it velocity discontinuity), velocity envelope at the
// reference's position, jerk (FCI: acceleration discontinuity), rest if it finishes the motion.
//
// A lost cycle keeps the acceleration of the reference and integrates it: dq += ddq·dt, q += dq·dt.
// In that order, so that differencing the result gives that same ddq back and a stream of constant
// acceleration resumes without a jump. The result has to keep the velocity envelope like a command.
// The 20th lost cycle in a row stops the motion. Cycles count from the first command on: before it
// the arm waits at rest.
//
// Any one thread; nothing allocates or throws.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>

#include "arms/arm.hpp"
#include "arms/fci_limits.hpp"
#include "arms/motion_ratios.hpp"

namespace rti::fci {

class FciRules {
  public:
    // A new motion from rest at q. ratios() and cycles() run on: they are the run's, over
    // recoveries.
    void start(const JointArray& q) noexcept;
    Reflex accept(const JointArray& q, bool motion_finished = false) noexcept;
    Reflex lost() noexcept;
    // The arm stops for a reason outside these rules. The first reason stays.
    void stop(Reflex reason) noexcept;

    const Reference& reference() const noexcept { return reference_; }
    Reflex reflex() const noexcept { return reflex_; }
    bool finished() const noexcept { return finished_; }
    std::uint64_t cycles() const noexcept { return cycles_; }  // accept() and lost() so far
    int lost_in_a_row() const noexcept { return lost_in_a_row_; }
    // Fraction of the last 100 cycles whose command arrived; of as many as there were, before that.
    double success_rate() const noexcept;
    // Of every finite command judged, the refused one included; extrapolated cycles are not
    // commands.
    const MotionRatios& ratios() const noexcept { return ratios_; }

  private:
    Reflex judge(const JointArray& q, const Rates& rates) const noexcept;
    void account(bool arrived) noexcept;

    Reference reference_;
    MotionRatios ratios_;
    Reflex reflex_ = Reflex::kNone;
    bool finished_ = false;
    bool armed_ = false;  // the first command has come
    int lost_in_a_row_ = 0;
    std::uint64_t cycles_ = 0;
    std::uint64_t accounted_ = 0;          // cycles since the first command
    std::bitset<kSuccessWindow> arrived_;  // ring: cycle n at n % kSuccessWindow
};

}  // namespace rti::fci
