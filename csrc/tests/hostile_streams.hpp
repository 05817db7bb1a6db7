// What hostile worlds are made of: dice, poses to start from, configurations, and bad policies.
//
// Every way in which a policy is bad has a name, so that a test can count that it occurred.
//
// Ranges come from the arm that judges (arms/fci_limits.hpp), not from the motion's own tables.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>

#include "arms/fci_limits.hpp"
#include "tests/motion_rig.hpp"

namespace rti::test {

class Dice {
  public:
    explicit Dice(std::uint64_t seed) : generator_(seed) {}
    double between(double low, double high) {
        return std::uniform_real_distribution<double>(low, high)(generator_);
    }
    int below(int count) { return std::uniform_int_distribution<int>(0, count - 1)(generator_); }
    bool chance(double probability) { return between(0.0, 1.0) < probability; }
    JointArray anywhere(double beyond_rad) {
        JointArray q;
        for (std::size_t j = 0; j < kDof; ++j) {
            const fci::JointLimits& limits = fci::kJointLimits[j];
            q[j] = between(limits.q_min_rad - beyond_rad, limits.q_max_rad + beyond_rad);
        }
        return q;
    }

  private:
    std::mt19937_64 generator_;
};

// How far from the end of its range the arm's envelope is shut: no speed towards it.
inline double band_rad(const fci::JointLimits& joint) {
    return std::pow(joint.envelope_offset_rad_s, 2.0) / (2.0 * joint.envelope_deceleration_rad_s2);
}

inline bool somewhere_in_band(const JointArray& q) {
    for (std::size_t j = 0; j < kDof; ++j) {
        const fci::JointLimits& limits = fci::kJointLimits[j];
        const double room_rad = std::min(q[j] - limits.q_min_rad, limits.q_max_rad - q[j]);
        if (room_rad < band_rad(limits)) return true;
    }
    return false;
}

// Ready, or anywhere outside the closing band; with `in_band` one joint stands inside of it.
inline JointArray start_pose(Dice& dice, bool in_band) {
    JointArray q = dice.chance(0.3) ? ready() : dice.anywhere(-0.05);
    if (in_band) {
        const auto j = static_cast<std::size_t>(dice.below(kDof));
        const fci::JointLimits& limits = fci::kJointLimits[j];
        const double inside = dice.between(0.0, band_rad(limits));
        q[j] = dice.chance(0.5) ? limits.q_max_rad - inside : limits.q_min_rad + inside;
    }
    return q;
}

inline SimFr3Config standing_at(const JointArray& q) {
    SimFr3Config config;
    config.start_pose_rad = q;
    return config;
}

// A range narrowed by the user, on some joints, wherever the arm stands: wide, narrow or no range
// at all.
inline void narrow(Dice& dice, MotionLimits& limits) {
    const double widest = std::pow(10.0, dice.between(-3.0, 1.0));
    for (std::size_t j = 0; j < kDof; ++j) {
        const double a = dice.between(limits.q_min_rad[j], limits.q_max_rad[j]);
        const double b = dice.between(limits.q_min_rad[j], limits.q_max_rad[j]);
        if (dice.chance(0.5)) continue;
        limits.q_min_rad[j] = std::min(a, b);
        limits.q_max_rad[j] = std::min(std::max(a, b), limits.q_min_rad[j] + widest);
    }
}

// Some sides of a box somewhere: the start may be outside of it, and targets are.
inline Box workspace(Dice& dice) {
    Box box;
    for (std::size_t i = 0; i < 3; ++i) {
        const double low_m = dice.between(-0.8, 0.4);
        if (dice.chance(0.5)) box.min_m[i] = low_m;
        if (dice.chance(0.5)) box.max_m[i] = low_m + dice.between(0.2, 1.5);
    }
    return box;
}

inline StepperConfig motion_config(Dice& dice) {
    StepperConfig config;
    config.fps = 5.0 * std::pow(40.0, dice.between(0.0, 1.0));  // 5 to 200
    config.speed = dice.chance(0.5) ? 1.0 : dice.between(0.1, 1.0);
    config.max_age_s = std::array{0.3, 2.0, 20.0}[static_cast<std::size_t>(dice.below(3))];
    config.max_start_distance_rad = dice.chance(0.2) ? 0.5 : 100.0;
    config.aggregate = static_cast<Aggregate>(dice.below(kAggregates));
    config.crossfade_steps = dice.between(1.0, 40.0);
    config.offset_decay_s = dice.between(0.02, 2.0);
    config.tolerance_rad = dice.chance(0.5) ? 0.0 : dice.between(0.0, 0.05);
    if (dice.chance(0.2)) config.box = workspace(dice);
    if (dice.chance(0.25)) narrow(dice, config.limits);
    return config;
}

enum class Manner { kAnywhere, kReversals, kJumps, kContradictions, kSmooth };
inline constexpr int kManners = 5;

// What the policy says; each is bad in its own way.
inline Policy stream(Dice& dice, const JointArray& start, Manner manner) {
    const double beyond = dice.chance(0.5) ? 0.5 : 10.0;
    const JointArray a = dice.anywhere(beyond);
    const JointArray b = dice.anywhere(beyond);
    const int hold_for = 1 + dice.below(40);
    const double size = dice.between(0.0, 3.0);
    const double period = dice.between(2.0, 200.0);  // steps
    switch (manner) {
        case Manner::kAnywhere:  // at every step
            return [&dice, beyond](double) { return dice.anywhere(beyond); };
        case Manner::kReversals:  // at every step
            return [a, b, odd = false](double) mutable { return (odd = !odd) ? a : b; };
        case Manner::kJumps:  // across the range, with time to get there or not
            return [&dice, beyond, hold_for, q = a, n = 0](double) mutable {
                if (n++ % hold_for == 0) q = dice.anywhere(beyond);
                return q;
            };
        case Manner::kContradictions:  // around the start
            return [&dice, start, size, hold_for, q = start, n = 0](double) mutable {
                if (n++ % hold_for == 0) {
                    q = start;
                    for (double& joint : q) joint += 0.3 * dice.between(-size, size);
                }
                return q;
            };
        case Manner::kSmooth:  // too fast or too far
            break;
    }
    return [start, size, period](double step) {
        JointArray q = start;
        for (double& joint : q) joint += size * std::sin(2.0 * M_PI * step / period);
        return q;
    };
}

}  // namespace rti::test
