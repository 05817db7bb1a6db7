// What a cycle costs: from a state of the arm to its command, and the planning after the write.
//
//   stepper ROUNDS CYCLES
//
// The stepper, with the smoothing that ships, drives the simulated FR3 in virtual time along
// reach_stream.hpp, whose records come through the action ring, as in the core: at 10, 30 and 50
// steps a second, without a box and inside one. The rival answers each state with the arm's own
// position, through the same loop: it is what the loop and its clock cost. "clock" is two readings
// of it with nothing in between.
//
// Cycles follow each other at once, so caches are warm, which those of a loop that sleeps between
// its cycles are not. A reflex, an intervention of the limiter, a stream that was not followed, or
// an allocation anywhere in the cycles ends the program: the figures would be of something else.
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

#include "arms/sim_fr3.hpp"
#include "benches/allocations.hpp"
#include "benches/reach_stream.hpp"
#include "benches/side_by_side.hpp"
#include "control/stepper.hpp"
#include "include/rt_infer.h"
#include "memory/spsc_ring.hpp"

namespace rti::bench {
namespace {

constexpr double kShippedTolerance_rad = 0.004;  // --motion.tolerance

struct Times {
    explicit Times(std::size_t cycles) : response(cycles), whole(cycles), splice(cycles) {}
    void clear() noexcept {
        response.clear();
        whole.clear();
        splice.clear();
    }
    Samples response;  // state read -> command ready
    Samples whole;     // and the planning after the write
    Samples splice;    // the same, of the cycles that spliced a chunk into the path
};

// What ships, at a policy's pace; the box is one that a table with its arm has around it.
struct Setting {
    double fps;
    bool boxed;

    [[nodiscard]] std::string name() const {
        return std::to_string(static_cast<int>(fps)) + " fps" + (boxed ? " in a box" : "");
    }
    [[nodiscard]] StepperConfig config() const {
        StepperConfig config;
        config.fps = fps;
        config.tolerance_rad = kShippedTolerance_rad;
        if (boxed) config.box = {.min_m = {-0.6, -0.9, 0.02}, .max_m = {0.9, 0.9, 1.3}};
        return config;
    }
};

constexpr Setting kSettings[] = {{10.0, false}, {10.0, true},  {30.0, false},
                                 {30.0, true},  {50.0, false}, {50.0, true}};

SimFr3Config in_virtual_time() {
    SimFr3Config config;
    config.pacing = Pacing::kVirtual;
    return config;
}

// The loop that both drive: `command(state)` before the write, `plan()` after it.
template <class Command, class Plan, class After>
void drive(int cycles, Times& times, Command command, Plan plan, After after) {
    SimFr3 arm(in_virtual_time());
    arm.start();
    ArmState state;
    for (int i = 0; i < cycles; ++i) {
        if (!arm.read(state)) throw std::runtime_error("the simulated arm stopped by a reflex");
        const std::int64_t read_ns = now_ns();
        const ArmCommand answer = command(state);
        const std::int64_t ready_ns = now_ns();
        if (!arm.write(answer)) throw std::runtime_error("the simulated arm took no command");
        const std::int64_t written_ns = now_ns();
        plan();
        const std::int64_t planned_ns = now_ns();
        const std::int64_t whole_ns = ready_ns - read_ns + planned_ns - written_ns;
        times.response.add(ready_ns - read_ns);
        times.whole.add(whole_ns);
        if (after(state)) times.splice.add(whole_ns);
    }
}

void play_ours(const Setting& setting, int cycles, Times& times) {
    const auto region = std::make_unique<rti_region>();
    const auto stepper = std::make_unique<Stepper>(setting.config());
    RingConsumer ring(*region);
    ReachStream stream(*region, setting.fps);
    bool started = false;
    std::uint64_t allocated = 0;
    drive(
        cycles, times,
        [&](const ArmState& state) {
            if (!started) {
                stepper->start(state);
                started = true;
                allocated = allocations();
            }
            ring.drain([&](const rti_action& record) noexcept { stepper->offer(record); });
            return stepper->step(state, Request::kFollow);
        },
        [&] { stepper->plan(); },
        [&](const ArmState& state) {
            stream.cycle(stepper->progress(), state.time_ns);
            return (stepper->progress().flags & RTI_CYCLE_SPLICED) != 0;
        });
    if (allocations() != allocated) throw std::runtime_error("a cycle allocated memory");
    const Progress& progress = stepper->progress();
    // The last chunk may still be on its way into the path.
    if (progress.splices + 1 < stream.delivered() || progress.splices == 0 ||
        progress.limiter_interventions != 0 || progress.fence_stops != 0) {
        throw std::runtime_error(setting.name() + ": the stream was not followed as it should be");
    }
}

void play_bare(int cycles, Times& times) {
    drive(
        cycles, times, [](const ArmState& state) { return ArmCommand{state.q_d, false}; }, [] {},
        [](const ArmState&) { return false; });
}

void play_clock(int cycles, Samples& samples) {
    for (int i = 0; i < cycles; ++i) {
        const std::int64_t begin_ns = now_ns();
        samples.add(now_ns() - begin_ns);
    }
}

}  // namespace
}  // namespace rti::bench

int main(int argc, char** argv) try {
    using namespace rti::bench;
    if (argc != 3) throw std::runtime_error("usage: stepper ROUNDS CYCLES");
    const int rounds = std::atoi(argv[1]);
    const int cycles = std::atoi(argv[2]);
    Times ours(static_cast<std::size_t>(cycles));
    Times bare(static_cast<std::size_t>(cycles));
    Samples clock(static_cast<std::size_t>(cycles));
    for (int i = 0; i < rounds; ++i) {
        Round round;
        for (const Setting& setting : kSettings) {
            ours.clear();
            play_ours(setting, cycles, ours);
            round.add("response, " + setting.name(), ours.response);
            round.add("whole, " + setting.name(), ours.whole);
            round.add("splice, " + setting.name(), ours.splice);
        }
        bare.clear();
        clock.clear();
        play_bare(cycles, bare);
        play_clock(cycles, clock);
        round.add("bare response", bare.response);
        round.add("bare whole", bare.whole);
        round.add("clock", clock);
        round.print();
    }
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "stepper: %s\n", error.what());
    return 1;
}
