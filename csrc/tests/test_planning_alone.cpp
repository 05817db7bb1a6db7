// What planning has to do by itself: the limiter behind it sees nothing that it would change.
#include <doctest/doctest.h>

#include <random>

#include "tests/motion_rig.hpp"

namespace rti {
namespace {

using test::Rig;

TEST_CASE("a path that is too fast is slowed down on, never left") {
    // 1.2 rad at 1 Hz: 7.5 rad/s and 47 rad/s², three and five times what the arm can do.
    Rig rig;
    const test::Policy policy = [](double step) {
        JointArray q = test::ready();
        const double phase = 2.0 * M_PI * step / 30.0;
        for (double& joint : q) joint += 0.6 * (1.0 - std::cos(phase));
        return q;
    };
    REQUIRE(rig.run(10));
    rig.deliver(rig.observe(policy, 90));
    double worst = 0.0;
    while (rig.progress().holds == 0) {
        REQUIRE(rig.cycle());
        // At both ends the chunk's own curve is not a sine: it begins and ends at rest.
        if (rig.progress().policy_step < 10.0 || rig.progress().policy_step > 80.0) continue;
        worst = std::max(worst, distance(rig.commands.back(), policy(rig.progress().policy_step)));
    }
    CHECK(worst < 1e-3);
    CHECK(rig.progress().slowed_cycles > 1000);
    CHECK(rig.progress().limiter_interventions == 0);
}

TEST_CASE("the speed profile knows the curvature at every knot, from wherever it is built") {
    std::mt19937 generator(32);
    std::uniform_real_distribution<double> offset(-0.4, 0.4);
    const PlannerLimits limits(MotionLimits::fr3());
    for (int i = 0; i < 200; ++i) {
        std::vector<JointArray> waypoints(40, test::ready());
        for (JointArray& q : waypoints) {
            for (double& joint : q) joint += offset(generator);
        }
        Path path;
        path.set_waypoints(0.0, waypoints.data(), waypoints.size());
        SpeedProfile profile;
        profile.build(path, 0.005 * i, 30.0, limits);
        for (double knot = 2.0; knot < 38.0; knot += 1.0) {
            const double curvature = [&] {
                double worst = 0.0;
                for (const double d2 : path.at(knot).d2) worst = std::max(worst, std::abs(d2));
                return worst;
            }();
            REQUIRE(curvature * profile.lowest_squared_rate(knot, knot) <=
                    limits.cruise_acceleration * (1.0 + 1e-9));
        }
    }
}

TEST_CASE("a chunk longer than the window of the speed profile is followed without a rest") {
    Rig rig;
    REQUIRE(rig.run(10));
    rig.deliver(rig.observe(test::sine(0.3, 0.25, 30.0), 400));
    while (rig.progress().holds == 0) REQUIRE(rig.cycle());
    CHECK(rig.progress().steps_executed == doctest::Approx(400.0).epsilon(1e-3));
    // Speeding up and coming to rest take well under a second more than the steps.
    CHECK(rig.commands.size() < 400 * 1000 / 30 + 1000);
    CHECK(rig.progress().limiter_interventions == 0);
}

TEST_CASE("targets beyond the range are approached by planning alone") {
    for (const double beyond : {-10.0, 10.0}) {
        CAPTURE(beyond);
        StepperConfig config;
        config.max_start_distance_rad = 100.0;
        Rig rig(config);
        REQUIRE(rig.run(10));
        rig.deliver(rig.observe(
            [&](double) {
                JointArray q = test::ready();
                for (double& joint : q) joint += beyond;
                return q;
            },
            30));
        while (rig.progress().holds == 0) REQUIRE(rig.cycle());
        REQUIRE(rig.run(100));
        CHECK(test::rests(rig));
        CHECK(rig.progress().waypoints_clamped == 30 * kDof);
        // To the last of them, not to where the path would have to be slowed down for ever.
        CHECK(rig.progress().steps_executed == doctest::Approx(30.0).epsilon(1e-3));
        CHECK(rig.progress().limiter_interventions == 0);
    }
}

TEST_CASE("lost packets are bridged by planning alone") {
    std::mt19937 generator(11);
    Rig rig;
    const test::Policy policy = test::sine(0.3, 1.0, 30.0);
    for (int i = 0; i < 100; ++i) {
        REQUIRE(rig.follow(policy, 250 + static_cast<int>(generator() % 60)));
        rig.arm.lose(1 + generator() % 18);
    }
    CHECK(rig.progress().reseeds > 80);
    CHECK(rig.progress().limiter_interventions == 0);
}

}  // namespace
}  // namespace rti
