// The limiter and lost packets: whatever the arm does by itself, it keeps the limits, because no
// command leaves it in a state from which it could not. Here that is tried out after every command.
#include <doctest/doctest.h>

#include <functional>
#include <random>

#include "motion/limiter.hpp"
#include "tests/fci_judge.hpp"
#include "tests/motion_rig.hpp"

namespace rti {
namespace {

using test::Rig;

using Wanted = std::function<double(int cycle, std::size_t joint, double now)>;

// What would go wrong if as many cycles were lost from here on as FCI lets pass.
std::string if_lost(test::FciJudge judge) {
    std::string wrong;
    for (int i = 0; i < 19 && wrong.empty(); ++i) wrong = judge.lost();
    return wrong;
}

// An arm behind a limiter; `losses` says how many cycles get lost after each command.
std::string drive(const Wanted& wanted, const std::function<int(int cycle)>& losses, int cycles,
                  const JointArray& start, const MotionLimits& limits = MotionLimits::fr3(),
                  JointArray* last = nullptr) {
    SimFr3Config config;
    config.pacing = Pacing::kVirtual;
    config.start_pose_rad = start;
    SimFr3 arm(config);
    arm.start();
    test::FciJudge judge(start, limits.q_min_rad, limits.q_max_rad);
    Limiter limiter(limits);
    limiter.seed(start, JointArray{}, JointArray{});
    ArmState state;
    for (int i = 0; i < cycles; ++i) {
        if (!arm.read(state)) return std::string(reflex_name(state.reflex));
        for (std::uint32_t k = 0; k < lost_cycles(state); ++k) {
            if (std::string wrong = judge.lost(); !wrong.empty()) return wrong;
        }
        if (lost_cycles(state) > 0) limiter.seed(state.q_d, state.dq_d, state.ddq_d);
        JointArray goal;
        for (std::size_t j = 0; j < kDof; ++j) goal[j] = wanted(i, j, limiter.q()[j]);
        ArmCommand command;
        (void)limiter.limit(goal, command.q);
        if (std::string wrong = judge.commanded(command.q); !wrong.empty()) return wrong;
        if (std::string wrong = if_lost(judge); !wrong.empty()) return wrong;
        if (!arm.write(command)) return "the simulated arm took no command";
        if (last != nullptr) *last = command.q;
        arm.lose(static_cast<std::uint64_t>(losses(i)));
    }
    return arm.read(state) ? "" : std::string(reflex_name(state.reflex));
}

// Another place for every joint every so often, in its range and beyond.
Wanted anywhere(std::mt19937& generator, int hold_for) {
    return [&generator, hold_for, goal = JointArray{}](int cycle, std::size_t j, double) mutable {
        if (cycle % hold_for == 0) {
            goal[j] = std::uniform_real_distribution<double>(-3.5, 5.0)(generator);
        }
        return goal[j];
    };
}

TEST_CASE("one command in twenty is enough to stay inside the limits") {
    for (const int hold_for : {3, 20, 100}) {
        CAPTURE(hold_for);
        std::mt19937 generator(31);
        CHECK(drive(
                  anywhere(generator, hold_for), [](int) { return 19; }, 20'000, test::ready()) ==
              "");
    }
}

TEST_CASE("losses of any length at any moment lead over no limit") {
    for (const int hold_for : {20, 150, 700}) {
        CAPTURE(hold_for);
        std::mt19937 generator(32);
        const auto losses = [&](int) {
            return generator() % 20 == 0 ? static_cast<int>(generator() % 20) : 0;
        };
        CHECK(drive(anywhere(generator, hold_for), losses, 60'000, test::ready()) == "");
    }
}

TEST_CASE("losses lead no joint back into the closing band that it was leaving") {
    std::mt19937 generator(33);
    const MotionLimits fr3 = MotionLimits::fr3();
    for (int world = 0; world < 200; ++world) {
        CAPTURE(world);
        JointArray start = test::ready();
        for (std::size_t j = 0; j < kDof; ++j) {
            const double inside = 0.003 * static_cast<double>(generator() % 1000) / 1000.0;
            start[j] = generator() % 2 == 0 ? fr3.q_max_rad[j] - inside : fr3.q_min_rad[j] + inside;
        }
        // A millimetre out, and then back in; or nothing at all.
        const double wish = generator() % 2 == 0 ? 1e-3 : 1e-6;
        const auto wanted = [&](int cycle, std::size_t j, double) {
            const double outward = start[j] > 0.5 * (fr3.q_min_rad[j] + fr3.q_max_rad[j]) ? -1 : 1;
            return start[j] + (cycle / 40 % 2 == 0 ? wish : -wish) * outward;
        };
        const auto losses = [&](int) {
            return generator() % 5 == 0 ? static_cast<int>(generator() % 20) : 0;
        };
        CHECK(drive(wanted, losses, 600, start) == "");
    }
}

SimFr3Config in_the_band() {
    SimFr3Config arm;
    arm.start_pose_rad[5] = MotionLimits::fr3().q_max_rad[5] - 0.004;
    return arm;
}

test::Policy outward(const SimFr3Config& arm) {
    return [q = arm.start_pose_rad](double step) {
        JointArray target = q;
        target[5] -= 0.01 * step;
        return target;
    };
}

TEST_CASE("an arm that stands inside the closing band is told exactly where it stands") {
    const SimFr3Config arm = in_the_band();
    Rig rig({}, arm);
    for (int i = 0; i < 500; ++i) {
        rig.arm.lose(static_cast<std::uint64_t>(i % 20));
        REQUIRE(rig.cycle());
        REQUIRE(rig.commands.back() == arm.start_pose_rad);
    }
    CHECK(rig.progress().limiter_interventions == 0);
    CHECK(rig.progress().reseeds == 0);
}

TEST_CASE("an arm that is stopped while it leaves the closing band comes to rest in silence") {
    // No exact stop: the one command that makes it, if it gets lost, would be a way back in.
    const SimFr3Config arm = in_the_band();
    Rig rig({}, arm);
    REQUIRE(rig.run(10));
    rig.deliver(rig.observe(outward(arm), 30));
    REQUIRE(rig.run(50));
    CHECK(distance(rig.commands.back(), arm.start_pose_rad) > 1e-5);
    rig.request = Request::kRest;
    REQUIRE(rig.run(800));
    const std::uint64_t interventions = rig.progress().limiter_interventions;
    const JointArray rest = rig.commands.back();
    CHECK(rest[5] > MotionLimits::fr3().q_max_rad[5] - 0.0111);
    for (int i = 0; i < 2000; ++i) {
        rig.arm.lose(static_cast<std::uint64_t>(i % 20));
        REQUIRE(rig.cycle());
    }
    CHECK(distance(rig.commands.back(), rest) < 1e-9);
    CHECK(rig.progress().limiter_interventions == interventions);
    rig.request = Request::kFinish;
    while (rig.cycle()) REQUIRE(rig.commands.size() < 5000);
    CHECK(rig.progress().finished);
}

TEST_CASE(
    "a joint that slows down in the closing band stays so slow that no loss turns it around") {
    const MotionLimits fr3 = MotionLimits::fr3();
    JointArray start = test::ready();
    for (std::size_t j = 0; j < kDof; ++j) start[j] = fr3.q_max_rad[j] - 0.002;
    for (const double way : {1e-3, 1e-5, 1e-8}) {
        CAPTURE(way);
        const auto wanted = [&](int, std::size_t j, double) { return start[j] - way; };
        CHECK(drive(wanted, [](int) { return 0; }, 3000, start) == "");
    }
}

TEST_CASE("a lost answer is noticed where no speed is allowed, however little it moved the arm") {
    // By less than what passes for rounding elsewhere: an arm in the band has just begun to move
    // and is told to stop.
    for (int begun = 1; begun < 60; ++begun) {
        for (int after = 0; after < 60; ++after) {
            CAPTURE(begun);
            CAPTURE(after);
            SimFr3Config arm = in_the_band();
            arm.faults.drop_from_cycle = static_cast<std::uint64_t>(10 + begun + after);
            arm.faults.drop_count = 1;
            Rig rig({}, arm);
            REQUIRE(rig.run(10));
            rig.deliver(rig.observe(outward(arm), 30));
            REQUIRE(rig.run(begun));
            rig.request = Request::kRest;
            REQUIRE(rig.run(100));
            CHECK(rig.last_reflex() == Reflex::kNone);
        }
    }
}

// ------------------------------------------------------------------ a range narrowed by the user

MotionLimits narrowed(std::size_t j, double low, double high) {
    MotionLimits limits = MotionLimits::fr3();
    limits.q_min_rad[j] = low;
    limits.q_max_rad[j] = high;
    return limits;
}

TEST_CASE("an arm outside of the user's range stands still, or moves inward only") {
    // Ready has joint 4 at -2.356; half a radian outside, told to go either way.
    const MotionLimits limits = narrowed(3, -1.9, -1.0);
    for (const double towards : {-3.0, -1.5}) {
        CAPTURE(towards);
        std::mt19937 generator(35);
        const auto losses = [&](int) {
            return generator() % 50 == 0 ? static_cast<int>(generator() % 20) : 0;
        };
        const auto wanted = [&](int, std::size_t j, double now) { return j == 3 ? towards : now; };
        JointArray last{};
        CHECK(drive(wanted, losses, 4000, test::ready(), limits, &last) == "");
        if (towards == -3.0) CHECK(last[3] == test::ready()[3]);
        if (towards == -1.5) CHECK(last[3] == doctest::Approx(-1.5));
    }
}

TEST_CASE("the user's range is kept as the arm's own is") {
    std::mt19937 generator(36);
    MotionLimits limits = MotionLimits::fr3();
    for (std::size_t j = 0; j < kDof; ++j) {
        limits.q_min_rad[j] = test::ready()[j] - 0.1;
        limits.q_max_rad[j] = test::ready()[j] + 0.3;
    }
    const auto losses = [&](int) {
        return generator() % 20 == 0 ? static_cast<int>(generator() % 20) : 0;
    };
    CHECK(drive(anywhere(generator, 150), losses, 60'000, test::ready(), limits) == "");
}

TEST_CASE("a range too narrow to move in is stood in") {
    std::mt19937 generator(37);
    for (const double width : {0.0, 1e-3, 0.01, 0.03, 0.05, 0.1}) {
        for (const double inside : {-0.2, 0.0, 0.5, 1.0, 1.2}) {
            CAPTURE(width);
            CAPTURE(inside);
            MotionLimits limits = MotionLimits::fr3();
            for (std::size_t j = 0; j < kDof; ++j) {
                limits.q_min_rad[j] = test::ready()[j] - inside * width;
                limits.q_max_rad[j] = limits.q_min_rad[j] + width;
            }
            const auto losses = [&](int) {
                return generator() % 20 == 0 ? static_cast<int>(generator() % 20) : 0;
            };
            CHECK(drive(anywhere(generator, 60), losses, 3000, test::ready(), limits) == "");
        }
    }
}

}  // namespace
}  // namespace rti
