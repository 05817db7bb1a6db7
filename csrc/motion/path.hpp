// The path: a C² curve over the policy step through the waypoints of a chunk, plus a bridge.
//
// Knots sit at origin, origin + 1, …, with the slopes and curvatures of the cubic spline through
// the waypoints; between them run quintic Hermite segments, which are that spline's own cubics but
// for the last one: the last waypoint is a knot of zero slope and curvature, held for one more
// step, so every path ends at rest. A bridge is a quintic in the step that starts at the difference
// between where the reference is and this curve (value, slope, curvature) and is gone, C², `length`
// steps later: it makes a splice C² and keeps the chunk's own shape.
//
// No time here: derivatives are per policy step. Joint velocity is d1 · rate, acceleration
// d2 · rate² + d1 · rate', so with a C² clock motion is C² in time.
#pragma once

#include <array>
#include <cstddef>

#include "arms/arm.hpp"
#include "motion/chunk.hpp"

namespace rti {

// Position and its derivatives by policy step [rad, rad/step, rad/step², rad/step³].
struct PathPoint {
    JointArray q{};
    JointArray d1{};
    JointArray d2{};
    JointArray d3{};
};

// p(0) = value, p'(0) = slope, p''(0) = curvature, and p = p' = p'' = 0 from `length` on.
class Bridge {
  public:
    void set(double start, double length, const JointArray& value, const JointArray& slope,
             const JointArray& curvature) noexcept;
    void clear() noexcept { length_ = 0.0; }
    [[nodiscard]] bool covers(double at) const noexcept {
        return length_ > 0.0 && at < start_ + length_;
    }
    void add_to(double at, PathPoint& point) const noexcept;  // nothing where it does not cover

  private:
    double start_ = 0.0;
    double length_ = 0.0;
    std::array<JointArray, 6> c_{};  // coefficients of u = (at - start) / length
};

class Path {
  public:
    // Waypoints become knots; what was there before is gone. count >= 1.
    void set_waypoints(double origin_step, const JointArray* waypoints, std::size_t count) noexcept;
    void clear() noexcept { knots_ = 0; }
    [[nodiscard]] bool empty() const noexcept { return knots_ == 0; }

    [[nodiscard]] double origin() const noexcept { return origin_; }
    [[nodiscard]] double end() const noexcept {
        return origin_ + static_cast<double>(knots_) - 1.0;
    }
    // The last step a waypoint belongs to; from there to end() it is held.
    [[nodiscard]] double last_waypoint() const noexcept { return end() - 1.0; }

    [[nodiscard]] Bridge& bridge() noexcept { return bridge_; }
    // The curve with its bridge; steps outside [origin, end] read as the nearest end.
    [[nodiscard]] PathPoint at(double step) const noexcept;
    // The curve alone.
    [[nodiscard]] PathPoint curve(double step) const noexcept;

  private:
    struct Knot {
        JointArray q{};
        JointArray d1{};
        JointArray d2{};
    };
    void bend(std::size_t last) noexcept;

    double origin_ = 0.0;
    std::size_t knots_ = 0;
    Bridge bridge_{};
    std::array<Knot, RTI_MAX_CHUNK + 1> knot_{};
};

}  // namespace rti
