// The path: through the waypoints, C² at the knots and across a bridge, to the last of them.
#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "motion/path.hpp"
#include "tests/motion_rig.hpp"

namespace rti {
namespace {

std::vector<JointArray> random_waypoints(std::size_t count, unsigned seed) {
    std::mt19937 generator(seed);
    std::uniform_real_distribution<double> step(-0.05, 0.05);
    std::vector<JointArray> waypoints(count, test::ready());
    for (std::size_t i = 1; i < count; ++i) {
        for (std::size_t j = 0; j < kDof; ++j)
            waypoints[i][j] = waypoints[i - 1][j] + step(generator);
    }
    return waypoints;
}

// Worst difference of value, slope and curvature between two points of a path.
double jump(const PathPoint& a, const PathPoint& b) {
    return std::max({distance(a.q, b.q), distance(a.d1, b.d1), distance(a.d2, b.d2)});
}

TEST_CASE("the path passes through every waypoint at its step") {
    const auto waypoints = random_waypoints(50, 1);
    Path path;
    path.set_waypoints(13.37, waypoints.data(), waypoints.size());
    for (std::size_t i = 0; i < waypoints.size(); ++i) {
        CHECK(distance(path.at(13.37 + static_cast<double>(i)).q, waypoints[i]) < 1e-12);
    }
}

TEST_CASE("value, slope and curvature are continuous at every knot") {
    const auto waypoints = random_waypoints(50, 2);
    Path path;
    path.set_waypoints(0.0, waypoints.data(), waypoints.size());
    for (int knot = 1; knot < 50; ++knot) {
        CHECK(jump(path.at(knot - 1e-9), path.at(knot + 1e-9)) < 1e-6);
    }
}

TEST_CASE("between sparse samples of a sine the path is the sine") {
    // 16 samples a period: what is left of a cubic spline's error is (2π/16)^4 / 384 of the
    // amplitude.
    std::vector<JointArray> waypoints(64, test::ready());
    const auto sine = [](double step) { return 0.3 * std::sin(2.0 * M_PI * step / 16.0); };
    for (std::size_t i = 0; i < waypoints.size(); ++i)
        waypoints[i][2] += sine(static_cast<double>(i));
    Path path;
    path.set_waypoints(0.0, waypoints.data(), waypoints.size());
    for (double at = 16.0; at < 48.0; at += 0.1) {
        CHECK(std::abs(path.at(at).q[2] - test::ready()[2] - sine(at)) < 0.3 * 1e-4);
    }
}

TEST_CASE("derivatives are those of the curve") {
    const auto waypoints = random_waypoints(10, 3);
    Path path;
    path.set_waypoints(0.0, waypoints.data(), waypoints.size());
    path.bridge().set(0.3, 4.0, waypoints[3], waypoints[1], waypoints[2]);
    constexpr double kStep = 1e-5;
    for (double at = 0.31; at < 9.0; at += 0.37) {
        const PathPoint before = path.at(at - kStep);
        const PathPoint here = path.at(at);
        const PathPoint after = path.at(at + kStep);
        for (std::size_t j = 0; j < kDof; ++j) {
            CHECK(here.d1[j] ==
                  doctest::Approx((after.q[j] - before.q[j]) / (2 * kStep)).epsilon(1e-4));
            CHECK(here.d2[j] ==
                  doctest::Approx((after.d1[j] - before.d1[j]) / (2 * kStep)).epsilon(1e-4));
            CHECK(here.d3[j] ==
                  doctest::Approx((after.d2[j] - before.d2[j]) / (2 * kStep)).epsilon(1e-3));
        }
    }
}

TEST_CASE("the curve ends at the last waypoint in full motion, straight; its own step is counted") {
    const auto waypoints = random_waypoints(20, 4);
    Path path;
    path.set_waypoints(5.0, waypoints.data(), waypoints.size());
    CHECK(path.end() == doctest::Approx(24.0));
    CHECK(path.last_waypoint() == doctest::Approx(24.0));
    CHECK(path.held_until() == doctest::Approx(25.0));
    const PathPoint before = path.at(24.0 - 1e-9);
    const PathPoint end = path.at(24.0);
    CHECK(jump(before, end) < 1e-6);
    CHECK(distance(end.q, waypoints.back()) < 1e-12);
    CHECK(distance(end.d2, JointArray{}) < 1e-12);
    // Not bent to rest: the slope is about that of the last two waypoints.
    const double rise = distance(waypoints[19], waypoints[18]);
    CHECK(distance(end.d1, JointArray{}) > 0.5 * rise);
    CHECK(distance(path.at(30.0).q, waypoints.back()) < 1e-12);
}

TEST_CASE("where room is made for a bridge, the last waypoint is held at rest for its own step") {
    const auto waypoints = random_waypoints(20, 4);
    Path path;
    path.set_waypoints(5.0, waypoints.data(), waypoints.size());
    const PathPoint before = path.at(23.0);
    path.hold_last();
    CHECK(path.end() == doctest::Approx(25.0));
    CHECK(path.last_waypoint() == doctest::Approx(24.0));
    CHECK(path.held_until() == doctest::Approx(25.0));
    CHECK(jump(path.at(23.0), before) < 1e-12);
    for (int knot = 6; knot < 25; ++knot) {
        CHECK(jump(path.at(knot - 1e-9), path.at(knot + 1e-9)) < 1e-6);
    }
    for (double at : {24.0, 24.3, 24.9, 25.0, 30.0}) {
        const PathPoint point = path.at(at);
        CHECK(distance(point.q, waypoints.back()) < 1e-12);
        CHECK(distance(point.d1, JointArray{}) < 1e-12);
        CHECK(distance(point.d2, JointArray{}) < 1e-12);
    }
}

TEST_CASE("a chunk of one action is a path that stays where it is") {
    const auto waypoints = random_waypoints(1, 5);
    Path path;
    path.set_waypoints(2.0, waypoints.data(), 1);
    CHECK(path.end() == doctest::Approx(3.0));
    CHECK(distance(path.at(2.5).q, waypoints[0]) < 1e-12);
}

TEST_CASE("a bridge starts with the given value, slope and curvature, and ends with none") {
    const JointArray value{0.1, -0.2, 0.3, 0.0, 0.05, 0.0, -0.1};
    const JointArray slope{0.01, 0.02, -0.03, 0.04, 0.0, 0.0, 0.01};
    const JointArray curvature{-0.001, 0.002, 0.0, 0.0, 0.003, 0.0, 0.01};
    Bridge bridge;
    bridge.set(7.2, 3.5, value, slope, curvature);
    PathPoint start;
    bridge.add_to(7.2, start);
    CHECK(distance(start.q, value) < 1e-12);
    CHECK(distance(start.d1, slope) < 1e-12);
    CHECK(distance(start.d2, curvature) < 1e-12);
    PathPoint end;
    bridge.add_to(7.2 + 3.5 - 1e-9, end);
    CHECK(jump(end, PathPoint{}) < 1e-8);
    CHECK_FALSE(bridge.covers(7.2 + 3.5));
}

}  // namespace
}  // namespace rti
