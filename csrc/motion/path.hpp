// The path: a C² curve over the policy step through the waypoints of a chunk, plus a bridge.
//
// Knots sit at origin, origin + 1, …, with the slopes and curvatures of the cubic spline through
// the waypoints. The curve ends at the last waypoint, in full motion: that it is rested there is
// the clock's work. The step for which a policy would hold its last action counts as the path's,
// but nothing moves in it. A bridge is a quintic in the step that starts at the difference between
// where the reference is and this curve (value, slope, curvature) and is gone, C², `length` steps
// later: it makes a splice C² and keeps the chunk's own shape.
//
// keep_within() bounds the curve between the knots, too: where it would swing past a joint's range
// the knots next to it lose slope and curvature in proportion, and it stays C².
//
// Where a bridge is longer than the waypoints, hold_last() makes room for it: the last segment, a
// quintic, sheds its slope, and the last waypoint is held for the step that is its own.
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
    // About as fast as any joint moves on it [rad/step].
    [[nodiscard]] double steepest() const noexcept;

  private:
    double start_ = 0.0;
    double length_ = 0.0;
    std::array<JointArray, 6> c_{};  // coefficients of u = (at - start) / length
};

class Path {
  public:
    // Waypoints become knots; what was there before is gone. count >= 1; one alone is held.
    void set_waypoints(double origin_step, const JointArray* waypoints, std::size_t count) noexcept;
    void clear() noexcept { knots_ = 0; }
    // Takes from each knot's slope and curvature what could lead a joint past `low` or `high`
    // between two waypoints. A waypoint that is itself outside is passed level.
    void keep_within(const JointArray& low_rad, const JointArray& high_rad) noexcept;
    // Until `step`, joint j is where the curve has it at the next knot from there.
    void level(std::size_t j, double step) noexcept;
    [[nodiscard]] bool empty() const noexcept { return knots_ == 0; }

    [[nodiscard]] double origin() const noexcept { return origin_; }
    // Where the curve ends, and with it all motion.
    [[nodiscard]] double end() const noexcept {
        return origin_ + static_cast<double>(knots_) - 1.0;
    }
    // The last step a waypoint belongs to, and until when it does.
    [[nodiscard]] double last_waypoint() const noexcept { return held_until() - 1.0; }
    [[nodiscard]] double held_until() const noexcept { return end() + (held_ ? 0.0 : 1.0); }
    void hold_last() noexcept;

    [[nodiscard]] Bridge& bridge() noexcept { return bridge_; }
    // The curve with its bridge; steps outside [origin, end] read as the nearest end.
    [[nodiscard]] PathPoint at(double step) const noexcept;
    // About as fast as any joint moves from there on, at one step a unit of time [rad/step].
    [[nodiscard]] double steepest(double from) const noexcept;
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
    bool held_ = false;  // the last knot is the last waypoint once more
    Bridge bridge_{};
    std::array<Knot, RTI_MAX_CHUNK + 1> knot_{};
};

}  // namespace rti
