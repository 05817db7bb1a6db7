// What a stop is measured against: the time-optimal stop along the same curve, computed apart.
//
// Nothing here knows the motion's path, profile or clock. The curve is the natural cubic spline
// through a chunk's targets, solved anew; the reference brakes along it as hard as 10 rad/s² on
// every joint allow, from the state in which the arm began to brake, in steps of 10 µs:
//     q̈ = q″ ṡ² + q′ s̈,  |q̈| <= 10 for all joints,  s̈ as small as that permits, until ṡ = 0.
// Rest is, for both, a speed below 1 mrad/s on every joint.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "arms/fci_limits.hpp"
#include "tests/motion_rig.hpp"

namespace rti::test {

inline constexpr double kAtRest_rad_s = 1e-3;

// The natural cubic spline through `targets`, one step apart.
class NaturalSpline {
  public:
    struct Point {
        JointArray q{};
        JointArray d1{};
        JointArray d2{};
    };

    explicit NaturalSpline(std::vector<JointArray> targets)
        : q_(std::move(targets)), bend_(q_.size()) {
        // Gauss and Seidel: the system is diagonally dominant, so this converges by a factor of two
        // or more a round, from anywhere.
        for (int round = 0; round < 60; ++round) {
            for (std::size_t i = 1; i + 1 < q_.size(); ++i) {
                for (std::size_t j = 0; j < kDof; ++j) {
                    const double turn = q_[i + 1][j] - 2.0 * q_[i][j] + q_[i - 1][j];
                    bend_[i][j] = (6.0 * turn - bend_[i - 1][j] - bend_[i + 1][j]) / 4.0;
                }
            }
        }
    }

    [[nodiscard]] double end() const { return static_cast<double>(q_.size() - 1); }
    [[nodiscard]] Point at(double step) const {
        step = std::clamp(step, 0.0, end());
        const std::size_t i = std::min(static_cast<std::size_t>(step), q_.size() - 2);
        const double b = step - static_cast<double>(i);
        const double a = 1.0 - b;
        Point point;
        for (std::size_t j = 0; j < kDof; ++j) {
            const double left = bend_[i][j];
            const double right = bend_[i + 1][j];
            point.q[j] = a * q_[i][j] + b * q_[i + 1][j] +
                         ((a * a * a - a) * left + (b * b * b - b) * right) / 6.0;
            point.d1[j] = q_[i + 1][j] - q_[i][j] +
                          ((1.0 - 3.0 * a * a) * left + (3.0 * b * b - 1.0) * right) / 6.0;
            point.d2[j] = a * left + b * right;
        }
        return point;
    }

  private:
    std::vector<JointArray> q_;
    std::vector<JointArray> bend_;
};

inline double fastest(const JointArray& per_step, double rate) {
    double speed = 0.0;
    for (const double slope : per_step) speed = std::max(speed, std::abs(slope) * rate);
    return speed;
}

// How long the time-optimal stop from `step`, at `rate` [steps/s], takes [s].
inline double shortest_stop_s(const NaturalSpline& curve, double step, double rate) {
    constexpr double kStep_s = 1e-5;
    double time_s = 0.0;
    while (true) {
        const NaturalSpline::Point point = curve.at(step);
        if (rate <= 0.0 || fastest(point.d1, rate) < kAtRest_rad_s) return time_s;
        double hardest = -1e9;
        for (std::size_t j = 0; j < kDof; ++j) {
            if (std::abs(point.d1[j]) < 1e-12) continue;
            const double towards = std::copysign(1.0, point.d1[j]);
            const double bending = towards * point.d2[j] * rate * rate;
            hardest = std::max(hardest,
                               (-fci::kAccelerationMax_rad_s2 - bending) / std::abs(point.d1[j]));
        }
        rate += hardest * kStep_s;
        step += rate * kStep_s;
        time_s += kStep_s;
    }
}

// One stop of an arm, as it was driven and as it might have been.
struct Stop {
    double speed_rad_s = 0.0;     // of the fastest joint at the onset
    double took_s = 0.0;          // from the onset of braking to rest
    double shortest_s = 0.0;      // the time-optimal one
    double off_path_rad = 0.0;    // farthest from the curve, from the onset on
    double off_target_rad = 0.0;  // where it rests, from where it should
    [[nodiscard]] double ratio() const { return took_s / shortest_s; }
};

// What was driven, cycle by cycle.
struct Driven {
    double step = 0.0;  // of the policy clock, from the curve's first target on
    double rate = 0.0;
    JointArray q{};
};

// Measures the stop at the end of `run`. The onset is the first cycle from which on the clock's
// rate stays below 99.5 % of the highest it had.
inline Stop measure(const std::vector<Driven>& run, const NaturalSpline& curve,
                    const JointArray& target) {
    std::size_t rest = run.size() - 1;
    while (rest > 1 && distance(run[rest].q, run[rest - 1].q) / kCycle_s < kAtRest_rad_s) {
        --rest;
    }
    double highest = 0.0;
    for (const Driven& cycle : run) highest = std::max(highest, cycle.rate);
    std::size_t onset = rest;
    while (onset > 0 && run[onset - 1].rate < 0.995 * highest) --onset;

    Stop stop;
    const Driven& from = run[onset];
    stop.speed_rad_s = fastest(curve.at(from.step).d1, from.rate);
    stop.took_s = static_cast<double>(rest + 1 - onset) * kCycle_s;
    stop.shortest_s = shortest_stop_s(curve, from.step, from.rate);
    // The nearest point of the curve: around where the clock is, a hundredth of a step apart.
    for (std::size_t i = onset; i < run.size(); ++i) {
        const double step = std::min(run[i].step, curve.end());
        double nearest = distance(run[i].q, curve.at(step).q);
        for (int k = -20; nearest > 1e-9 && k <= 20; ++k) {
            nearest = std::min(nearest, distance(run[i].q, curve.at(step + 0.01 * k).q));
        }
        stop.off_path_rad = std::max(stop.off_path_rad, nearest);
    }
    stop.off_target_rad = distance(run.back().q, target);
    return stop;
}

}  // namespace rti::test
