// The hand does not leave its box, whatever targets come.
#include <doctest/doctest.h>

#include <random>

#include "kinematics/keep_in_box.hpp"
#include "tests/fence_rig.hpp"

namespace rti {
namespace {

using test::fenced;
using test::floor_at;
using test::height;
using test::led;
using test::lowest;
using test::Policy;
using test::Rig;

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
