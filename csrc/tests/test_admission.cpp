// Which chunks move the arm: each reason to refuse one, seen at the commands.
#include <doctest/doctest.h>

#include <limits>

#include "tests/motion_rig.hpp"

namespace rti {
namespace {

using test::moved;
using test::reach_out;
using test::rests;
using test::Rig;

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

TEST_CASE("a chunk that names another epoch moves nothing, however fresh its observation") {
    Rig rig;
    REQUIRE(rig.run(10));
    rig.new_epoch();
    REQUIRE(rig.run(10));
    std::uint64_t refused = 0;
    for (const std::uint32_t claimed : {rig.progress().epoch - 1, rig.progress().epoch + 1}) {
        auto chunk = rig.observe(reach_out(), 30);
        for (rti_action& action : chunk) action.epoch = claimed;
        rig.deliver(chunk);
        REQUIRE(rig.run(500));
        CHECK(rig.progress().refused[RTI_REFUSED_EPOCH] == ++refused);
    }
    CHECK(moved(rig, 0) == 0.0);
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

TEST_CASE("an observation of the future is refused, and makes no later one old") {
    Rig rig;
    REQUIRE(rig.run(10));
    auto chunk = rig.observe(reach_out(), 30);
    for (rti_action& action : chunk) action.capture_ns = std::numeric_limits<std::int64_t>::max();
    rig.deliver(chunk);
    REQUIRE(rig.run(10));
    CHECK(rig.progress().refused[RTI_REFUSED_AGE] == 1);
    REQUIRE(rig.follow(reach_out(), 500));
    CHECK(rig.progress().phase == RTI_PHASE_FOLLOW);
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

TEST_CASE("an admitted chunk that was never followed leaves the start to be checked") {
    Rig rig;
    REQUIRE(rig.follow(reach_out(), 600));
    rig.in_flight.clear();
    rig.new_epoch();
    REQUIRE(rig.run(1));
    const std::uint64_t splices = rig.progress().splices;
    // One action: while the void path is braked on, the clock runs past all of it.
    const JointArray here = rig.commands.back();
    rig.deliver(rig.observe([&](double) { return here; }, 1));
    REQUIRE(rig.run(1000));
    REQUIRE(rig.progress().splices == splices);
    rig.deliver(rig.observe(
        [&](double) {
            JointArray q = rig.commands.back();
            q[0] += 1.0;
            return q;
        },
        30));
    REQUIRE(rig.run(1000));
    CHECK(rests(rig));
    CHECK(rig.progress().splices == splices);
    CHECK(rig.progress().refused[RTI_REFUSED_START] == 1);
}

TEST_CASE("a chunk of which nothing lies ahead does not displace one that waits") {
    Rig rig;
    REQUIRE(rig.run(10));
    rig.deliver(rig.observe(reach_out(), 50));
    REQUIRE(rig.run(300));
    const auto good = rig.observe(reach_out(), 50);
    REQUIRE(rig.run(1));
    const auto late = rig.observe(reach_out(), 1);
    REQUIRE(rig.run(200));
    rig.deliver(good);
    rig.deliver(late);
    REQUIRE(rig.run(50));
    CHECK(rig.progress().refused[RTI_REFUSED_LATE] == 1);
    CHECK(rig.progress().splices == 2);
}

TEST_CASE("a chunk whose first step the clock has not reached is refused") {
    Rig rig;
    REQUIRE(rig.run(10));
    auto ahead = rig.observe(reach_out(), 30);
    for (rti_action& action : ahead) action.origin_step += 1.0;
    rig.deliver(ahead);
    REQUIRE(rig.run(500));
    CHECK(moved(rig, 0) == 0.0);
    CHECK(rig.progress().refused[RTI_REFUSED_LATE] == 1);
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

}  // namespace
}  // namespace rti
