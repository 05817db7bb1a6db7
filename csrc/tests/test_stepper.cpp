// The stepper's promises about epochs, rest and repeatability.
#include <doctest/doctest.h>

#include <limits>

#include "tests/motion_rig.hpp"

namespace rti {
namespace {

using test::moved;
using test::reach_out;
using test::rests;
using test::Rig;

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

TEST_CASE("of a path that a new epoch has made void nothing is queued any more") {
    Rig rig;
    REQUIRE(rig.follow(reach_out(), 600));
    rig.in_flight.clear();
    REQUIRE(rig.progress().steps_queued > 10.0);
    rig.new_epoch();
    REQUIRE(rig.run(1));
    REQUIRE(rig.progress().phase == RTI_PHASE_BRAKE);
    CHECK(rig.progress().steps_queued == 0.0);
}

TEST_CASE("a chunk that is admitted just before the epoch rises moves nothing") {
    Rig rig;
    REQUIRE(rig.run(10));
    rig.deliver(rig.observe(reach_out(), 30));
    rig.new_epoch();
    REQUIRE(rig.run(500));
    CHECK(rig.progress().chunks_admitted == 1);
    CHECK(rig.progress().splices == 0);
    CHECK(moved(rig, 0) == 0.0);
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

TEST_CASE("the cycle that judges a chunk tells that its actions are queued, and that it moves") {
    Rig rig;
    REQUIRE(rig.run(10));
    rig.deliver(rig.observe(reach_out(), 30));
    REQUIRE(rig.cycle());
    CHECK(rig.progress().chunks_admitted == 1);
    CHECK(rig.progress().chunk_id == 1);
    CHECK(rig.progress().steps_queued == 30.0);
    CHECK(rig.progress().phase == RTI_PHASE_FOLLOW);
}

TEST_CASE("a splice that has to wait is queued meanwhile") {
    Rig rig;
    REQUIRE(rig.follow(reach_out(), 800));
    rig.in_flight.clear();
    while (rig.progress().steps_queued > 3.0) REQUIRE(rig.cycle());
    const std::uint64_t splices = rig.progress().splices;
    rig.deliver(rig.observe([](double) { return test::ready(); }, 27));
    int waited = 0;
    for (;; ++waited) {
        REQUIRE(rig.cycle());
        REQUIRE(rig.progress().steps_queued > 20.0);
        if (rig.progress().splices > splices) break;
    }
    CHECK(waited > 1);
}

TEST_CASE("a splice that has to wait counts once, however many bridges it is tried with") {
    Rig rig;
    REQUIRE(rig.follow(reach_out(), 800));
    rig.in_flight.clear();
    const Progress before = rig.progress();
    const JointArray here = rig.commands.back();
    int targets = 0;
    rig.deliver(rig.observe(
        [&](double) {
            JointArray q = here;
            q[0] -= targets++ < 5 ? 0.0 : 0.5;
            return q;
        },
        27));
    while (rig.progress().splices == before.splices) REQUIRE(rig.cycle());
    CHECK(rig.progress().splices_delayed == before.splices_delayed + 1);
    CHECK(rig.progress().bridges_lengthened == before.bridges_lengthened + 1);
}

TEST_CASE("a chunk that the clock passes while it waits is a refused one, told in that cycle") {
    Rig rig;
    REQUIRE(rig.follow(reach_out(), 600));
    rig.in_flight.clear();
    rig.new_epoch();
    REQUIRE(rig.run(1));
    const JointArray here = rig.commands.back();
    rig.deliver(rig.observe([&](double) { return here; }, 1));
    while (rig.progress().refused[RTI_REFUSED_LATE] == 0) REQUIRE(rig.cycle());
    CHECK(rig.progress().last_refusal == RTI_REFUSED_LATE);
    CHECK((rig.progress().flags & RTI_CYCLE_REFUSED) != 0);
    CHECK(rig.progress().chunks_received ==
          rig.progress().chunks_admitted + rig.progress().refused[RTI_REFUSED_LATE]);
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

TEST_CASE("a stale heartbeat brakes at once, not at the end of the path") {
    Rig rig;
    REQUIRE(rig.follow(reach_out(), 600));
    rig.in_flight.clear();
    const double since = rig.progress().policy_step;
    REQUIRE(rig.progress().steps_queued > 20.0);
    rig.request = Request::kRest;
    REQUIRE(rig.run(1000));
    CHECK(rests(rig));
    CHECK(rig.progress().policy_step - since < 10.0);
    CHECK(rig.progress().limiter_interventions == 0);
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

TEST_CASE("an arm that counts no cycle, or all there are, does not use up the path") {
    for (const std::uint32_t elapsed : {0U, std::numeric_limits<std::uint32_t>::max()}) {
        CAPTURE(elapsed);
        Rig rig;
        REQUIRE(rig.follow(reach_out(), 600));
        const double before = rig.progress().policy_step;
        ArmState state = rig.state;
        state.q_d = rig.commands.back();
        state.time_ns += 1'000'000;
        state.elapsed_cycles = elapsed;
        const ArmCommand command = rig.stepper.step(state, Request::kFollow);
        CHECK(distance(command.q, state.q_d) < 0.01);
        CHECK(rig.progress().policy_step > before);
        CHECK(rig.progress().policy_step < before + 1.0);
    }
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
