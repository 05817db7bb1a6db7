#include "motion/path.hpp"

#include <algorithm>
#include <cmath>

#include "motion/quintic.hpp"

namespace rti {

void Bridge::set(double start, double length, const JointArray& value, const JointArray& slope,
                 const JointArray& curvature) noexcept {
    start_ = start;
    length_ = length;
    for (std::size_t j = 0; j < kDof; ++j) {
        // In u = (at - start) / length: the three conditions at u = 0 give c0..c2, those at u = 1
        // the rest.
        const double c0 = value[j];
        const double c1 = slope[j] * length;
        const double c2 = 0.5 * curvature[j] * length * length;
        c_[0][j] = c0;
        c_[1][j] = c1;
        c_[2][j] = c2;
        c_[3][j] = -10.0 * c0 - 6.0 * c1 - 3.0 * c2;
        c_[4][j] = 15.0 * c0 + 8.0 * c1 + 3.0 * c2;
        c_[5][j] = -6.0 * c0 - 3.0 * c1 - c2;
    }
}

void Bridge::add_to(double at, PathPoint& point) const noexcept {
    if (!covers(at)) return;
    const double u = std::max(0.0, (at - start_) / length_);
    const double by_step = 1.0 / length_;
    for (std::size_t j = 0; j < kDof; ++j) {
        const double c1 = c_[1][j];
        const double c2 = c_[2][j];
        const double c3 = c_[3][j];
        const double c4 = c_[4][j];
        const double c5 = c_[5][j];
        point.q[j] += c_[0][j] + u * (c1 + u * (c2 + u * (c3 + u * (c4 + u * c5))));
        point.d1[j] += by_step * (c1 + u * (2 * c2 + u * (3 * c3 + u * (4 * c4 + u * 5 * c5))));
        point.d2[j] += by_step * by_step * (2 * c2 + u * (6 * c3 + u * (12 * c4 + u * 20 * c5)));
        point.d3[j] += by_step * by_step * by_step * (6 * c3 + u * (24 * c4 + u * 60 * c5));
    }
}

double Bridge::steepest() const noexcept {
    if (length_ <= 0.0) return 0.0;
    double steepest = 0.0;
    for (std::size_t j = 0; j < kDof; ++j) {
        steepest = std::max(steepest, kPeakVelocity * std::abs(c_[0][j]) + std::abs(c_[1][j]));
    }
    return steepest / length_;
}

void Path::set_waypoints(double origin_step, const JointArray* waypoints,
                         std::size_t count) noexcept {
    origin_ = origin_step;
    knots_ = count;
    held_ = false;
    bridge_.clear();
    for (std::size_t i = 0; i < count; ++i) knot_[i] = Knot{.q = waypoints[i]};
    if (count >= 3) bend(count - 1);
    // Slopes that belong to those curvatures.
    for (std::size_t i = 0; i + 1 < count; ++i) {
        Knot& a = knot_[i];
        Knot& b = knot_[i + 1];
        for (std::size_t j = 0; j < kDof; ++j) {
            const double rise = b.q[j] - a.q[j];
            a.d1[j] = rise - (2.0 * a.d2[j] + b.d2[j]) / 6.0;
            b.d1[j] = rise + (a.d2[j] + 2.0 * b.d2[j]) / 6.0;  // what stays at the last one
        }
    }
    if (count == 1) hold_last();
}

// A quintic between two knots lies inside the hull of its Bézier points: at each of them q, then
// q ± d1 / 5 and q ± 2 d1 / 5 + d2 / 20 on the side of the neighbour. Each knot keeps its own
// inside.
void Path::keep_within(const JointArray& low_rad, const JointArray& high_rad) noexcept {
    for (std::size_t i = 0; i < knots_; ++i) {
        Knot& knot = knot_[i];
        for (std::size_t j = 0; j < kDof; ++j) {
            const double leaning = std::abs(knot.d1[j]) / 5.0;
            const double bending = knot.d2[j] / 20.0;
            const double up = std::max(leaning, 2.0 * leaning + bending);
            const double down = std::max(leaning, 2.0 * leaning - bending);
            const double room_up = std::max(0.0, high_rad[j] - knot.q[j]);
            const double room_down = std::max(0.0, knot.q[j] - low_rad[j]);
            double share = 1.0;
            if (up > room_up) share = std::min(share, room_up / up);
            if (down > room_down) share = std::min(share, room_down / down);
            knot.d1[j] *= share;
            knot.d2[j] *= share;
        }
    }
}

void Path::level(std::size_t j, double step) noexcept {
    const double local =
        std::clamp(std::ceil(step - origin_), 0.0, static_cast<double>(knots_ - 1));
    const auto last = static_cast<std::size_t>(local);
    for (std::size_t i = 0; i <= last; ++i) {
        knot_[i].q[j] = knot_[last].q[j];
        knot_[i].d1[j] = knot_[i].d2[j] = 0.0;
    }
}

void Path::hold_last() noexcept {
    if (held_) return;
    held_ = true;
    Knot& last = knot_[knots_ - 1];
    last.d1 = last.d2 = JointArray{};
    knot_[knots_++] = last;
}

// Curvatures of the cubic spline through knots 0 to `last`, straight at both ends: of all curves
// through them the one that bends least. d2[i-1] + 4 d2[i] + d2[i+1] = 6 (q[i+1] - 2 q[i] +
// q[i-1]), solved by elimination; its factors are the same for every joint.
void Path::bend(std::size_t last) noexcept {
    std::array<double, RTI_MAX_CHUNK> factor;
    factor[0] = 0.0;
    for (std::size_t i = 1; i < last; ++i) {
        factor[i] = 1.0 / (4.0 - factor[i - 1]);
        for (std::size_t j = 0; j < kDof; ++j) {
            const double turn = knot_[i + 1].q[j] - 2.0 * knot_[i].q[j] + knot_[i - 1].q[j];
            knot_[i].d2[j] = (6.0 * turn - knot_[i - 1].d2[j]) * factor[i];
        }
    }
    for (std::size_t i = last - 1; i > 0; --i) {
        for (std::size_t j = 0; j < kDof; ++j) knot_[i].d2[j] -= factor[i] * knot_[i + 1].d2[j];
    }
}

PathPoint Path::curve(double step) const noexcept {
    PathPoint point;
    const double local = std::clamp(step - origin_, 0.0, static_cast<double>(knots_ - 1));
    const std::size_t i = std::min(static_cast<std::size_t>(local), knots_ - 2);
    const double u = local - static_cast<double>(i);
    const Knot& a = knot_[i];
    const Knot& b = knot_[i + 1];
    for (std::size_t j = 0; j < kDof; ++j) {
        // Quintic Hermite on a unit interval, written as a Taylor series around knot a.
        const double c1 = a.d1[j];
        const double c2 = 0.5 * a.d2[j];
        const double rise = b.q[j] - a.q[j] - c1 - c2;
        const double slope = b.d1[j] - c1 - a.d2[j];
        const double bend = b.d2[j] - a.d2[j];
        const double c3 = 10.0 * rise - 4.0 * slope + 0.5 * bend;
        const double c4 = -15.0 * rise + 7.0 * slope - bend;
        const double c5 = 6.0 * rise - 3.0 * slope + 0.5 * bend;
        point.q[j] = a.q[j] + u * (c1 + u * (c2 + u * (c3 + u * (c4 + u * c5))));
        point.d1[j] = c1 + u * (2 * c2 + u * (3 * c3 + u * (4 * c4 + u * 5 * c5)));
        point.d2[j] = 2 * c2 + u * (6 * c3 + u * (12 * c4 + u * 20 * c5));
        point.d3[j] = 6 * c3 + u * (24 * c4 + u * 60 * c5);
    }
    return point;
}

double Path::steepest(double from) const noexcept {
    double steepest = 0.0;
    const auto first = static_cast<std::size_t>(std::max(0.0, from - origin_));
    for (std::size_t i = first; i + 1 < knots_; ++i) {
        for (std::size_t j = 0; j < kDof; ++j) {
            const double rise = std::abs(knot_[i + 1].q[j] - knot_[i].q[j]);
            steepest = std::max({steepest, rise, std::abs(knot_[i].d1[j])});
        }
    }
    return steepest + (bridge_.covers(from) ? bridge_.steepest() : 0.0);
}

PathPoint Path::at(double step) const noexcept {
    PathPoint point = curve(step);
    bridge_.add_to(std::min(step, end()), point);
    return point;
}

}  // namespace rti
