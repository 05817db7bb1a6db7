// Command streams for the tests of FCI's rules. They move joint 1 unless they say otherwise;
// command k is meant for time k · 1 ms, and command 0 is the start pose itself.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>

#include "arms/fci_rules.hpp"

namespace rti::fci {

inline constexpr JointArray kReady = {
    0.0, -0.7853981633974483, 0.0, -2.356194490192345, 0.0, 1.5707963267948966, 0.7853981633974483};

inline JointArray with_joint(std::size_t joint, double q_rad) {
    JointArray q = kReady;
    q[joint] = q_rad;
    return q;
}

struct Verdict {
    Reflex reflex = Reflex::kNone;
    int command = -1;  // the refused one, counted from 0
};

using Stream = std::function<double(int command)>;

inline Verdict follow(FciRules& rules, int commands, const Stream& joint_1_rad) {
    for (int k = 0; k < commands; ++k) {
        const Reflex reflex = rules.accept(with_joint(0, joint_1_rad(k)));
        if (reflex != Reflex::kNone) return {reflex, k};
    }
    return {};
}

inline FciRules started(const JointArray& q = kReady) {
    FciRules rules;
    rules.start(q);
    return rules;
}

// From 0 to `distance_rad` in `duration_s`, at rest with no acceleration at both ends.
inline double quintic_rad(double distance_rad, double duration_s, double time_s) {
    const double s = std::min(time_s / duration_s, 1.0);
    return distance_rad * s * s * s * (10.0 + s * (-15.0 + s * 6.0));
}

// A joint on its way to a given acceleration at 0.9 of the jerk limit; next() is its position a
// cycle later.
class Ramp {
  public:
    Ramp(double q_rad, double acceleration_rad_s2)
        : q_rad_(q_rad), target_rad_s2_(acceleration_rad_s2) {}

    double next() {
        constexpr double kStep = 0.9 * kJerkMax_rad_s3 * kCycle_s;
        ddq_ += std::clamp(target_rad_s2_ - ddq_, -kStep, kStep);
        dq_ += ddq_ * kCycle_s;
        return q_rad_ += dq_ * kCycle_s;
    }
    void steer(double acceleration_rad_s2) { target_rad_s2_ = acceleration_rad_s2; }

  private:
    double q_rad_;
    double dq_ = 0.0;
    double ddq_ = 0.0;
    double target_rad_s2_;
};

}  // namespace rti::fci
