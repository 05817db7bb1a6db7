// The simulated FR3 on the clock: it goes on without a controller that is late. Cycles are counted,
// no duration is asserted.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <thread>

#include "tests/sim_arm.hpp"

namespace {

using namespace rti;

// A test machine that stalls for 20 ms stops the arm, and rightly so: that is no failure of the
// test.
bool machine_stalled(const ArmState& state) {
    return state.reflex == Reflex::kCommunicationConstraints;
}

// Holds until answers must have arrived: from the first one on, lost cycles count.
void start_and_hold(SimFr3& arm, ArmState& state) {
    arm.start();
    for (int k = 0; k < 20; ++k) {
        if (!hold(arm, state)) arm.start();
    }
}

}  // namespace

TEST_CASE("in real time states keep to the grid of the first one and account for every cycle") {
    SimFr3 arm(SimFr3Config{});
    arm.start();
    ArmState state;
    std::uint64_t counted = 0;
    std::int64_t first_ns = 0;
    for (int k = 0; k < 30; ++k) {
        const bool alive = arm.read(state);
        counted += state.elapsed_cycles;
        CHECK(counted == state.cycle);
        CHECK(state.due_ns <= state.time_ns);
        CHECK(state.time_ns - state.due_ns < 1'000'000);  // else a newer state would be out
        if (k == 0) first_ns = state.time_ns - static_cast<std::int64_t>(state.cycle) * 1'000'000;
        // Never before its own grid point (the first may have come late itself, by less than a
        // cycle).
        CHECK(state.time_ns > first_ns + static_cast<std::int64_t>(state.cycle - 1) * 1'000'000);
        if (!alive || !arm.write({state.q_d, false})) {
            REQUIRE(machine_stalled(state));
            return;
        }
    }
}

TEST_CASE("in real time an arm does not wait for a controller that oversleeps") {
    SimFr3 arm(SimFr3Config{});
    ArmState state;
    start_and_hold(arm, state);
    if (!arm.read(state)) {
        REQUIRE(machine_stalled(state));
        return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ArmCommand late{state.q_d, false};
    late.q[0] += 0.05;  // would be a discontinuity, had it arrived
    CHECK(arm.write(late));
    if (arm.read(state)) {
        CHECK(state.elapsed_cycles >= 5);
        CHECK(state.reflex == Reflex::kNone);
        CHECK(state.success_rate < 1.0);
    } else {
        CHECK(machine_stalled(state));
    }
}

TEST_CASE("in real time a controller that is silent for 20 cycles finds the arm stopped") {
    SimFr3 arm(SimFr3Config{});
    ArmState state;
    start_and_hold(arm, state);
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    CHECK_FALSE(arm.read(state));
    CHECK(state.reflex == Reflex::kCommunicationConstraints);
    arm.start();
    CHECK(arm.read(state));
}

TEST_CASE("in real time a late motion_finished still ends the motion") {
    SimFr3 arm(SimFr3Config{});
    arm.start();
    ArmState state;
    REQUIRE(arm.read(state));
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    REQUIRE(arm.write({state.q_d, true}));
    CHECK_FALSE(arm.read(state));
    CHECK(state.reflex == Reflex::kNone);
}

TEST_CASE(
    "a patient arm loses nothing to a controller that oversleeps, and keeps its own count of "
    "cycles") {
    SimFr3Config config;
    config.pacing = Pacing::kPatient;
    SimFr3 arm(config);
    arm.start();
    ArmState state;
    for (std::uint64_t k = 1; k <= 20; ++k) {
        REQUIRE(arm.read(state));
        CHECK(state.cycle == k);
        CHECK(state.elapsed_cycles == 1);
        // Late before the answer, then late for the next state: ten times what FCI forgives in all.
        std::this_thread::sleep_for(std::chrono::milliseconds(k % 2 == 0 ? 7 : 3));
        REQUIRE(arm.write({state.q_d, false}));
        std::this_thread::sleep_for(std::chrono::milliseconds(k % 3 == 0 ? 7 : 0));
    }
    CHECK(state.success_rate == 1.0);
}
