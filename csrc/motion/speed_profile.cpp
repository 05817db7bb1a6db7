#include "motion/speed_profile.hpp"

#include <algorithm>
#include <cmath>

namespace rti {
namespace {

constexpr double kTiny = 1e-12;
// The clock itself never brakes harder than from nominal rate to zero in this time: where no joint
// moves, nothing else would bound it.
constexpr double kShortestBraking_s = 0.10;
// With more than this ahead the samples are laid onto the knots [steps].
constexpr double kKnotsAhead = 2.0;

// Highest rate² at a point of the path, from each joint's velocity, acceleration and jerk limit.
double ceiling(const PathPoint& point, double nominal_squared,
               const PlannerLimits& limits) noexcept {
    double squared = nominal_squared;
    const double nominal_cubed = nominal_squared * std::sqrt(nominal_squared);
    for (std::size_t j = 0; j < kDof; ++j) {
        const double slope = std::abs(point.d1[j]);
        const double curvature = std::abs(point.d2[j]);
        const double third = std::abs(point.d3[j]);
        if (slope > kTiny) {
            const double rate = limits.envelope.speed(j, point.q[j], point.d1[j]) / slope;
            squared = std::min(squared, rate * rate);
        }
        if (curvature * squared > limits.cruise_acceleration) {
            squared = limits.cruise_acceleration / curvature;
        }
        if (third * nominal_cubed > limits.jerk) {
            squared = std::min(squared, std::pow(limits.jerk / third, 2.0 / 3.0));
        }
    }
    return squared;
}

// Deceleration of the clock [steps/s²] that every joint can follow at this point and rate².
double braking(const PathPoint& point, double squared, const PlannerLimits& limits) noexcept {
    double decel = limits.brake_acceleration / kTiny;
    for (std::size_t j = 0; j < kDof; ++j) {
        const double slope = std::abs(point.d1[j]);
        if (slope < kTiny) continue;
        const double left = limits.brake_acceleration - std::abs(point.d2[j]) * squared;
        decel = std::min(decel, std::max(left, 0.02 * limits.brake_acceleration) / slope);
    }
    return decel;
}

}  // namespace

void SpeedProfile::build(const Path& path, double from, double nominal_rate,
                         const PlannerLimits& limits) noexcept {
    const double window = kSpacing * static_cast<double>(kSamples);
    // Curvature peaks at the knots, so each of them is a sample; the last ones lie as they come,
    // between here and the end.
    const double whole = kSpacing * std::floor((from - path.origin()) / kSpacing);
    from_ = path.end() - from > kKnotsAhead ? path.origin() + whole : from;
    const double length = std::max(0.0, path.end() - from_);
    cut_ = length > window;
    const double covered = cut_ ? window : length;
    samples_ = std::clamp(static_cast<std::size_t>(std::ceil(covered / kSpacing - kTiny)),
                          std::size_t{1}, kSamples);
    spacing_ = std::max(covered / static_cast<double>(samples_), kTiny);

    const double nominal_squared = nominal_rate * nominal_rate;
    const double hardest = nominal_rate / kShortestBraking_s;
    const auto point_at = [&](std::size_t i) {
        return path.at(from_ + spacing_ * static_cast<double>(i));
    };
    // What lies between two samples is about as bad as the worse of them, so each sample answers
    // for its neighbours too: a rolling window of three, walked backwards.
    PathPoint after = point_at(samples_);
    PathPoint here = point_at(samples_ - 1);
    double ceiling_after = ceiling(after, nominal_squared, limits);
    double ceiling_here = ceiling(here, nominal_squared, limits);
    squared_rate_[samples_] = 0.0;
    for (std::size_t i = samples_; i-- > 0;) {
        const PathPoint before = i > 0 ? point_at(i - 1) : here;
        const double ceiling_before =
            i > 0 ? ceiling(before, nominal_squared, limits) : ceiling_here;
        const double most = std::min({ceiling_before, ceiling_here, ceiling_after});
        // Two looks at the braking power: at the rate we would come to, then at the one we would
        // have.
        const double next = squared_rate_[i + 1];
        const auto power = [&](double squared) {
            return std::min(
                {braking(here, squared, limits), braking(after, squared, limits), hardest});
        };
        const double tried = std::min(most, next + 2.0 * spacing_ * power(next));
        squared_rate_[i] = std::min(most, next + 2.0 * spacing_ * power(tried));
        after = here;
        here = before;
        ceiling_after = ceiling_here;
        ceiling_here = ceiling_before;
    }
}

SpeedProfile::Cell SpeedProfile::cell(double step) const noexcept {
    const double local = std::max(0.0, (step - from_) / spacing_);
    const std::size_t index = std::min(static_cast<std::size_t>(local), samples_ - 1);
    return {index, std::min(local - static_cast<double>(index), 1.0)};
}

double SpeedProfile::squared_rate(double step) const noexcept {
    const auto [i, fraction] = cell(step);
    return squared_rate_[i] + fraction * (squared_rate_[i + 1] - squared_rate_[i]);
}

double SpeedProfile::acceleration(double step) const noexcept {
    const std::size_t i = cell(step).index;
    return 0.5 * (squared_rate_[i + 1] - squared_rate_[i]) / spacing_;
}

double SpeedProfile::lowest_squared_rate(double from, double to) const noexcept {
    double lowest = std::min(squared_rate(from), squared_rate(to));
    const std::size_t last = cell(to).index;
    for (std::size_t i = cell(from).index + 1; i <= last; ++i)
        lowest = std::min(lowest, squared_rate_[i]);
    return lowest;
}

bool SpeedProfile::used_up(double step) const noexcept {
    return cut_ && step > from_ + 0.5 * spacing_ * static_cast<double>(samples_);
}

}  // namespace rti
