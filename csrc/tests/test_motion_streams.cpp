// Streams of chunks, friendly and hostile, judged by an arm that enforces FCI's rules.
#include <doctest/doctest.h>

#include <memory>
#include <random>

#include "tests/motion_rig.hpp"

namespace rti {
namespace {

using test::Rig;

// A policy that answers each observation with targets drawn around ready().
test::Policy scattered(std::mt19937& generator, double size, int hold_for) {
    auto target = std::make_shared<JointArray>(test::ready());
    auto calls = std::make_shared<int>(0);
    return [&generator, size, hold_for, target, calls](double) {
        if ((*calls)++ % hold_for == 0) {
            std::uniform_real_distribution<double> offset(-size, size);
            *target = test::ready();
            for (double& joint : *target) joint += offset(generator);
        }
        return *target;
    };
}

TEST_CASE("a sine in range is followed without slowing, within a milliradian") {
    for (const double fps : {10.0, 30.0, 50.0}) {
        CAPTURE(fps);
        StepperConfig config;
        config.fps = fps;
        Rig rig(config);
        const test::Policy policy = test::sine(0.3, 0.5, fps);
        double squares = 0.0;
        int counted = 0;
        for (int i = 0; i < 10'000; ++i) {
            REQUIRE(rig.follow(policy, 1, 50, 0.5, static_cast<int>(2000.0 / fps)));
            if (rig.progress().phase != RTI_PHASE_FOLLOW) continue;
            const double error = distance(rig.commands.back(), policy(rig.progress().policy_step));
            squares += error * error;
            ++counted;
        }
        CHECK(counted > 9'000);
        CHECK(std::sqrt(squares / counted) < 1e-3);
        CHECK(rig.progress().slowed_cycles == 0);
        CHECK(rig.progress().limiter_interventions == 0);
        CHECK(rig.progress().holds == 0);
    }
}

TEST_CASE("a policy that changes its mind is followed without slowing") {
    Rig rig;
    const JointArray away = [] {
        JointArray q = test::ready();
        for (double& joint : q) joint += 0.6;
        return q;
    }();
    bool there = false;
    // From wherever the arm is towards the goal of the moment, at 0.8 rad/s, gently at its end.
    const auto decided = [&](double step) {
        JointArray q = rig.commands.back();
        const JointArray goal = there ? away : test::ready();
        const double steps = step - rig.progress().policy_step + 1.0;
        for (int i = 0; i < std::lround(steps); ++i) {
            const double left = distance(goal, q);
            if (left < 1e-9) break;
            const double share = std::min(left, 0.027 * std::tanh(left / 0.1)) / left;
            for (std::size_t j = 0; j < kDof; ++j) q[j] += share * (goal[j] - q[j]);
        }
        return q;
    };
    REQUIRE(rig.run(10));
    for (int i = 0; i < 10; ++i) {
        there = !there;
        REQUIRE(rig.follow(decided, 2500));
    }
    CHECK(rig.progress().slowed_cycles == 0);
    CHECK(rig.arm.peaks().acceleration_ratio < 0.7);
    CHECK(rig.progress().limiter_interventions == 0);
}

TEST_CASE("starvation in the middle of a fast motion rests on the path") {
    Rig rig;
    const test::Policy policy = test::sine(0.8, 0.5, 30.0);
    for (int i = 0; i < 10; ++i) {
        REQUIRE(rig.follow(policy, 500 + 137 * i));
        rig.in_flight.clear();
        double worst = 0.0;
        for (int cycle = 0; cycle < 2500; ++cycle) {
            REQUIRE(rig.cycle());
            if (rig.progress().steps_queued > 3.0) {
                worst = std::max(worst,
                                 distance(rig.commands.back(), policy(rig.progress().policy_step)));
            }
        }
        CHECK(rig.progress().phase == RTI_PHASE_HOLD);
        CHECK(worst < 2e-3);
    }
    CHECK(rig.progress().holds == 10);
    CHECK(rig.progress().limiter_interventions == 0);
}

TEST_CASE("lost packets at every phase of a motion are bridged, never caught up") {
    std::mt19937 generator(11);
    Rig rig;
    const test::Policy policy = test::sine(0.6, 0.5, 30.0);
    for (int i = 0; i < 400; ++i) {
        REQUIRE(rig.follow(policy, 40 + static_cast<int>(generator() % 60)));
        rig.arm.lose(1 + generator() % 18);
        CHECK(rig.progress().policy_rate <= 30.0 * (1.0 + 1e-9));
    }
    CHECK(rig.progress().reseeds > 300);
    CHECK(rig.state.reflex == Reflex::kNone);
}

TEST_CASE("a lost answer that moves the arm by less than a microradian is noticed") {
    // Where the jerk is small the arm's own guess is nearly right, and no cycle is missing: all
    // that tells is q_d. Unnoticed, the next command would ask for three times the lost one's jerk.
    std::uint64_t reseeds = 0;
    for (const double amplitude : {0.8, 1.0}) {
        for (const std::uint64_t drops : {1, 2}) {
            for (std::uint64_t at = 300; at < 400; ++at) {
                CAPTURE(amplitude);
                CAPTURE(drops);
                CAPTURE(at);
                SimFr3Config arm;
                arm.faults.drop_from_cycle = at;
                arm.faults.drop_count = drops;
                Rig rig({}, arm);
                REQUIRE(rig.follow(test::sine(amplitude, 1.0, 30.0), static_cast<int>(at) + 60));
                reseeds += rig.progress().reseeds;
                CHECK(rig.progress().limiter_interventions == 0);
            }
        }
    }
    CHECK(reseeds > 0);
}

TEST_CASE("targets that jump at every chunk become motion the arm accepts, by planning alone") {
    std::mt19937 generator(12);
    Rig rig;
    REQUIRE(rig.follow(scattered(generator, 0.45, 50), 100'000));
    CHECK(rig.progress().limiter_interventions == 0);
    CHECK(rig.progress().splices > 100);
}

TEST_CASE("targets that jump at every step, far beyond the range, never break a limit") {
    for (const int delay : {0, 5, 60, 400}) {
        CAPTURE(delay);
        std::mt19937 generator(13);
        StepperConfig config;
        config.max_start_distance_rad = 100.0;
        Rig rig(config);
        REQUIRE(rig.follow(scattered(generator, 3.0, 1), 40'000, 50, 1.0, delay));
        CHECK(rig.state.reflex == Reflex::kNone);
        CHECK(rig.progress().waypoints_clamped > 0);
    }
}

TEST_CASE("noise on the targets is paid for with pace, not with limits") {
    std::mt19937 generator(14);
    std::normal_distribution<double> noise(0.0, 0.004);
    const test::Policy smooth = test::sine(0.3, 0.5, 30.0);
    Rig rig;
    REQUIRE(rig.follow(
        [&](double step) {
            JointArray q = smooth(step);
            for (double& joint : q) joint += noise(generator);
            return q;
        },
        50'000));
    CHECK(rig.progress().limiter_interventions == 0);
    CHECK(rig.progress().slowed_cycles > 0);
}

TEST_CASE("however often targets change, the arm stays where they are") {
    for (const std::uint32_t count : {5U, 20U, 50U}) {
        for (const int delay : {5, 60, 150}) {
            CAPTURE(count);
            CAPTURE(delay);
            std::mt19937 generator(21);
            Rig rig;
            REQUIRE(rig.follow(scattered(generator, 0.3, 3), 10'000, count, 1.0, delay));
            double furthest = 0.0;
            for (const JointArray& q : rig.commands) {
                furthest = std::max(furthest, distance(q, test::ready()));
            }
            CHECK(furthest < 0.6);
            CHECK(rig.progress().splices > 60);
        }
    }
}

TEST_CASE("chunks of few actions, with their targets anywhere, are followed by planning alone") {
    for (const double fps : {30.0, 50.0}) {
        for (const std::uint32_t count : {1U, 2U, 5U}) {
            for (const int delay : {5, 60, 150}) {
                CAPTURE(fps);
                CAPTURE(count);
                CAPTURE(delay);
                std::mt19937 generator(21);
                StepperConfig config;
                config.fps = fps;
                Rig rig(config);
                REQUIRE(rig.follow(scattered(generator, 0.3, 3), 10'000, count, 1.0, delay));
                CHECK(rig.progress().limiter_interventions == 0);
            }
        }
    }
}

TEST_CASE("every fps from 5 to 200 and every aggregate rule stays inside the limits") {
    for (const double fps : {5.0, 20.0, 60.0, 200.0}) {
        for (int rule = 0; rule < kAggregates; ++rule) {
            CAPTURE(fps);
            CAPTURE(rule);
            std::mt19937 generator(15);
            StepperConfig config;
            config.fps = fps;
            config.aggregate = static_cast<Aggregate>(rule);
            Rig rig(config);
            REQUIRE(rig.follow(scattered(generator, 0.4, 30), 15'000, 40, 0.6, 80));
            CHECK(rig.progress().limiter_interventions == 0);
        }
    }
}

TEST_CASE("a start inside the closing band moves outward and away") {
    SimFr3Config arm;
    arm.start_pose_rad[5] = MotionLimits::fr3().q_max_rad[5] - 0.004;
    Rig rig({}, arm);
    REQUIRE(rig.run(10));
    JointArray from = arm.start_pose_rad;
    rig.deliver(rig.observe(
        [&](double step) {
            JointArray q = from;
            q[5] -= 0.01 * step;
            return q;
        },
        30));
    REQUIRE(rig.run(4000));
    CHECK(rig.commands.back()[5] < from[5] - 0.2);
}

TEST_CASE("a joint where its envelope is shut is not kept there by a corner in its targets") {
    SimFr3Config arm;
    arm.start_pose_rad[3] = MotionLimits::fr3().q_max_rad[3] - 0.013;
    Rig rig({}, arm);
    REQUIRE(rig.run(10));
    const JointArray from = arm.start_pose_rad;
    // Clamped at first, then free: before the corner between the two the curve swings outward.
    rig.deliver(rig.observe(
        [&](double step) {
            JointArray q = from;
            q[3] -= 0.00375 * step;
            return q;
        },
        60));
    REQUIRE(rig.run(4000));
    CHECK(rig.commands.back()[3] < from[3] - 0.2);
}

}  // namespace
}  // namespace rti
