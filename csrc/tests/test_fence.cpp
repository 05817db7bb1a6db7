// The fence by itself: how long a stop takes, and which ways lead out of the box.
#include <doctest/doctest.h>

#include <random>
#include <tuple>

#include "motion/fence.hpp"
#include "tests/fence_rig.hpp"

namespace rti {
namespace {

using test::floor_at;
using test::led;
using test::Policy;

// ------------------------------------------------------------------ the way to rest

TEST_CASE("the way of an urgent stop is never underestimated") {
    std::mt19937 random(21);
    std::uniform_real_distribution<> step_rad(-1.0, 1.0);
    const MotionLimits limits = MotionLimits::fr3();
    const PlannerLimits planner(limits);
    double told = 0.0;
    double gone = 0.0;
    int stops = 0;
    for (int trial = 0; trial < 200; ++trial) {
        const double fps =
            std::array{5.0, 10.0, 30.0, 100.0, 200.0}[static_cast<std::size_t>(trial) % 5];
        // From calm strolls to targets that jump at every step.
        const double size = std::pow(10.0, -2.5 + 0.012 * trial) * 30.0 / fps;
        std::array<JointArray, 100> targets;
        JointArray q = test::ready();
        JointArray trend{};
        for (JointArray& target : targets) {
            for (std::size_t j = 0; j < kDof; ++j) {
                trend[j] = 0.8 * trend[j] + 0.6 * size * step_rad(random);
                q[j] = std::clamp(q[j] + trend[j], limits.q_min_rad[j] + 0.1,
                                  limits.q_max_rad[j] - 0.1);
            }
            target = q;
        }
        Path path;
        path.set_waypoints(0.0, targets.data(), targets.size());
        SpeedProfile profile;
        profile.build(path, 0.0, fps, planner);
        PolicyClock clock(fps);
        for (int cycle = 0; cycle < 4000 && clock.step() < 90.0; ++cycle) {
            clock.advance(path, profile, planner, false);
            if (profile.used_up(clock.step())) profile.build(path, clock.step(), fps, planner);
            if (cycle % 61 != 60 || clock.at_rest()) continue;
            PolicyClock stopping = clock;
            for (int i = 0; i < 5000 && !stopping.at_rest(); ++i) {
                stopping.advance(path, profile, planner, true);
            }
            REQUIRE(stopping.at_rest());
            const double way = clock.braking_distance(path, planner);
            CAPTURE(fps);
            CAPTURE(size);
            CHECK(stopping.step() - clock.step() <= way);
            told += way / fps;
            gone += (stopping.step() - clock.step()) / fps;
            ++stops;
        }
    }
    MESSAGE(stops << " stops, told " << told / gone << " of the way they took");
    CHECK(stops > 1000);
    CHECK(told < 1.6 * gone);
}

// ------------------------------------------------------------------ the fence alone

struct Straight {
    Path path;
    SpeedProfile profile;
    PolicyClock clock{30.0};
    PlannerLimits limits{MotionLimits::fr3()};

    // At speed on a straight way of the hand, `from` steps from its beginning.
    Straight(const Vector3& heading, double from) {
        const Policy policy = led(heading, 0.3, 30.0, 0.4);
        std::array<JointArray, 80> targets;
        for (std::size_t i = 0; i < targets.size(); ++i)
            targets[i] = policy(static_cast<double>(i));
        path.set_waypoints(0.0, targets.data(), targets.size());
        profile.build(path, 0.0, 30.0, limits);
        while (clock.step() < from) clock.advance(path, profile, limits, false);
    }
    [[nodiscard]] bool stopped_by(const Box& box) const {
        return Fence(box, test::hand_tool()).stops(path, profile, clock, limits);
    }
    [[nodiscard]] double tip_z() const { return test::urdf_tip(path.at(clock.step()).q)[2][3]; }
};

TEST_CASE("a fence with no side stops nothing") {
    CHECK_FALSE(Straight({0, 0, -1}, 20).stopped_by(Box{}));
}

TEST_CASE("the fence stops a hand that could not rest above the floor, and none that could") {
    const Straight diving({0, 0, -1}, 20);
    CHECK(diving.stopped_by(floor_at(diving.tip_z() - 0.005)));
    CHECK_FALSE(diving.stopped_by(floor_at(diving.tip_z() - 0.1)));
    CHECK_FALSE(Straight({0, 0, 1}, 20).stopped_by(floor_at(0.487)));
}

TEST_CASE("a hand that is outside may come in, and get no further out along any axis") {
    CHECK_FALSE(Straight({0, 0, 1}, 20).stopped_by(floor_at(0.8)));
    CHECK(Straight({0, 0, -1}, 20).stopped_by(floor_at(0.8)));
    // Coming up, and out through the wall at the side, with the tool or with the flange alone.
    Box box = floor_at(0.8);
    const Straight aslant({0, 0.8, 0.6}, 20);
    box.max_m[1] = test::urdf_tip(aslant.path.at(20.0).q)[1][3] + 0.005;
    CHECK(aslant.stopped_by(box));
    for (const double side_m : {0.1, -0.1}) {
        const Transform tool{.position = {side_m, side_m, 0.1}};
        const JointArray here = aslant.path.at(aslant.clock.step()).q;
        const double y = hand_points(here, tool).tip_m[1];
        const double flange_y = test::urdf_flange(here)[1][3];
        REQUIRE(std::abs(y - flange_y) > 0.1);
        box.max_m[1] = std::max(y, flange_y) + 0.005;
        CHECK(Fence(box, tool).stops(aslant.path, aslant.profile, aslant.clock, aslant.limits));
        box.max_m[1] += 0.2;
        CHECK_FALSE(
            Fence(box, tool).stops(aslant.path, aslant.profile, aslant.clock, aslant.limits));
    }
}

TEST_CASE("a curve inward may begin with a ripple, from wherever the arm is put") {
    const Straight rising({0, 0, 1}, 0.01);
    double dip = 0.0;
    for (double step = rising.clock.step(); step < 4.0; step += 0.1) {
        const double there = test::urdf_tip(rising.path.at(step).q)[2][3];
        dip = std::max(dip, rising.tip_z() - there);
    }
    REQUIRE(dip > 1e-6);
    REQUIRE(dip < 0.5e-3);
    Fence fence(floor_at(0.8), test::hand_tool());
    CHECK_FALSE(fence.stops(rising.path, rising.profile, rising.clock, rising.limits));
    // It comes nearly in, and is moved back by hand while it takes no commands.
    const Straight further({0, 0, 1}, 40);
    CHECK_FALSE(fence.stops(further.path, further.profile, further.clock, further.limits));
    CHECK(fence.stops(rising.path, rising.profile, rising.clock, rising.limits));
    fence.start();
    CHECK_FALSE(fence.stops(rising.path, rising.profile, rising.clock, rising.limits));
}

TEST_CASE("what no other path may use up is left for a ripple on the way in") {
    // Outward a little; then straight in, or held there.
    const auto dipping = [](double dip_m, bool in) {
        const Policy down = led({0, 0, -1}, 0.3, 30.0, 0.2);
        const Policy up = led({0, 0, 1}, 0.3, 30.0, 0.2);
        const double z = test::urdf_tip(test::ready())[2][3];
        double deep = 0.0;
        while (z - test::urdf_tip(down(deep))[2][3] < dip_m) deep += 0.01;
        std::array<JointArray, 40> targets;
        for (std::size_t i = 0; i < targets.size(); ++i) {
            const double at = static_cast<double>(i);
            targets[i] = i == 0 ? test::ready() : at < 8.0 || !in ? down(deep) : up(at - 8.0);
        }
        Straight there({0, 0, 1}, 0.0);
        there.path.set_waypoints(0.0, targets.data(), targets.size());
        there.profile.build(there.path, 0.0, 30.0, there.limits);
        while (there.clock.step() < 0.5) {
            there.clock.advance(there.path, there.profile, there.limits, false);
        }
        return there;
    };
    const Straight home({0, 0, 1}, 0.0);
    for (const auto& [dip_m, in, out] : {std::tuple{0.0002, false, true},
                                         {0.0002, true, true},
                                         {0.00032, false, false},
                                         {0.00032, true, true},
                                         {0.0006, false, false},
                                         {0.0006, true, false}}) {
        CAPTURE(dip_m);
        CAPTURE(in);
        Fence fence(floor_at(0.8), test::hand_tool());
        REQUIRE(fence.admits(home.path, home.profile, home.clock, home.limits));
        const Straight there = dipping(dip_m, in);
        CHECK(fence.admits(there.path, there.profile, there.clock, there.limits) == out);
    }
}

TEST_CASE("a bulge of a new path is seen before it is reached, though it ends inside") {
    // Down, and up again within the way that a stop takes.
    const Policy down = led({0, 0, -1}, 0.5, 30.0, 0.4);
    std::array<JointArray, 80> targets;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        const double at = static_cast<double>(i);
        targets[i] = down(at < 22.0 ? at : std::max(0.0, 44.0 - at));
    }
    Straight turning({0, 0, -1}, 20);
    turning.path.set_waypoints(0.0, targets.data(), targets.size());
    turning.profile.build(turning.path, turning.clock.step(), 30.0, turning.limits);
    const double step = turning.clock.step();
    const double way = turning.clock.braking_distance(turning.path, turning.limits);
    const auto z = [&](double at) { return test::urdf_tip(turning.path.at(at).q)[2][3]; };
    REQUIRE(z(step + way) > z(22.0) + 0.005);
    Fence fence(floor_at(z(22.0) + 0.006), test::hand_tool());
    CHECK_FALSE(fence.admits(turning.path, turning.profile, turning.clock, turning.limits));
}

TEST_CASE("the flange is kept in as the tool is") {
    const Straight rising({0, 0, 1}, 20);
    Box box;
    box.max_m[2] = test::urdf_flange(rising.path.at(20.0).q)[2][3] + 0.005;
    REQUIRE(box.max_m[2] > rising.tip_z() + 0.1);
    CHECK(rising.stopped_by(box));
}

}  // namespace
}  // namespace rti
