// The limiter against FCI's rules: whatever is asked, what goes out is accepted by the arm.
#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <random>

#include "arms/fci_rules.hpp"
#include "motion/limiter.hpp"
#include "tests/motion_rig.hpp"

namespace rti {
namespace {

// Feeds `wanted(cycle)` through the limiter into an arm that enforces FCI's rules.
struct LimitedRun {
    Reflex reflex = Reflex::kNone;
    int changed = 0;
    JointArray last{};
};

template <typename Wanted>
LimitedRun drive(Wanted wanted, int cycles, JointArray start = test::ready(),
                 const std::function<void(const JointArray&)>& look = {}) {
    SimFr3Config config;
    config.pacing = Pacing::kVirtual;
    config.start_pose_rad = start;
    SimFr3 arm(config);
    arm.start();
    Limiter limiter(MotionLimits::fr3());
    limiter.seed(start, JointArray{}, JointArray{});
    LimitedRun run;
    ArmState state;
    for (int i = 0; i < cycles; ++i) {
        if (!arm.read(state)) break;
        ArmCommand command;
        run.changed += limiter.limit(wanted(i), command.q) ? 1 : 0;
        run.last = command.q;
        if (look) look(command.q);
        if (!arm.write(command)) break;
    }
    run.reflex = arm.read(state) ? Reflex::kNone : state.reflex;
    return run;
}

TEST_CASE("a step of half a radian is followed within the limits and without overshoot") {
    double farthest = 0.0;
    JointArray target = test::ready();
    for (double& joint : target) joint += 0.5;
    JointArray reached{};
    const LimitedRun run = drive([&](int) { return target; }, 3000);
    reached = run.last;
    CHECK(run.reflex == Reflex::kNone);
    CHECK(run.changed > 0);
    CHECK(distance(reached, target) < 1e-6);
    for (std::size_t j = 0; j < kDof; ++j) farthest = std::max(farthest, reached[j] - target[j]);
    CHECK(farthest < 1e-3);
}

TEST_CASE("targets far outside the joint range never break a limit") {
    std::mt19937 generator(7);
    std::uniform_real_distribution<double> anywhere(-10.0, 10.0);
    JointArray target = test::ready();
    const LimitedRun run = drive(
        [&](int cycle) {
            if (cycle % 150 == 0) {
                for (double& joint : target) joint = anywhere(generator);
            }
            return target;
        },
        100'000);
    CHECK(run.reflex == Reflex::kNone);
}

TEST_CASE("the limiter keeps an envelope of its own, inside the arm's, however late it is told") {
    // Turned towards an end of the range at full acceleration, at any speed and distance.
    const Envelope envelope(MotionLimits::fr3(), kLimiterMargins);
    std::mt19937 generator(9);
    std::uniform_real_distribution<double> anywhere(-10.0, 10.0);
    JointArray target = test::ready();
    JointArray previous = test::ready();
    double furthest_above = 0.0;  // rad/s
    const LimitedRun run = drive(
        [&](int cycle) {
            if (cycle % 100 == 0) {
                for (double& joint : target) joint = anywhere(generator);
            }
            return target;
        },
        100'000, test::ready(),
        [&](const JointArray& command) {
            for (std::size_t j = 0; j < kDof; ++j) {
                const double dq = (command[j] - previous[j]) / kCycle_s;
                furthest_above =
                    std::max(furthest_above, std::abs(dq) - envelope.speed(j, command[j], dq));
            }
            previous = command;
        });
    CHECK(run.reflex == Reflex::kNone);
    CHECK(furthest_above < 1e-9);
}

TEST_CASE("noise of every size at 1 kHz never breaks a limit") {
    std::mt19937 generator(8);
    std::normal_distribution<double> noise(0.0, 1.0);
    std::uniform_real_distribution<double> exponent(-6.0, 1.0);
    double size = 1e-6;
    const LimitedRun run = drive(
        [&](int cycle) {
            if (cycle % 500 == 0) size = std::pow(10.0, exponent(generator));
            JointArray target = test::ready();
            for (double& joint : target) joint += size * noise(generator);
            return target;
        },
        100'000);
    CHECK(run.reflex == Reflex::kNone);
}

TEST_CASE("NaN and infinity are not followed") {
    const LimitedRun run = drive(
        [&](int cycle) {
            JointArray target = test::ready();
            if (cycle > 10) target[2] = std::numeric_limits<double>::quiet_NaN();
            if (cycle > 10) target[4] = std::numeric_limits<double>::infinity();
            return target;
        },
        500);
    CHECK(run.reflex == Reflex::kNone);
    for (double joint : run.last) CHECK(std::isfinite(joint));
    CHECK(distance(run.last, test::ready()) < 1e-9);
}

TEST_CASE("a smooth stream passes untouched") {
    const LimitedRun run = drive(
        [](int cycle) {
            JointArray target = test::ready();
            const double t = cycle * kCycle_s;
            // Begins with zero velocity, acceleration and jerk.
            for (double& joint : target) joint += 0.3 * std::pow(std::sin(t), 4.0);
            return target;
        },
        6000);
    CHECK(run.reflex == Reflex::kNone);
    CHECK(run.changed == 0);
}

TEST_CASE("an arm that starts in the band where the envelope closes may only move outward") {
    JointArray start = test::ready();
    start[0] = MotionLimits::fr3().q_max_rad[0] - 0.005;
    JointArray further = start;
    further[0] = MotionLimits::fr3().q_max_rad[0];
    const LimitedRun inward = drive([&](int) { return further; }, 1000, start);
    CHECK(inward.reflex == Reflex::kNone);
    CHECK(inward.last[0] <= start[0] + 1e-4);
    const LimitedRun outward = drive([&](int) { return test::ready(); }, 6000, start);
    CHECK(outward.reflex == Reflex::kNone);
    CHECK(distance(outward.last, test::ready()) < 1e-6);
}

}  // namespace
}  // namespace rti
