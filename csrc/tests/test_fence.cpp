// The hand does not leave its box, whatever targets come; by the URDF's own chain of joints.
#include <doctest/doctest.h>

#include <memory>
#include <random>

#include "kinematics/keep_in_box.hpp"
#include "motion/fence.hpp"
#include "tests/following.hpp"
#include "tests/motion_rig.hpp"

namespace rti {
namespace {

using test::Policy;
using test::Rig;

Box floor_at(double z) {
    Box box;
    box.min_m[2] = z;
    return box;
}

StepperConfig fenced(const Box& box, double fps = 30.0) {
    StepperConfig config{.fps = fps};
    config.box = box;
    config.tool = test::hand_tool();
    return config;
}

// The hand led from the ready pose in a straight line, once up to speed, with its tool turned as it
// is; held where `travel` ends.
Policy led(const Vector3& heading, double speed_m_s, double fps, double travel_m) {
    auto waypoints = std::make_shared<std::vector<JointArray>>();
    const Transform home = test::tip_at(test::ready());
    FollowRules rules = test::rules(1.0 / fps);
    JointArray q = test::ready();
    double gone = 0.0;
    for (int i = 0; gone < travel_m; ++i) {
        Transform pose = home;
        for (std::size_t k = 0; k < 3; ++k) pose.position[k] += gone * heading[k];
        follow_pose(pose, rules, q);
        waypoints->push_back(q);
        gone += std::min(1.0, i / (0.3 * fps)) * speed_m_s / fps;
    }
    return [waypoints](double step) {
        const double last = static_cast<double>(waypoints->size() - 1);
        const double at = std::clamp(step, 0.0, last - 1e-9);
        const auto i = static_cast<std::size_t>(at);
        const double share = at - static_cast<double>(i);
        JointArray between = (*waypoints)[i];
        for (std::size_t j = 0; j < kDof; ++j) {
            between[j] += share * ((*waypoints)[i + 1][j] - between[j]);
        }
        return between;
    };
}

// Lowest of flange and tool.
double height(const JointArray& q) {
    return std::min(test::urdf_tip(q)[2][3], test::urdf_flange(q)[2][3]);
}

// Of every fifth command: 5 ms are nothing where the hand turns around.
double lowest(const Rig& rig) {
    double least = height(rig.commands.front());
    for (std::size_t i = 0; i < rig.commands.size(); i += 5) {
        least = std::min(least, height(rig.commands[i]));
    }
    return least;
}

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
    PolicyClock clock{30.0};
    PlannerLimits limits{MotionLimits::fr3()};

    // At speed on a straight way of the hand, `from` steps from its beginning.
    Straight(const Vector3& heading, double from) {
        const Policy policy = led(heading, 0.3, 30.0, 0.4);
        std::array<JointArray, 80> targets;
        for (std::size_t i = 0; i < targets.size(); ++i)
            targets[i] = policy(static_cast<double>(i));
        path.set_waypoints(0.0, targets.data(), targets.size());
        SpeedProfile profile;
        profile.build(path, 0.0, 30.0, limits);
        while (clock.step() < from) clock.advance(path, profile, limits, false);
    }
    [[nodiscard]] bool stopped_by(const Box& box) const {
        return Fence(box, test::hand_tool()).stops(path, clock, limits);
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
        CHECK(Fence(box, tool).stops(aslant.path, aslant.clock, aslant.limits));
        box.max_m[1] += 0.2;
        CHECK_FALSE(Fence(box, tool).stops(aslant.path, aslant.clock, aslant.limits));
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
    CHECK_FALSE(fence.stops(rising.path, rising.clock, rising.limits));
    // It comes nearly in, and is moved back by hand while it takes no commands.
    const Straight further({0, 0, 1}, 40);
    CHECK_FALSE(fence.stops(further.path, further.clock, further.limits));
    CHECK(fence.stops(rising.path, rising.clock, rising.limits));
    fence.start();
    CHECK_FALSE(fence.stops(rising.path, rising.clock, rising.limits));
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
    const double step = turning.clock.step();
    const double way = turning.clock.braking_distance(turning.path, turning.limits);
    const auto z = [&](double at) { return test::urdf_tip(turning.path.at(at).q)[2][3]; };
    REQUIRE(z(step + way) > z(22.0) + 0.005);
    Fence fence(floor_at(z(22.0) + 0.006), test::hand_tool());
    CHECK_FALSE(fence.admits(turning.path, turning.clock, turning.limits));
}

TEST_CASE("the flange is kept in as the tool is") {
    const Straight rising({0, 0, 1}, 20);
    Box box;
    box.max_m[2] = test::urdf_flange(rising.path.at(20.0).q)[2][3] + 0.005;
    REQUIRE(box.max_m[2] > rising.tip_z() + 0.1);
    CHECK(rising.stopped_by(box));
}

// ------------------------------------------------------------------ the fence in the stepper

constexpr double kFloor_m = 0.3;  // the tool begins 0.487 m above the base

TEST_CASE("a policy that dives through the floor rests above it, at every speed and rate") {
    for (const double fps : {10.0, 30.0, 100.0}) {
        for (const double speed_m_s : {0.1, 0.3, 1.0}) {
            CAPTURE(fps);
            CAPTURE(speed_m_s);
            Rig rig(fenced(floor_at(kFloor_m), fps));
            const Policy dive = led({0, 0, -1}, speed_m_s, fps, 0.45);
            REQUIRE(rig.follow(dive, 5000));
            rig.in_flight.clear();
            REQUIRE(rig.run(1500));
            CHECK(rests(rig));
            CHECK(lowest(rig) > kFloor_m - 0.0005);
            CHECK(height(rig.commands.back()) < kFloor_m + 0.05);  // it was not stopped for nothing
            CHECK(rig.progress().fence_stops > 0);
            CHECK(rig.progress().limiter_interventions == 0);
            CHECK(rig.progress().phase == RTI_PHASE_HOLD);
            CHECK(rig.progress().steps_queued == 0.0);

            // A chunk that leads back inside moves it again.
            const std::uint64_t stops = rig.progress().fence_stops;
            REQUIRE(rig.follow([](double) { return test::ready(); }, 3000));
            CHECK(height(rig.commands.back()) ==
                  doctest::Approx(height(test::ready())).epsilon(1e-3));
            CHECK(rig.progress().fence_stops == stops);
        }
    }
}

TEST_CASE("chunks that dive at once, again and again, do not wear the fence down") {
    std::mt19937 random(22);
    std::uniform_real_distribution<> away(-1.0, 1.0);
    for (const double fps : {10.0, 20.0, 60.0}) {
        CAPTURE(fps);
        Rig rig(fenced(floor_at(kFloor_m), fps));
        REQUIRE(rig.run(10));
        // Each chunk jumps somewhere, shoulder and elbow mostly down, and changes its mind half
        // way.
        for (int i = 0; i < 200; ++i) {
            JointArray goal{};
            int left = 0;
            rig.deliver(rig.observe(
                [&](double) {
                    if (left-- <= 0) {
                        left = 10;
                        goal = test::ready();
                        for (double& joint : goal) joint += 0.6 * away(random);
                        goal[1] += 0.4;
                        goal[3] -= 0.3;
                    }
                    return goal;
                },
                20));
            REQUIRE(rig.run(40 + static_cast<int>(200.0 * (1.0 + away(random)))));
        }
        MESSAGE("at " << fps << " fps: " << rig.progress().fence_stops << " stops, at the lowest "
                      << 1e3 * (lowest(rig) - kFloor_m) << " mm above the floor");
        CHECK(rig.progress().fence_stops > 20);
        CHECK(rig.progress().steps_executed > 20.0);
        // Not even into the millimetre that the fence keeps clear.
        CHECK(lowest(rig) > kFloor_m + 0.00099);
        CHECK(rig.progress().limiter_interventions == 0);
    }
}

TEST_CASE("a chunk that goes on down where the one before comes to rest is stopped there, too") {
    const Policy down = led({0, 0, -1}, 0.8, 30.0, 0.45);
    constexpr std::uint32_t kCount = 15;
    const double floor_m = height(down(kCount - 1)) - 0.003;
    double deepest_m = 1.0;
    for (int at = 400; at < 900; at += 25) {
        CAPTURE(at);
        Rig rig(fenced(floor_at(floor_m)));
        REQUIRE(rig.run(10));
        rig.deliver(rig.observe(down, kCount));
        REQUIRE(rig.run(at));
        rig.deliver(rig.observe(down, 40));
        REQUIRE(rig.run(1500));
        CHECK(rests(rig));
        CHECK(rig.progress().fence_stops > 0);
        CHECK(lowest(rig) > floor_m + 0.00099);
        deepest_m = std::min(deepest_m, lowest(rig) - floor_m);
    }
    MESSAGE("at the lowest " << 1e3 * deepest_m << " mm above the floor");
}

TEST_CASE("an arm that starts below the floor may come up, and not go further down") {
    const double below_m = height(test::ready()) + 0.1;
    Rig down(fenced(floor_at(below_m)));
    REQUIRE(down.follow(led({0, 0, -1}, 0.2, 30.0, 0.2), 3000));
    CHECK(lowest(down) > height(test::ready()) - 0.0006);
    CHECK(down.progress().fence_stops > 0);

    Rig up(fenced(floor_at(below_m)));
    REQUIRE(up.follow(led({0, 0, 1}, 0.2, 30.0, 0.15), 3000));
    CHECK(height(up.commands.back()) > below_m + 0.04);
    CHECK(up.progress().fence_stops == 0);
}

TEST_CASE("a policy whose targets are kept in the box does not meet the fence") {
    for (const double fps : {10.0, 30.0, 100.0}) {
        CAPTURE(fps);
        const Policy dive = led({0, 0.3, -0.95}, 0.15, fps, 0.3);
        const FollowRules rules = test::rules(1.0 / fps);
        Rig rig(fenced(floor_at(kFloor_m), fps));
        REQUIRE(rig.run(10));
        // What the network process does with every chunk.
        for (int i = 0; i < 40; ++i) {
            std::vector<rti_action> chunk = rig.observe(dive, 50);
            std::vector<JointArray> targets(chunk.size());
            for (std::size_t k = 0; k < chunk.size(); ++k) {
                std::copy_n(chunk[k].values, kDof, targets[k].begin());
            }
            keep_in_box(targets, rig.commands.back(), floor_at(kFloor_m), rules);
            for (std::size_t k = 0; k < chunk.size(); ++k) {
                std::copy_n(targets[k].begin(), kDof, chunk[k].values);
            }
            rig.deliver(chunk);
            REQUIRE(rig.run(200));
        }
        CHECK(rig.progress().fence_stops == 0);
        CHECK(height(rig.commands.back()) ==
              doctest::Approx(kFloor_m + kTargetRoom_m).epsilon(1e-2));
    }
}

}  // namespace
}  // namespace rti
