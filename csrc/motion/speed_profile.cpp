#include "motion/speed_profile.hpp"

#include <algorithm>
#include <cmath>

namespace rti {
namespace {

constexpr double kTiny = 1e-12;
// The clock itself never brakes harder than from nominal rate to zero in this time: where no joint
// moves, nothing else would bound it.
constexpr double kShortestBraking_s = 0.05;
// Between two samples: a share of a step, no longer than this at nominal rate, and no joint moves
// farther than its envelope may be taken for straight.
constexpr double kWidest_steps = 0.25;
constexpr double kNarrowest_steps = 1.0 / 64.0;
constexpr double kLongest_s = 0.010;
constexpr double kFarthest_rad = 0.05;
// Steps of the ceiling are spread over this long, at nominal rate: the clock would shake on them.
constexpr double kLevel_s = 0.05;
constexpr double kSlow = 0.2;  // of the nominal rate

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

// Slope and curvature of the path at a sample.
struct Bend {
    JointArray d1;
    JointArray d2;
};

// Deceleration of the clock [steps/s²] that every joint can follow at this point and rate². A path
// that bends against the motion takes of it, one that bends with it adds to it.
double braking(const Bend& point, double squared, const PlannerLimits& limits) noexcept {
    double decel = limits.brake_acceleration / kTiny;
    for (std::size_t j = 0; j < kDof; ++j) {
        const double slope = std::abs(point.d1[j]);
        if (slope < kTiny) continue;
        const double along = std::copysign(1.0, point.d1[j]) * point.d2[j] * squared;
        const double left = limits.brake_acceleration + along;
        decel = std::min(decel, std::max(left, 0.02 * limits.brake_acceleration) / slope);
    }
    return decel;
}

// Turns `count` ceilings into one without steps that lies nowhere above them: the lowest within
// `reach` samples, and of that the mean within half as many, twice. What is below `slow` stays as
// it is: so slow a clock shakes nobody, and where it may not run at all is nobody else's business.
// Nor does it begin at once: a clock that comes in at its rate need not lose any of it for that.
void level(double* ceilings, std::size_t count, std::size_t reach, double slow) noexcept {
    using Ceilings = std::array<double, SpeedProfile::kSamples + 1>;
    const auto last = static_cast<std::ptrdiff_t>(count) - 1;
    const auto far = static_cast<std::ptrdiff_t>(reach);
    Ceilings lowest;
    for (std::ptrdiff_t i = 0; i <= last; ++i) {
        const double* from = ceilings + std::max<std::ptrdiff_t>(0, i - far);
        const double* to = ceilings + std::min(last, i + far) + 1;
        lowest[static_cast<std::size_t>(i)] = *std::min_element(from, to);
    }
    const std::ptrdiff_t half = far / 2;
    const auto mean = [&](const Ceilings& in, Ceilings& out) {
        const auto at = [&](std::ptrdiff_t i) {
            return in[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(i, 0, last))];
        };
        double sum = 0.0;
        for (std::ptrdiff_t i = -half; i <= half; ++i) sum += at(i);
        for (std::ptrdiff_t i = 0; i <= last; ++i) {
            out[static_cast<std::size_t>(i)] = sum / static_cast<double>(2 * half + 1);
            sum += at(i + half + 1) - at(i - half);
        }
    };
    Ceilings once;
    mean(lowest, once);
    mean(once, lowest);
    for (std::size_t i = 0; i < count; ++i) {
        const double levelled =
            std::max(std::min(lowest[i], ceilings[i]), std::min(ceilings[i], slow));
        const double share = std::min(1.0, static_cast<double>(i) / static_cast<double>(2 * reach));
        ceilings[i] += share * (levelled - ceilings[i]);
    }
}

// Steps between two samples: a whole part of one.
double spacing(double steepest, double nominal_rate) noexcept {
    double steps = kWidest_steps;
    while (steps > kNarrowest_steps &&
           (steps > nominal_rate * kLongest_s || steps * steepest > kFarthest_rad)) {
        steps *= 0.5;
    }
    return steps;
}

}  // namespace

void SpeedProfile::build(const Path& path, double from, double nominal_rate,
                         const PlannerLimits& limits) noexcept {
    spacing_ = spacing(path.steepest(from), nominal_rate);
    from_ = path.origin() + spacing_ * std::floor((from - path.origin()) / spacing_);
    const auto wanted = std::lround(std::max(0.0, path.end() - from_) / spacing_);
    cut_ = wanted > static_cast<long>(kSamples);
    samples_ = std::clamp(static_cast<std::size_t>(wanted), std::size_t{1}, kSamples);

    const double nominal_squared = nominal_rate * nominal_rate;
    const double hardest = nominal_rate / kShortestBraking_s;
    std::array<Bend, kSamples + 1> bends;  // 57 KB of the loop's stack, which is prefaulted
    for (std::size_t i = 0; i <= samples_; ++i) {
        const PathPoint point = path.at(from_ + spacing_ * static_cast<double>(i));
        bends[i] = {point.d1, point.d2};
        squared_rate_[i] = ceiling(point, nominal_squared, limits);
    }
    const double reach = std::max(2.0, std::round(kLevel_s * nominal_rate / spacing_));
    level(squared_rate_.data(), samples_ + 1, static_cast<std::size_t>(reach),
          kSlow * kSlow * nominal_squared);
    squared_rate_[samples_] = 0.0;
    last_way_ = from_;
    bool last_way = true;
    for (std::size_t i = samples_; i-- > 0;) {
        const double most = squared_rate_[i];
        // Two looks at the braking power: at the rate we would come to, then at the one we would
        // have.
        const double next = squared_rate_[i + 1];
        const double later = std::min(braking(bends[i + 1], next, limits), hardest);
        const auto rise = [&](double squared) {
            return 2.0 * spacing_ * std::min(later, braking(bends[i], squared, limits));
        };
        const double risen = rise(std::min(most, next + rise(next)));
        squared_rate_[i] = std::min(most, next + risen);
        // Where the level is all but reached already there is nothing to leave it for.
        const double braked = (most - next) / risen;
        corner_[i] = braked > 1e-6 && braked < 1.0 ? 1.0 - braked : 0.0;
        if (last_way && braked < 1.0) {
            last_way = false;
            last_way_ = from_ + spacing_ * (static_cast<double>(i + 1) - std::max(braked, 0.0));
        }
    }
}

SpeedProfile::Cell SpeedProfile::cell(double step) const noexcept {
    const double local = (step - from_) / spacing_;
    const std::size_t index =
        std::min(static_cast<std::size_t>(std::max(0.0, local)), samples_ - 1);
    return {index, local - static_cast<double>(index)};
}

double SpeedProfile::value(const Cell& cell) const noexcept {
    const double corner = corner_[cell.index];
    const double share = (cell.fraction - corner) / (1.0 - corner);
    const double high = squared_rate_[cell.index];
    return corner > 0.0 && share < 0.0 ? high
                                       : high + share * (squared_rate_[cell.index + 1] - high);
}

double SpeedProfile::integral(const Cell& cell) const noexcept {
    const double level = std::min(cell.fraction, corner_[cell.index]);
    const double high = squared_rate_[cell.index];
    return corner_[cell.index] > 0.0 && cell.fraction < corner_[cell.index]
               ? cell.fraction * high
               : level * high + 0.5 * (cell.fraction - level) * (high + value(cell));
}

double SpeedProfile::slope(const Cell& cell) const noexcept {
    const double corner = corner_[cell.index];
    if (corner > 0.0 && cell.fraction < corner) return 0.0;
    return (squared_rate_[cell.index + 1] - squared_rate_[cell.index]) / (1.0 - corner);
}

double SpeedProfile::squared_rate(double step) const noexcept {
    Cell at = cell(step);
    at.fraction = std::clamp(at.fraction, 0.0, 1.0);
    return value(at);
}

SpeedProfile::Pace SpeedProfile::pace(double step) const noexcept {
    const Cell at = cell(step);
    return {value(at), 0.5 * slope(at) / spacing_};
}

SpeedProfile::Pace SpeedProfile::pace(double step, double width) const noexcept {
    const double half = 0.5 * std::max(width, 1e-3 * spacing_);
    const Cell from = cell(step - half);
    const Cell to = cell(step + half);
    double sum = integral(to) - integral(from);
    for (std::size_t i = from.index; i < to.index; ++i) sum += integral({i, 1.0});
    const double mean = 0.5 * sum * spacing_ / half;
    return {std::min(mean, squared_rate(step)), 0.25 * (value(to) - value(from)) / half};
}

bool SpeedProfile::final_way(double step) const noexcept {
    return !cut_ && cell(step).index + 1 == samples_;
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
