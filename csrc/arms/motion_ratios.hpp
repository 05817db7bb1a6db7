// What a stream of commands asked of the arm, as fractions of the arm's limits.
//
// The run report quotes these. They are taken from the commands that reached the arm, by the arm's
// own arithmetic (backward Euler over one cycle against q_d, dq_d, ddq_d), and know nothing of the
// limiter: a limiter that errs shows up as a ratio above 1.
//
// Pure values; any one thread.
#pragma once

#include <cstdint>

#include "arms/arm.hpp"

namespace rti::fci {

// The motion generator's reference: where the last cycle left it.
struct Reference {
    JointArray q{};    // [rad]
    JointArray dq{};   // [rad/s]
    JointArray ddq{};  // [rad/s²]
};

// What moving from a reference to a position within one cycle means.
struct Rates {
    JointArray dq{};    // [rad/s]
    JointArray ddq{};   // [rad/s²]
    JointArray dddq{};  // [rad/s³]
};

Rates backward_euler(const Reference& from, const JointArray& q) noexcept;

struct Peak {
    double ratio = 0.0;       // |value| / limit; above 1 the arm refuses
    int joint = 0;            // 0 to 6
    std::uint64_t cycle = 0;  // as the caller counts them
};

class MotionRatios {
  public:
    // Takes one command into account: `rates` as it was commanded from position `q_from`, where the
    // position-dependent velocity limit is read.
    void observe(const JointArray& q_from, const Rates& rates, std::uint64_t cycle) noexcept;

    // Against the velocity limit in the direction of motion. Where that limit is zero, any motion
    // towards the joint's end is above 1: 1 + |dq| / (1e-3 rad/s), finite so that it can be
    // reported.
    const Peak& velocity() const noexcept { return velocity_; }
    const Peak& acceleration() const noexcept { return acceleration_; }
    const Peak& jerk() const noexcept { return jerk_; }
    // Mean over the joints, summed over the commands [rad²/s⁶].
    double jerk_squared_sum() const noexcept { return jerk_squared_sum_; }

  private:
    Peak velocity_;
    Peak acceleration_;
    Peak jerk_;
    double jerk_squared_sum_ = 0.0;
};

}  // namespace rti::fci
