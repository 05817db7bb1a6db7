// Whatever has been, the arm gets to where it is told: nothing traps it.
//
// Near the end of a joint's range the planner's envelope leaves little speed or none, and a path
// that leads further out there can't be followed. A policy in range must still be followed, and
// whatever a hostile one has done, a target well inside is reached, within seconds of virtual time.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "motion/target_range.hpp"
#include "tests/hostile_streams.hpp"

namespace rti {
namespace {

using test::Dice;
using test::Policy;
using test::Rig;

// Each end of each joint's range, and the direction that leads out there.
struct End {
    std::size_t joint;
    double outward;
};

std::vector<End> ends() {
    std::vector<End> all;
    for (std::size_t j = 0; j < kDof; ++j) {
        for (const double outward : {-1.0, 1.0}) all.push_back({j, outward});
    }
    return all;
}

double farthest_target(const End& end) {
    const JointRange range = target_range(MotionLimits::fr3());
    return end.outward > 0.0 ? range.high_rad[end.joint] : range.low_rad[end.joint];
}

// Cycles until a constant `goal` of a new epoch is reached to a milliradian, `most` if it is not.
int cycles_to(Rig& rig, const JointArray& goal, std::uint32_t count, int most) {
    rig.in_flight.clear();
    rig.new_epoch();
    for (int i = 0; i < most; ++i) {
        if (!rig.follow([&](double) { return goal; }, 1, count)) return most;
        if (distance(rig.commands.back(), goal) < 1e-3) return i;
    }
    return most;
}

TEST_CASE(
    "from wherever an arm stands near a joint's end a curve that begins outward is followed") {
    for (const End& end : ends()) {
        for (const double beyond_rad : {-0.002, 0.0, 0.002, 0.004, 0.006, 0.008, 0.010}) {
            SimFr3Config arm;
            arm.start_pose_rad[end.joint] = farthest_target(end) + end.outward * beyond_rad;
            Rig rig({}, arm);
            REQUIRE(rig.run(3));
            // Out by a milliradian a step for five steps, to the farthest target, and in for good.
            for (int chunk = 0; chunk < 10; ++chunk) {
                const double from = rig.progress().policy_step;
                rig.deliver(rig.observe(
                    [&](double step) {
                        const double i = step - from;
                        const double inward =
                            0.005 - 0.001 * std::min(i, 5.0) + 0.02 * std::max(0.0, i - 5.0);
                        JointArray q = test::ready();
                        q[end.joint] = farthest_target(end) - end.outward * inward;
                        return q;
                    },
                    30));
                REQUIRE(rig.run(300));
            }
            CAPTURE(end.joint);
            CAPTURE(end.outward);
            CAPTURE(beyond_rad);
            CHECK(rig.progress().policy_step > 30.0);
            CHECK(rig.progress().limiter_interventions == 0);
        }
    }
}

// The longest time for which the clock stands, in cycles, while joints swing to and fro, one of
// them from `farthest` inward.
int longest_stand(const End& end, double farthest, double fps, std::uint32_t count,
                  Aggregate rule) {
    StepperConfig config;
    config.fps = fps;
    config.aggregate = rule;
    config.max_start_distance_rad = 10.0;
    Rig rig(config);
    const Policy swing = [=](double step) {
        const double phase = 2.0 * M_PI * 0.35 * step / fps;
        JointArray q = test::ready();
        for (std::size_t j = 0; j < kDof; ++j) {
            if (j != 5) q[j] += 0.2 * std::sin((0.7 + 0.1 * static_cast<double>(j)) * phase);
        }
        q[end.joint] = farthest - end.outward * 0.3 * (1.0 - std::cos(phase));
        return q;
    };
    if (!rig.run(3)) return -1;
    double last = 0.0;
    int standing = 0;
    int longest = 0;
    for (int i = 0; i < 12'000; ++i) {
        if (!rig.follow(swing, 1, count)) return -1;
        standing = rig.progress().policy_step == last ? standing + 1 : 0;
        last = rig.progress().policy_step;
        longest = std::max(longest, standing);
    }
    return longest;
}

TEST_CASE("joints that swing to the end of their targets' range never stand still for long") {
    constexpr std::array kFps{2.0, 10.0, 30.0, 50.0};
    constexpr std::array<std::uint32_t, 2> kCounts{5, 50};
    std::size_t world = 0;
    for (const End& end : ends()) {
        for (const double beyond_rad : {-0.010, -0.003, 0.0, 0.010}) {
            for (int rule = 0; rule < kAggregates; ++rule, ++world) {
                const double fps = kFps[world % kFps.size()];
                const std::uint32_t count = kCounts[world / kFps.size() % kCounts.size()];
                const int longest =
                    longest_stand(end, farthest_target(end) + end.outward * beyond_rad, fps, count,
                                  static_cast<Aggregate>(rule));
                CAPTURE(end.joint);
                CAPTURE(end.outward);
                CAPTURE(beyond_rad);
                CAPTURE(rule);
                CAPTURE(fps);
                CAPTURE(count);
                CHECK(longest >= 0);
                CHECK(longest < 1500);
            }
        }
    }
}

TEST_CASE("between two targets at the end of the range a curve swings no further than it may") {
    JointArray low;
    JointArray high;
    low.fill(-0.02);
    high.fill(1.02);
    std::vector<JointArray> targets(12);
    for (std::size_t i = 0; i < targets.size(); ++i) targets[i].fill(i / 3 % 2 == 0 ? 0.0 : 1.0);
    Path path;
    path.set_waypoints(0.0, targets.data(), targets.size());
    path.keep_within(low, high);
    for (double step = 0.0; step <= 11.0; step += 0.01) {
        const PathPoint here = path.at(step);
        CHECK(here.q[0] >= low[0]);
        CHECK(here.q[0] <= high[0]);
        const double just_after = path.at(step + 1e-9).d2[0];
        CHECK(just_after == doctest::Approx(here.d2[0]).epsilon(1e-4));
    }
    for (std::size_t i = 0; i < targets.size(); ++i) {
        CHECK(path.at(static_cast<double>(i)).q[0] == doctest::Approx(targets[i][0]));
    }
}

TEST_CASE("chunks of one, two or three actions lead to their target at any rate") {
    std::size_t world = 0;
    for (const double fps : {5.0, 30.0, 100.0, 200.0, 400.0, 700.0, 1000.0}) {
        for (const std::uint32_t count : {1U, 2U, 3U}) {
            for (int rule = 0; rule < kAggregates; ++rule, ++world) {
                Rig rig({.fps = fps,
                         .speed = std::array{0.1, 0.5, 1.0}[world % 3],
                         .aggregate = static_cast<Aggregate>(rule)});
                REQUIRE(rig.run(3));
                JointArray goal = test::ready();
                for (double& joint : goal) joint += 0.1;
                CAPTURE(fps);
                CAPTURE(count);
                CAPTURE(rule);
                CHECK(cycles_to(rig, goal, count, 10'000) < 10'000);
                // A target of which the next is a hair's breadth away.
                const double from = rig.progress().policy_step;
                const double slow = 0.01 / fps;
                const Policy creep = [&](double step) {
                    JointArray q = goal;
                    for (double& joint : q) joint -= slow * (step - from);
                    return q;
                };
                REQUIRE(rig.follow(creep, 3000, count, 0.5, 5));
                CHECK(rig.progress().policy_step > from + 1.0);
            }
        }
    }
}

TEST_CASE("a chunk that comes soon after a start, far from its target, does not end the start") {
    SimFr3Config arm;
    arm.start_pose_rad = {1.2423, 0.6971, 1.9847, -0.7407, -2.7009, 4.3226, 2.1523};
    for (const double fps : {100.0, 200.0}) {
        for (const std::uint32_t count : {20U, 50U}) {
            for (int rule = 0; rule < kAggregates; ++rule) {
                Rig rig({.fps = fps,
                         .max_start_distance_rad = 10.0,
                         .aggregate = static_cast<Aggregate>(rule)},
                        arm);
                REQUIRE(rig.run(3));
                CAPTURE(fps);
                CAPTURE(count);
                CAPTURE(rule);
                CHECK(cycles_to(rig, test::ready(), count, 6'000) < 6'000);
                CHECK(rig.progress().holds == 0);
            }
        }
    }
}

TEST_CASE("after whatever hostility, a target well inside is reached within seconds") {
    constexpr std::array<std::uint32_t, 4> kCounts{5, 10, 20, 50};
    for (std::uint64_t seed = 0; seed < 120; ++seed) {
        Dice dice(seed);
        const JointArray start = test::start_pose(dice, dice.chance(0.4));
        StepperConfig config = test::motion_config(dice);
        config.limits = MotionLimits::fr3();
        config.box = Box{};
        config.max_start_distance_rad = 100.0;
        config.max_age_s = 20.0;
        config.speed = std::max(config.speed, 0.5);
        config.aggregate = static_cast<Aggregate>(seed % kAggregates);
        const auto manner = static_cast<test::Manner>(dice.below(test::kManners));
        const Policy policy = test::stream(dice, start, manner);
        Rig rig(config, test::standing_at(start));
        REQUIRE(rig.run(3));
        const auto count = static_cast<std::uint32_t>(1 + dice.below(60));
        REQUIRE(rig.follow(policy, 3000, count));
        CAPTURE(seed);
        CAPTURE(config.fps);
        CAPTURE(static_cast<int>(config.aggregate));
        const std::uint32_t calm = kCounts[seed / kAggregates % kCounts.size()];
        // A blend may last as long as its chunk, and the next one as its own.
        const int most = 10'000 + static_cast<int>(3000.0 * calm / (config.fps * config.speed));
        CHECK(cycles_to(rig, test::ready(), calm, most) < most);
    }
}

}  // namespace
}  // namespace rti
