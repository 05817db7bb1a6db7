// The simulated FR3 behind the Arm interface, in virtual time: states, joints, the life of a
// motion.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string_view>

#include "tests/sim_arm.hpp"

using namespace rti;

TEST_CASE("virtual time advances by exactly one millisecond a cycle, counted from the start") {
    SimFr3 arm(virtual_time());
    arm.start();
    ArmState state;
    for (std::uint64_t k = 1; k <= 1000; ++k) {
        REQUIRE(hold(arm, state));
        CHECK(state.cycle == k);
        CHECK(state.elapsed_cycles == 1);
        CHECK(state.time_ns == static_cast<std::int64_t>(k) * 1'000'000);
        CHECK(state.due_ns == state.time_ns);
    }
    CHECK(state.q == SimFr3Config{}.start_pose_rad);
    CHECK(state.success_rate == 1.0);
}

TEST_CASE("two arms given the same commands report the same states, bit for bit") {
    SimFr3 a(virtual_time());
    SimFr3 b(virtual_time());
    a.start();
    b.start();
    ArmState state_a;
    ArmState state_b;
    REQUIRE(drive(a, state_a, 500, 0.5));
    REQUIRE(drive(b, state_b, 500, 0.5));
    CHECK(state_a.q == state_b.q);
    CHECK(state_a.dq == state_b.dq);
    CHECK(state_a.time_ns == state_b.time_ns);
}

TEST_CASE("the state carries the command of the cycle before and its differences") {
    SimFr3 arm(virtual_time());
    arm.start();
    ArmState state;
    REQUIRE(hold(arm, state));
    REQUIRE(arm.read(state));
    ArmCommand command{state.q_d, false};
    command.q[2] += 4e-6;  // 4 mrad/s, 4 rad/s², 4000 rad/s³
    REQUIRE(arm.write(command));
    REQUIRE(arm.read(state));
    CHECK(state.q_d[2] == command.q[2]);
    CHECK(state.dq_d[2] == doctest::Approx(4e-3));
    CHECK(state.ddq_d[2] == doctest::Approx(4.0));
}

TEST_CASE("a joint at constant speed lags by two over its natural frequency") {
    SimFr3Config config = virtual_time();
    config.natural_frequency_rad_s[0] = 50.0;
    SimFr3 arm(config);
    arm.start();
    ArmState state;
    REQUIRE(drive(arm, state, 1000, 0.5));
    CHECK(state.dq[0] == doctest::Approx(0.5).epsilon(1e-3));
    // q_d moves in steps of a cycle, half a cycle ahead of the ramp through them on average.
    const double lag_s = (state.q_d[0] - state.q[0]) / 0.5;
    CHECK(lag_s == doctest::Approx(2.0 / 50.0).epsilon(0.03));
}

TEST_CASE("a joint settles on a resting command without overshoot") {
    SimFr3 arm(virtual_time());
    arm.start();
    ArmState state;
    REQUIRE(drive(arm, state, 400, 0.4));
    for (int k = 0; k < 1000; ++k) {
        REQUIRE(drive(arm, state, 1, 0.0));
        CHECK(state.q[0] <= state.q_d[0] + 1e-9);
    }
    CHECK(state.dq_d[0] == doctest::Approx(0.0));
    CHECK(state.q[0] == doctest::Approx(state.q_d[0]).epsilon(1e-9));
    CHECK(std::abs(state.dq[0]) < 1e-9);
}

TEST_CASE(
    "a finished motion ends the reads without a fault; the next one begins at its last command") {
    SimFr3 arm(virtual_time());
    arm.start();
    ArmState state;
    REQUIRE(hold(arm, state));
    REQUIRE(arm.read(state));
    REQUIRE(arm.write({state.q_d, true}));
    CHECK_FALSE(arm.read(state));
    CHECK(state.reflex == Reflex::kNone);
    CHECK_FALSE(arm.write({state.q_d, false}));
    arm.start();
    CHECK(hold(arm, state));
}

TEST_CASE("motion_finished while moving is a fault") {
    SimFr3 arm(virtual_time());
    arm.start();
    ArmState state;
    REQUIRE(drive(arm, state, 100, 0.1));
    REQUIRE(arm.read(state));
    ArmCommand command = towards(0.1, state);
    command.motion_finished = true;
    CHECK_FALSE(arm.write(command));
    CHECK_FALSE(arm.read(state));
    CHECK(state.reflex == Reflex::kMotionFinishedWhileMoving);
}

TEST_CASE("outside of a motion the arm gives no states and takes no commands") {
    SimFr3 arm(virtual_time());
    ArmState state;
    CHECK_FALSE(arm.read(state));
    CHECK(state.q == SimFr3Config{}.start_pose_rad);
    CHECK_FALSE(arm.write({state.q_d, false}));
    arm.start();
    REQUIRE(hold(arm, state));
    CHECK_THROWS_AS(arm.start(), std::runtime_error);
    arm.stop();
    CHECK_FALSE(arm.read(state));
    CHECK(state.reflex == Reflex::kNone);
    arm.start();
    CHECK(hold(arm, state));
}

TEST_CASE("a configuration that no arm could have is refused with the joint's number") {
    SimFr3Config pose = virtual_time();
    pose.start_pose_rad[3] = 0.0;
    CHECK_THROWS_WITH_AS(SimFr3{pose},
                         "the start pose of joint 4 is 0.000000 rad; it must lie between "
                         "-3.048100 and -0.145800 rad",
                         std::runtime_error);
    SimFr3Config stiff = virtual_time();
    stiff.natural_frequency_rad_s[6] = 0.0;
    CHECK_THROWS_AS(SimFr3{stiff}, std::runtime_error);
    stiff.natural_frequency_rad_s[6] = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_AS(SimFr3{stiff}, std::runtime_error);
}

TEST_CASE("every reflex has a name of its own") {
    std::array<std::string_view, static_cast<std::size_t>(Reflex::kOther) + 1> names;
    for (std::size_t i = 0; i < names.size(); ++i) {
        names[i] = reflex_name(static_cast<Reflex>(i));
        for (std::size_t j = 0; j < i; ++j) CHECK(names[i] != names[j]);
    }
    CHECK(reflex_name(Reflex::kCommunicationConstraints) == "communication_constraints_violation");
}
