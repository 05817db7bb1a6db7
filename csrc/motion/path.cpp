#include "motion/path.hpp"

#include <algorithm>
#include <cmath>

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

void Path::set_waypoints(double origin_step, const JointArray* waypoints,
                         std::size_t count) noexcept {
    origin_ = origin_step;
    knots_ = count + 1;
    bridge_.clear();
    for (std::size_t i = 0; i <= count; ++i) {
        Knot& knot = knot_[i];
        const std::size_t here = std::min(i, count - 1);
        knot.q = waypoints[here];
        knot.d1.fill(0.0);
        knot.d2.fill(0.0);
        // The last waypoint and its held copy are where the path rests: no slope, no curvature.
        if (i + 1 >= count) continue;
        const JointArray& next = waypoints[here + 1];
        const JointArray& before = waypoints[here == 0 ? 0 : here - 1];
        for (std::size_t j = 0; j < kDof; ++j) {
            if (here == 0) {
                knot.d1[j] = next[j] - knot.q[j];
            } else {
                knot.d1[j] = 0.5 * (next[j] - before[j]);
                knot.d2[j] = next[j] - 2.0 * knot.q[j] + before[j];
            }
        }
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

PathPoint Path::at(double step) const noexcept {
    PathPoint point = curve(step);
    bridge_.add_to(std::min(step, end()), point);
    return point;
}

}  // namespace rti
