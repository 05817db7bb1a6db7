// Tool values: what an action says beside the joints comes into force when the clock passes its
// step, as it was said: neither blended nor early, and never from an older epoch.
#include <doctest/doctest.h>

#include "tests/motion_rig.hpp"

namespace rti {
namespace {

using test::Rig;

// A chunk that moves a joint and says `base + i` for action i and -i beside it.
std::vector<rti_action> with_tool(Rig& rig, std::uint32_t count, double base) {
    std::vector<rti_action> chunk = rig.observe(test::reach_out(), count);
    for (rti_action& action : chunk) {
        action.dim = RTI_DOF + 2;
        action.values[RTI_DOF] = base + action.index;
        action.values[RTI_DOF + 1] = -1.0 * action.index;
    }
    return chunk;
}

TEST_CASE("a tool value comes into force when the clock passes its step") {
    Rig rig;
    REQUIRE(rig.run(5));
    CHECK(rig.progress().tool_values == 0);
    const std::vector<rti_action> chunk = with_tool(rig, 20, 100.0);
    const double origin = chunk[0].origin_step;
    rig.deliver(chunk);
    int seen = 0;
    double before = 99.0;
    for (int i = 0; i < 1500; ++i) {
        REQUIRE(rig.cycle());
        if (rig.progress().tool_values == 0) continue;
        const double value = rig.progress().tool[0];
        const double passed = std::floor(rig.progress().policy_step - origin);
        REQUIRE(value == 100.0 + std::min(passed, 19.0));
        REQUIRE(rig.progress().tool[1] == 100.0 - value);
        seen += value != before ? 1 : 0;
        before = value;
    }
    CHECK(seen == 20);
    CHECK(rig.progress().phase == RTI_PHASE_HOLD);
    CHECK(rig.progress().tool_values == 2);
}

TEST_CASE("a gripper is never averaged") {
    for (int rule = 0; rule < kAggregates; ++rule) {
        CAPTURE(rule);
        StepperConfig config;
        config.aggregate = static_cast<Aggregate>(rule);
        Rig rig(config);
        REQUIRE(rig.run(5));
        rig.deliver(with_tool(rig, 40, 100.0));
        REQUIRE(rig.run(400));
        const std::vector<rti_action> newer = with_tool(rig, 40, 200.0);
        REQUIRE(rig.run(60));
        rig.deliver(newer);
        for (int i = 0; i < 800; ++i) {
            REQUIRE(rig.cycle());
            const double value = rig.progress().tool[0];
            REQUIRE(value == std::round(value));
            REQUIRE((value < 140.0 || value >= 200.0));
        }
        CHECK(rig.progress().tool[0] > 200.0);
    }
}

TEST_CASE("a new epoch puts no tool value into force until a chunk of it is followed") {
    Rig rig;
    REQUIRE(rig.run(5));
    rig.deliver(with_tool(rig, 40, 100.0));
    REQUIRE(rig.run(300));
    REQUIRE(rig.progress().tool_values == 2);
    const std::vector<rti_action> old = with_tool(rig, 40, 200.0);
    rig.new_epoch();
    REQUIRE(rig.cycle());
    rig.deliver(old);
    for (int i = 0; i < 600; ++i) {
        REQUIRE(rig.cycle());
        REQUIRE(rig.progress().tool_values == 0);
    }
    rig.deliver(with_tool(rig, 40, 300.0));
    REQUIRE(rig.run(100));
    CHECK(rig.progress().tool_values == 2);
    CHECK(rig.progress().tool[0] >= 300.0);
}

TEST_CASE("a chunk whose tool values change in number or are not finite is refused whole") {
    Rig rig;
    REQUIRE(rig.run(5));
    std::vector<rti_action> uneven = with_tool(rig, 10, 0.0);
    uneven[7].dim = RTI_DOF + 1;
    rig.deliver(uneven);
    REQUIRE(rig.run(2));
    CHECK(rig.progress().refused[RTI_REFUSED_MALFORMED] == 1);
    std::vector<rti_action> wide = with_tool(rig, 10, 0.0);
    for (rti_action& action : wide) action.dim = RTI_MAX_VALUES + 1;
    rig.deliver(wide);
    REQUIRE(rig.run(2));
    CHECK(rig.progress().refused[RTI_REFUSED_MALFORMED] == 2);
    std::vector<rti_action> wild = with_tool(rig, 10, 0.0);
    wild[3].values[RTI_DOF + 1] = std::nan("");
    rig.deliver(wild);
    REQUIRE(rig.run(50));
    CHECK(rig.progress().refused[RTI_REFUSED_NOT_FINITE] == 1);
    CHECK(rig.progress().tool_values == 0);
    CHECK(test::rests(rig));
}

}  // namespace
}  // namespace rti
