// What a cycle costs: from a state of the arm to its command, and the planning after the write.
//
//   stepper ROUNDS CYCLES
//
// The stepper drives the simulated FR3 in virtual time along reach_stream.hpp, whose records come
// through the action ring, as in the core. The rival answers each state with the arm's own
// position, through the same loop: it is what the loop and its clock cost. "clock" is two readings
// of it with nothing in between.
//
// Cycles follow each other at once, so caches are warm, which those of a loop that sleeps between
// its cycles are not. A reflex, an intervention of the limiter, a stream that was not followed, or
// an allocation anywhere in the cycles ends the program: the figures would be of something else.
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "arms/sim_fr3.hpp"
#include "benches/allocations.hpp"
#include "benches/reach_stream.hpp"
#include "benches/side_by_side.hpp"
#include "control/stepper.hpp"
#include "include/rt_infer.h"
#include "memory/spsc_ring.hpp"

namespace rti::bench {
namespace {

struct Times {
    explicit Times(std::size_t cycles)
        : command(cycles), plan(cycles), whole(cycles), splice(cycles) {}
    void clear() noexcept {
        command.clear();
        plan.clear();
        whole.clear();
        splice.clear();
    }
    Samples command;  // state read -> command ready
    Samples plan;     // after the write
    Samples whole;    // both
    Samples splice;   // both, in the cycles that spliced a chunk into the path
};

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
        times.command.add(ready_ns - read_ns);
        times.plan.add(planned_ns - written_ns);
        times.whole.add(whole_ns);
        if (after(state)) times.splice.add(whole_ns);
    }
}

void play_ours(int cycles, Times& times) {
    const auto region = std::make_unique<rti_region>();
    const auto stepper = std::make_unique<Stepper>(StepperConfig{});
    RingConsumer ring(*region);
    ReachStream stream(*region);
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
        progress.limiter_interventions != 0) {
        throw std::runtime_error("the stream was not followed as it should be");
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
        ours.clear();
        bare.clear();
        clock.clear();
        play_ours(cycles, ours);
        play_bare(cycles, bare);
        play_clock(cycles, clock);
        Round round;
        round.add("command", ours.command);
        round.add("plan", ours.plan);
        round.add("whole", ours.whole);
        round.add("splice", ours.splice);
        round.add("bare command", bare.command);
        round.add("bare whole", bare.whole);
        round.add("clock", clock);
        round.print();
    }
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "stepper: %s\n", error.what());
    return 1;
}
