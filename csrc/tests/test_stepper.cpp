// The stepper's promises about epochs, admission, rest and repeatability.
#include <doctest/doctest.h>

#include <limits>

#include "tests/motion_rig.hpp"

namespace rti {
namespace {

using test::Rig;

double moved(const Rig& rig, std::size_t since) {
    double worst = 0.0;
    for (std::size_t i = since; i < rig.commands.size(); ++i) {
        worst = std::max(worst, test::distance(rig.commands[i], rig.commands[since]));
    }
    return worst;
}

// Everything still: the arm's command has not changed over the last 100 cycles.
bool rests(const Rig& rig) {
    return moved(rig, rig.commands.size() - 100) == 0.0;
}

test::Policy reach_out() {
    return [](double step) {
        JointArray q = test::ready();
        q[0] += 0.02 * std::min(step, 40.0);
        return q;
    };
}

TEST_CASE("without a chunk nothing moves") {
    Rig rig;
    REQUIRE(rig.run(500));
    CHECK(moved(rig, 0) == 0.0);
    CHECK(rig.progress().phase == RTI_PHASE_HOLD);
    CHECK(rig.progress().epoch == 1);
}

TEST_CASE("an admitted chunk is followed to its last waypoint, and rested on") {
    Rig rig;
    REQUIRE(rig.run(10));
    rig.deliver(rig.observe(reach_out(), 30));
    REQUIRE(rig.run(3000));
    CHECK(rests(rig));
    CHECK(rig.commands.back()[0] == doctest::Approx(test::ready()[0] + 0.02 * 29).epsilon(1e-9));
    CHECK(rig.progress().holds == 1);
    CHECK(rig.progress().steps_executed == doctest::Approx(30.0).epsilon(1e-4));
    CHECK(rig.progress().limiter_interventions == 0);
}

TEST_CASE("a chunk of an older epoch moves nothing") {
    Rig rig;
    REQUIRE(rig.run(10));
    const auto old = rig.observe(reach_out(), 30);
    rig.new_epoch();
    REQUIRE(rig.run(10));
    rig.deliver(old);
    REQUIRE(rig.run(500));
    CHECK(moved(rig, 0) == 0.0);
    CHECK(rig.progress().refused[RTI_REFUSED_EPOCH] == 1);
}

TEST_CASE(
    "an observation captured before the epoch began moves nothing, whatever epoch it claims") {
    Rig rig;
    REQUIRE(rig.run(10));
    auto forged = rig.observe(reach_out(), 30);
    rig.new_epoch();
    REQUIRE(rig.run(10));
    for (rti_action& action : forged) action.epoch = rig.progress().epoch;
    rig.deliver(forged);
    REQUIRE(rig.run(500));
    CHECK(moved(rig, 0) == 0.0);
    CHECK(rig.progress().refused[RTI_REFUSED_EPOCH] == 1);
}

TEST_CASE("a new epoch in the middle of a motion brakes on the path, and a fresh chunk goes on") {
    Rig rig;
    REQUIRE(rig.follow(reach_out(), 600));
    REQUIRE(rig.progress().policy_rate > 0.0);
    rig.in_flight.clear();
    rig.new_epoch();
    REQUIRE(rig.run(1000));
    CHECK(rests(rig));
    CHECK(rig.progress().phase == RTI_PHASE_HOLD);
    CHECK(rig.progress().steps_queued == 0.0);
    REQUIRE(rig.follow(reach_out(), 1000));
    CHECK(rig.progress().steps_executed > 20.0);
    CHECK(rig.progress().limiter_interventions == 0);
}

TEST_CASE("an observation older than max_age is refused") {
    Rig rig;
    REQUIRE(rig.run(10));
    const auto chunk = rig.observe(reach_out(), 30);
    REQUIRE(rig.run(2001));
    rig.deliver(chunk);
    REQUIRE(rig.run(500));
    CHECK(moved(rig, 0) == 0.0);
    CHECK(rig.progress().refused[RTI_REFUSED_AGE] == 1);
}

TEST_CASE("a chunk whose observation is not newer than the last admitted one is refused") {
    Rig rig;
    REQUIRE(rig.run(10));
    const auto first = rig.observe(reach_out(), 30);
    rig.deliver(first);
    REQUIRE(rig.run(100));
    rig.deliver(first);
    REQUIRE(rig.run(100));
    CHECK(rig.progress().refused[RTI_REFUSED_ORDER] == 1);
    CHECK(rig.progress().splices == 1);
}

TEST_CASE("a chunk with NaN, infinity or a wrong shape is refused whole") {
    Rig rig;
    REQUIRE(rig.run(10));
    auto poisoned = rig.observe(reach_out(), 30);
    poisoned[17].values[3] = std::numeric_limits<double>::quiet_NaN();
    rig.deliver(poisoned);
    REQUIRE(rig.run(10));
    auto endless = rig.observe(reach_out(), 30);
    endless[0].values[0] = std::numeric_limits<double>::infinity();
    rig.deliver(endless);
    REQUIRE(rig.run(10));
    auto narrow = rig.observe(reach_out(), 30);
    narrow[5].dim = 6;
    rig.deliver(narrow);
    REQUIRE(rig.run(500));
    CHECK(moved(rig, 0) == 0.0);
    CHECK(rig.progress().refused[RTI_REFUSED_NOT_FINITE] == 2);
    CHECK(rig.progress().refused[RTI_REFUSED_MALFORMED] == 1);
}

TEST_CASE("a first target too far from the arm is refused, and says how far it was") {
    Rig rig;
    REQUIRE(rig.run(10));
    rig.deliver(rig.observe(
        [](double) {
            JointArray q = test::ready();
            q[3] += 0.6;
            return q;
        },
        30));
    REQUIRE(rig.run(500));
    CHECK(moved(rig, 0) == 0.0);
    CHECK(rig.progress().refused[RTI_REFUSED_START] == 1);
    CHECK(rig.progress().start_distance_rad == doctest::Approx(0.6));
}

TEST_CASE("a chunk that comes after all of its steps is refused") {
    StepperConfig config;
    config.max_age_s = 100.0;
    Rig rig(config);
    REQUIRE(rig.run(10));
    rig.deliver(rig.observe(reach_out(), 50));
    REQUIRE(rig.run(200));
    const auto late = rig.observe(reach_out(), 5);
    REQUIRE(rig.run(1000));
    rig.deliver(late);
    REQUIRE(rig.run(10));
    CHECK(rig.progress().refused[RTI_REFUSED_LATE] == 1);
}

TEST_CASE("after a hold nothing was consumed: the whole chunk is used") {
    Rig rig;
    REQUIRE(rig.run(10));
    rig.deliver(rig.observe(reach_out(), 20));
    REQUIRE(rig.run(3000));
    const auto next = rig.observe(reach_out(), 20);
    REQUIRE(rig.run(500));
    rig.deliver(next);
    REQUIRE(rig.run(3000));
    CHECK(rig.progress().late_steps == 0);
    CHECK(rig.progress().steps_executed == doctest::Approx(40.0).epsilon(1e-3));
}

TEST_CASE("a stale heartbeat rests the arm on its path; its return wants a fresh observation") {
    Rig rig;
    REQUIRE(rig.follow(reach_out(), 600));
    const auto before = rig.observe(reach_out(), 50);
    rig.in_flight.clear();
    rig.request = Request::kRest;
    REQUIRE(rig.run(1000));
    CHECK(rests(rig));
    rig.deliver(before);
    REQUIRE(rig.run(100));
    CHECK(rig.progress().refused[RTI_REFUSED_STOPPING] == 1);
    const std::uint32_t epoch = rig.progress().epoch;
    rig.request = Request::kFollow;
    REQUIRE(rig.run(10));
    CHECK(rig.progress().epoch == epoch + 1);
    rig.deliver(before);
    REQUIRE(rig.run(100));
    CHECK(rests(rig));
    REQUIRE(rig.follow(reach_out(), 500));
    CHECK(rig.progress().phase == RTI_PHASE_FOLLOW);
}

TEST_CASE("a finish request rests first and then ends the motion, accepted by the arm") {
    Rig rig;
    REQUIRE(rig.follow(reach_out(), 600));
    rig.request = Request::kFinish;
    while (rig.cycle() && rig.commands.size() < 5000) {
    }
    CHECK(rig.progress().finished);
    CHECK(rig.progress().phase == RTI_PHASE_FINISHED);
    CHECK(rig.state.reflex == Reflex::kNone);
    CHECK(rig.progress().limiter_interventions == 0);
}

TEST_CASE("equal inputs give equal commands, bit for bit") {
    const auto run = [] {
        Rig rig;
        rig.follow(test::sine(0.5, 0.5, 30.0), 1500);
        rig.arm.lose(7);
        rig.follow(test::sine(0.5, 0.5, 30.0), 1500);
        return rig.commands;
    };
    CHECK(run() == run());
}

}  // namespace
}  // namespace rti
