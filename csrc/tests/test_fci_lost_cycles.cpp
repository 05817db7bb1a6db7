// What FCI does with cycles that got no command: extrapolation, accounting, and the end of its
// patience.
#include <doctest/doctest.h>

#include "tests/fci_streams.hpp"

using namespace rti;
using namespace rti::fci;

TEST_CASE("lost cycles keep the last acceleration, and a stream of that acceleration resumes") {
    FciRules rules = started();
    Ramp ramp(0.0, 5.0);
    REQUIRE(follow(rules, 50, [&](int) { return ramp.next(); }).reflex == Reflex::kNone);
    for (int k = 0; k < 19; ++k) {
        const double expected_rad = ramp.next();
        REQUIRE(rules.lost() == Reflex::kNone);
        CHECK(rules.reference().q[0] == doctest::Approx(expected_rad).epsilon(1e-12));
        CHECK(rules.reference().ddq[0] == doctest::Approx(5.0).epsilon(1e-6));
    }
    CHECK(rules.lost_in_a_row() == 19);
    CHECK(rules.accept(with_joint(0, ramp.next())) == Reflex::kNone);
    CHECK(rules.lost_in_a_row() == 0);
    CHECK(rules.ratios().jerk().ratio <= 0.91);
}

TEST_CASE("a stream that carries on where it stopped speaking is a discontinuity for the arm") {
    FciRules rules = started();
    Ramp ramp(0.0, 5.0);
    REQUIRE(follow(rules, 50, [&](int) { return ramp.next(); }).reflex == Reflex::kNone);
    REQUIRE(rules.lost() == Reflex::kNone);
    CHECK(rules.accept(with_joint(0, ramp.next())) == Reflex::kJointVelocityDiscontinuity);
}

TEST_CASE("exactly the 20th lost cycle in a row stops the motion") {
    FciRules rules = started();
    REQUIRE(rules.accept(kReady) == Reflex::kNone);
    for (int k = 0; k < 19; ++k) CHECK(rules.lost() == Reflex::kNone);
    REQUIRE(rules.accept(kReady) == Reflex::kNone);  // one answer, and the count begins anew
    for (int k = 0; k < 19; ++k) CHECK(rules.lost() == Reflex::kNone);
    CHECK(rules.lost() == Reflex::kCommunicationConstraints);
    CHECK(rules.cycles() == 41);
}

TEST_CASE("cycles before the first command are not held against the controller") {
    FciRules rules = started();
    for (int k = 0; k < 100; ++k) CHECK(rules.lost() == Reflex::kNone);
    CHECK(rules.success_rate() == 1.0);
    CHECK(rules.reference().q == kReady);
    CHECK(rules.accept(kReady) == Reflex::kNone);
}

TEST_CASE("an extrapolation that runs past the velocity limit stops the motion") {
    FciRules rules = started(with_joint(0, -2.0));
    Ramp ramp(-2.0, 9.0);
    while (rules.reference().dq[0] < 2.6) {
        REQUIRE(rules.accept(with_joint(0, ramp.next())) == Reflex::kNone);
    }
    Reflex reflex = Reflex::kNone;
    for (int k = 0; k < 3 && reflex == Reflex::kNone; ++k) reflex = rules.lost();
    CHECK(reflex == Reflex::kJointVelocityLimits);
    CHECK(rules.ratios().velocity().ratio <= 1.0);  // no command asked for it
}

TEST_CASE("the success rate is the fraction of the last 100 cycles that were answered") {
    FciRules rules = started();
    for (int k = 0; k < 3; ++k) REQUIRE(rules.accept(kReady) == Reflex::kNone);
    REQUIRE(rules.lost() == Reflex::kNone);
    CHECK(rules.success_rate() == doctest::Approx(0.75));
    for (int k = 0; k < 96; ++k) REQUIRE(rules.accept(kReady) == Reflex::kNone);
    CHECK(rules.success_rate() == doctest::Approx(0.99));
    for (int k = 0; k < 3; ++k) REQUIRE(rules.accept(kReady) == Reflex::kNone);
    CHECK(rules.success_rate() == doctest::Approx(0.99));  // the lost one is the oldest of the 100
    REQUIRE(rules.accept(kReady) == Reflex::kNone);
    CHECK(rules.success_rate() == 1.0);
}
