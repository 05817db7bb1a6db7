// The limits that depend on where a joint is: its range and its velocity envelope.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "tests/fci_streams.hpp"

using namespace rti;
using namespace rti::fci;

TEST_CASE("a steady acceleration aborts with a velocity limit where the joint's limit is passed") {
    FciRules rules = started(with_joint(0, -2.0));
    Ramp ramp(-2.0, 9.0);
    const Verdict verdict = follow(rules, 1000, [&](int) { return ramp.next(); });
    CHECK(verdict.reflex == Reflex::kJointVelocityLimits);
    CHECK(rules.reference().dq[0] <= 2.62 - 1e-3);
    CHECK(rules.reference().dq[0] + 9.0 * kCycle_s > 2.62 - 1e-3);
    CHECK(rules.ratios().velocity().ratio > 1.0);
    CHECK(rules.ratios().velocity().ratio < 1.01);
    CHECK(rules.ratios().acceleration().ratio <= 1.0);
}

TEST_CASE("a command out of a joint's range is a position limit violation") {
    for (const std::size_t joint : {0U, 1U, 2U, 3U, 4U, 5U, 6U}) {
        const JointLimits& limits = kJointLimits[joint];
        FciRules upper = started(with_joint(joint, limits.q_max_rad));
        CHECK(upper.accept(with_joint(joint, limits.q_max_rad)) == Reflex::kNone);
        CHECK(upper.accept(with_joint(joint, std::nextafter(limits.q_max_rad, 10.0))) ==
              Reflex::kJointPositionLimits);
        FciRules lower = started(with_joint(joint, limits.q_min_rad));
        CHECK(lower.accept(with_joint(joint, limits.q_min_rad)) == Reflex::kNone);
        CHECK(lower.accept(with_joint(joint, std::nextafter(limits.q_min_rad, -10.0))) ==
              Reflex::kJointPositionLimits);
    }
}

TEST_CASE(
    "the velocity envelope narrows towards a joint's end and is shut a few milliradians before "
    "it") {
    for (const JointLimits& joint : kJointLimits) {
        const double middle_rad = (joint.q_min_rad + joint.q_max_rad) / 2.0;
        // Full speed where the parabola allows it at all.
        const double reach_rad = (joint.q_max_rad - joint.q_min_rad) / 2.0;
        const double braking_rad_s =
            std::sqrt(2.0 * joint.envelope_deceleration_rad_s2 * reach_rad) -
            joint.envelope_offset_rad_s;
        const double expected_rad_s = std::min(braking_rad_s, joint.dq_max_rad_s) - 1e-3;
        CHECK(velocity_ceiling_rad_s(joint, middle_rad) == doctest::Approx(expected_rad_s));
        CHECK(velocity_floor_rad_s(joint, middle_rad) == doctest::Approx(-expected_rad_s));

        const double closed_rad = joint.envelope_offset_rad_s * joint.envelope_offset_rad_s /
                                  (2.0 * joint.envelope_deceleration_rad_s2);
        CHECK(closed_rad > 3.5e-3);
        CHECK(closed_rad < 11.4e-3);
        CHECK(velocity_ceiling_rad_s(joint, joint.q_max_rad - closed_rad) == 0.0);
        CHECK(velocity_floor_rad_s(joint, joint.q_min_rad + closed_rad) == 0.0);
        CHECK(velocity_ceiling_rad_s(joint, joint.q_max_rad - 2.0 * closed_rad) > 0.0);
        CHECK(velocity_floor_rad_s(joint, joint.q_min_rad + 2.0 * closed_rad) < 0.0);
    }
}

TEST_CASE("inside the shut band an arm may rest and move outward, but not inward") {
    const double inside_rad = kJointLimits[0].q_max_rad - 2e-3;
    FciRules rest = started(with_joint(0, inside_rad));
    CHECK(follow(rest, 100, [&](int) { return inside_rad; }).reflex == Reflex::kNone);
    CHECK(rest.ratios().velocity().ratio == 0.0);

    FciRules outward = started(with_joint(0, inside_rad));
    const auto away = [&](int k) { return inside_rad - quintic_rad(0.5, 1.0, k * kCycle_s); };
    CHECK(follow(outward, 1001, away).reflex == Reflex::kNone);
    CHECK(outward.ratios().velocity().ratio < 1.0);

    FciRules inward = started(with_joint(0, inside_rad));
    const auto creep = [&](int k) { return inside_rad + quintic_rad(1e-3, 1.0, k * kCycle_s); };
    const Verdict verdict = follow(inward, 1001, creep);
    CHECK(verdict.reflex == Reflex::kJointVelocityLimits);
    CHECK(verdict.command == 1);
    CHECK(inward.ratios().velocity().ratio > 1.0);
    CHECK(std::isfinite(inward.ratios().velocity().ratio));
}

TEST_CASE("a motion into the end of a joint aborts in the envelope, well before the end") {
    const double start_rad = kJointLimits[0].q_max_rad - 0.2;
    FciRules rules = started(with_joint(0, start_rad));
    Ramp ramp(start_rad, 5.0);
    const Verdict verdict = follow(rules, 1000, [&](int) { return ramp.next(); });
    CHECK(verdict.reflex == Reflex::kJointVelocityLimits);
    CHECK(rules.reference().q[0] < kJointLimits[0].q_max_rad - 0.01);
    CHECK(rules.reference().dq[0] < 2.0);  // far from the joint's own 2.62 rad/s
}
