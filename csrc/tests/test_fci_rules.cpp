// FCI's verdicts on whole command streams: what passes, what is refused, at which command, and why.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "tests/fci_streams.hpp"

namespace {

using namespace rti;
using namespace rti::fci;

// 0.6 rad there and back in 5 s, from rest. Its first 30 Hz segment runs at 7.9 mrad/s: in 1 ms
// cycles 7.9 rad/s² from rest, which is allowed, and 7900 rad/s³, which is not.
double slow_sine_rad(double time_s) {
    return 0.3 * (1.0 - std::cos(2.0 * std::numbers::pi * 0.2 * time_s));
}

double raw_30_hz(int command) {
    return slow_sine_rad((command * 30 / 1000) / 30.0);
}

double linear_30_hz(int command) {
    const int step = command * 30 / 1000;
    const double fraction = command * 0.030 - step;
    return std::lerp(slow_sine_rad(step / 30.0), slow_sine_rad((step + 1) / 30.0), fraction);
}

}  // namespace

TEST_CASE(
    "raw 30 Hz targets of a slow sine abort with a velocity discontinuity at the 35th command") {
    FciRules rules = started();
    const Verdict verdict = follow(rules, 1000, raw_30_hz);
    CHECK(verdict.reflex == Reflex::kJointVelocityDiscontinuity);
    CHECK(verdict.command + 1 == 35);  // the first whose time is past 1/30 s
    CHECK(rules.ratios().acceleration().ratio > 1.0);
    CHECK(rules.ratios().acceleration().cycle == 35);
    CHECK(rules.ratios().acceleration().joint == 0);
}

TEST_CASE(
    "the same sine interpolated linearly aborts with an acceleration discontinuity at the 2nd") {
    FciRules rules = started();
    const Verdict verdict = follow(rules, 1000, linear_30_hz);
    CHECK(verdict.reflex == Reflex::kJointAccelerationDiscontinuity);
    CHECK(verdict.command + 1 == 2);
    CHECK(rules.ratios().acceleration().ratio < 1.0);
    CHECK(rules.ratios().jerk().ratio > 1.0);
}

TEST_CASE("the same sine sampled at 1 kHz passes with ratios below 1") {
    FciRules rules = started();
    CHECK(follow(rules, 5001, [](int k) { return slow_sine_rad(k * kCycle_s); }).reflex ==
          Reflex::kNone);
    CHECK(rules.ratios().velocity().ratio < 1.0);
    CHECK(rules.ratios().acceleration().ratio < 1.0);
    CHECK(rules.ratios().jerk().ratio < 1.0);
    CHECK(rules.cycles() == 5001);
    CHECK(rules.success_rate() == 1.0);
}

TEST_CASE("a quintic point to point motion passes and may end with motion_finished") {
    FciRules rules = started();
    // Peaks of a quintic: 1.875 d/T, 5.774 d/T², 60 d/T³.
    const double distance_rad = 1.0;
    const double duration_s = 0.9;
    const auto quintic = [&](int k) { return quintic_rad(distance_rad, duration_s, k * kCycle_s); };
    REQUIRE(follow(rules, 905, quintic).reflex == Reflex::kNone);
    CHECK(rules.ratios().velocity().ratio == doctest::Approx(1.875 / 0.9 / 2.619).epsilon(1e-3));
    CHECK(rules.ratios().acceleration().ratio ==
          doctest::Approx(5.7735 / 0.81 / 10.0).epsilon(1e-3));
    CHECK(rules.ratios().jerk().ratio == doctest::Approx(60.0 / 0.729 / 5000.0).epsilon(2e-2));
    CHECK(rules.accept(with_joint(0, distance_rad), true) == Reflex::kNone);
    CHECK(rules.finished());
}

TEST_CASE("a quintic that is too fast is a velocity discontinuity although its steps look smooth") {
    FciRules rules = started();
    const Verdict verdict =
        follow(rules, 700, [](int k) { return quintic_rad(1.0, 0.7, k * kCycle_s); });
    CHECK(verdict.reflex == Reflex::kJointVelocityDiscontinuity);
    CHECK(rules.ratios().acceleration().ratio > 1.0);
    CHECK(rules.ratios().jerk().ratio < 1.0);
}

TEST_CASE("a step breaks every rule at once and is named a velocity discontinuity") {
    FciRules rules = started();
    REQUIRE(rules.accept(kReady) == Reflex::kNone);
    CHECK(rules.accept(with_joint(0, 0.05)) == Reflex::kJointVelocityDiscontinuity);
    CHECK(rules.ratios().velocity().ratio > 1.0);
    CHECK(rules.ratios().acceleration().ratio > 1.0);
    CHECK(rules.ratios().jerk().ratio > 1.0);
}

TEST_CASE("a first command more than 0.1 rad from the arm is an invalid start pose") {
    FciRules rules = started();
    CHECK(rules.accept(with_joint(6, kReady[6] - 0.11)) == Reflex::kStartPoseInvalid);
    CHECK(rules.reference().q == kReady);
}

TEST_CASE("a first command within 0.1 rad of the arm is still judged as the step that it is") {
    FciRules rules = started();
    CHECK(rules.accept(with_joint(6, kReady[6] - 0.05)) == Reflex::kJointVelocityDiscontinuity);
}

TEST_CASE("a command that is not finite is refused and leaves the reference alone") {
    using Limits = std::numeric_limits<double>;
    for (const double value : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
        FciRules rules = started();
        REQUIRE(rules.accept(kReady) == Reflex::kNone);
        CHECK(rules.accept(with_joint(3, value)) == Reflex::kNotANumber);
        CHECK(rules.reference().q == kReady);
        CHECK(rules.ratios().jerk().ratio == 0.0);
    }
}

TEST_CASE("after a stop nothing is judged until the next start, and ratios run on over it") {
    FciRules rules = started();
    REQUIRE(rules.accept(with_joint(0, 0.05)) == Reflex::kJointVelocityDiscontinuity);
    CHECK(rules.accept(kReady) == Reflex::kJointVelocityDiscontinuity);
    CHECK(rules.lost() == Reflex::kJointVelocityDiscontinuity);
    CHECK(rules.cycles() == 1);
    rules.start(kReady);
    CHECK(rules.reflex() == Reflex::kNone);
    CHECK(rules.accept(kReady) == Reflex::kNone);
    CHECK(rules.ratios().velocity().ratio > 1.0);
    CHECK(rules.cycles() == 2);
}

TEST_CASE("motion_finished while the reference moves aborts") {
    FciRules moving = started();
    Ramp steady(0.0, 1.0);
    REQUIRE(follow(moving, 100, [&](int) { return steady.next(); }).reflex == Reflex::kNone);
    CHECK(moving.accept(with_joint(0, steady.next()), true) == Reflex::kMotionFinishedWhileMoving);
    CHECK_FALSE(moving.finished());

    // Passing through zero velocity is not rest: the acceleration tells.
    FciRules turning = started();
    REQUIRE(turning.accept(kReady) == Reflex::kNone);
    CHECK(turning.accept(with_joint(0, 0.5e-6), true) == Reflex::kMotionFinishedWhileMoving);
}

TEST_CASE("a finished motion takes no further command") {
    FciRules rules = started();
    REQUIRE(rules.accept(kReady, true) == Reflex::kNone);
    REQUIRE(rules.finished());
    CHECK(rules.accept(with_joint(0, 1.0)) == Reflex::kNone);
    CHECK(rules.lost() == Reflex::kNone);
    CHECK(rules.reference().q == kReady);
    CHECK(rules.cycles() == 1);
}

TEST_CASE("ratios stay at or below 1 on a stream that uses all of the limits") {
    FciRules rules = started(with_joint(0, -2.0));
    Ramp ramp(-2.0, 9.99);
    for (int k = 0; k < 2000; ++k) {
        if (rules.reference().dq[0] > 2.55) ramp.steer(0.0);
        if (rules.reference().q[0] > 1.0) ramp.steer(rules.reference().dq[0] > 0.05 ? -9.99 : 0.0);
        REQUIRE(rules.accept(with_joint(0, ramp.next())) == Reflex::kNone);
    }
    CHECK(rules.ratios().velocity().ratio <= 1.0);
    CHECK(rules.ratios().velocity().ratio > 0.95);
    CHECK(rules.ratios().acceleration().ratio <= 1.0);
    CHECK(rules.ratios().acceleration().ratio > 0.99);
    CHECK(rules.ratios().jerk().ratio <= 1.0);
    CHECK(rules.ratios().jerk().ratio > 0.89);
}
