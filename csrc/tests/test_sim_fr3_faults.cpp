// The simulated FR3 when things go wrong, in virtual time: lost cycles, refused commands, planted
// faults.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "tests/sim_arm.hpp"

using namespace rti;

TEST_CASE("lost cycles show in elapsed_cycles, in q_d and in the success rate") {
    SimFr3 arm(virtual_time());
    arm.start();
    ArmState state;
    REQUIRE(drive(arm, state, 100, 0.1));
    const double before_rad = state.q_d[0] + 0.1 * kCycle_s;  // the answer just given
    arm.lose(5);
    REQUIRE(arm.read(state));
    CHECK(state.elapsed_cycles == 6);
    CHECK(state.cycle == 106);
    CHECK(state.time_ns == 106'000'000);
    CHECK(state.q_d[0] == doctest::Approx(before_rad + 5.0 * 0.1 * kCycle_s));
    CHECK(state.success_rate == doctest::Approx(0.95));
    CHECK(arm.write(towards(0.1, state)));
}

TEST_CASE("19 lost cycles are survived, the 20th stops the arm with a communication violation") {
    SimFr3 arm(virtual_time());
    arm.start();
    ArmState state;
    REQUIRE(hold(arm, state));
    arm.lose(19);
    REQUIRE(hold(arm, state));
    CHECK(state.elapsed_cycles == 20);
    arm.lose(20);
    CHECK_FALSE(arm.read(state));
    CHECK(state.reflex == Reflex::kCommunicationConstraints);
    CHECK_FALSE(arm.write({state.q_d, false}));
}

TEST_CASE("a read without a write before it is a lost cycle") {
    SimFr3 arm(virtual_time());
    arm.start();
    ArmState state;
    REQUIRE(drive(arm, state, 100, 0.1));
    REQUIRE(arm.read(state));
    const double expected_rad = state.q_d[0] + 0.1 * kCycle_s;
    REQUIRE(arm.read(state));
    CHECK(state.elapsed_cycles == 1);  // the state was seen, its answer is missing
    CHECK(state.q_d[0] == doctest::Approx(expected_rad));
    CHECK(state.success_rate == doctest::Approx(0.99));
}

TEST_CASE("answers lost on the way are extrapolated while every state still arrives") {
    SimFr3Config config = virtual_time();
    config.faults.drop_from_cycle = 50;
    config.faults.drop_count = 3;
    SimFr3 arm(config);
    arm.start();
    ArmState state;
    double answered_rad = 0.0;
    for (std::uint64_t k = 1; k <= 60; ++k) {
        REQUIRE(arm.read(state));
        CHECK(state.elapsed_cycles == 1);
        if (k == 51) CHECK(state.q_d[0] != answered_rad);  // extrapolated instead
        if (k == 50 || k == 54) CHECK(state.q_d[0] == answered_rad);
        ArmCommand command = towards(0.2, state);
        if (k == 50) command.q[0] -= 1e-7;
        answered_rad = command.q[0];
        REQUIRE(arm.write(command));
    }
    CHECK(state.success_rate == doctest::Approx(56.0 / 59.0));
}

TEST_CASE("a refused command stops the arm, names the rule and stays out of the reference") {
    SimFr3 arm(virtual_time());
    arm.start();
    ArmState state;
    REQUIRE(hold(arm, state));
    REQUIRE(arm.read(state));
    ArmCommand step{state.q_d, false};
    step.q[4] += 0.05;
    CHECK_FALSE(arm.write(step));
    const JointArray before = state.q_d;
    CHECK_FALSE(arm.read(state));
    CHECK(state.reflex == Reflex::kJointVelocityDiscontinuity);
    CHECK(state.q_d == before);
    CHECK(arm.ratios().acceleration().ratio > 1.0);
    CHECK(arm.ratios().acceleration().joint == 4);
    CHECK(arm.ratios().acceleration().cycle == state.cycle);
}

TEST_CASE("a command that is not a number is refused") {
    SimFr3 arm(virtual_time());
    arm.start();
    ArmState state;
    REQUIRE(arm.read(state));
    ArmCommand command{state.q_d, false};
    command.q[0] = std::numeric_limits<double>::quiet_NaN();
    CHECK_FALSE(arm.write(command));
    CHECK_FALSE(arm.read(state));
    CHECK(state.reflex == Reflex::kNotANumber);
    for (const double q : state.q) CHECK(std::isfinite(q));
}

TEST_CASE("after a fault the arm starts again from where its joints are, and counts cycles anew") {
    SimFr3 arm(virtual_time());
    arm.start();
    ArmState state;
    REQUIRE(drive(arm, state, 200, 0.3));
    arm.lose(20);
    REQUIRE_FALSE(arm.read(state));
    const JointArray stopped_at = state.q;
    const std::int64_t stopped_ns = state.time_ns;
    arm.start();
    REQUIRE(hold(arm, state));
    CHECK(state.reflex == Reflex::kNone);
    CHECK(state.cycle == 1);
    CHECK(state.time_ns == stopped_ns + 1'000'000);
    CHECK(state.q == stopped_at);
    CHECK(state.q_d == stopped_at);
    CHECK(state.dq_d == JointArray{});
    CHECK(state.success_rate == 1.0);
}

TEST_CASE("motion_finished gets through where answers are lost, since it is repeated") {
    SimFr3Config config = virtual_time();
    config.faults.drop_from_cycle = 2;
    config.faults.drop_count = 10;
    SimFr3 arm(config);
    arm.start();
    ArmState state;
    REQUIRE(hold(arm, state));
    REQUIRE(arm.read(state));
    REQUIRE(arm.write({state.q_d, true}));
    CHECK_FALSE(arm.read(state));
    CHECK(state.reflex == Reflex::kNone);
    CHECK(state.cycle == 12);
}

TEST_CASE("a planted fault stops the arm at its cycle, once") {
    SimFr3Config config = virtual_time();
    config.faults.fail_at_cycle = 7;
    config.faults.fail_with = Reflex::kJointPositionLimits;
    SimFr3 arm(config);
    arm.start();
    ArmState state;
    for (int k = 1; k < 7; ++k) REQUIRE(hold(arm, state));
    CHECK_FALSE(arm.read(state));
    CHECK(state.cycle == 7);
    CHECK(state.reflex == Reflex::kJointPositionLimits);
    arm.start();
    for (int k = 1; k < 20; ++k) REQUIRE(hold(arm, state));
}
