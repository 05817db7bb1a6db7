// A run of the loop on a real region, in virtual time, and the same run played again from what it
// left behind.
#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "control/loop.hpp"
#include "control/replay.hpp"
#include "loop_chunk.hpp"
#include "scratch_region.hpp"
#include "sim_arm.hpp"

using namespace rti;

namespace {

// What a recording holds.
struct Recorded {
    std::vector<rti_action> ring;
    std::vector<rti_record> cycles;
};

// Everything that happens to a run: chunks that meet, lost packets, a new epoch, a stale heartbeat,
// a chunk of an epoch that is over, the end.
class EventfulRun {
  public:
    Recorded record() {
        rti_action unheard{};
        unheard.kind = RTI_RECORD_NEW_EPOCH;
        push({unheard});  // before there is a loop
        arm_.start();
        Loop loop(*region_, arm_, *stepper_);
        push({unheard, unheard});  // before its first cycle
        run(loop, 10);
        for (const double shift_rad : {0.4, -0.3, 0.2}) {
            push(chunk(shift_rad));
            run(loop, 500);
        }
        arm_.lose(3);
        run(loop, 300);
        const std::vector<rti_action> late = chunk(0.3);
        rti_action new_epoch{};
        new_epoch.kind = RTI_RECORD_NEW_EPOCH;
        push({new_epoch});
        push(late);
        run(loop, 700);
        push(chunk(-0.4));
        run(loop, 400);
        run(loop, 600, Request::kRest);
        run(loop, 100);
        push(chunk(0.25));
        run(loop, 800);
        while (loop.cycle(Request::kFinish)) {
        }
        CHECK(loop.outcome() == RTI_PHASE_FINISHED);
        recorded_.cycles.resize(RTI_TELEMETRY_CAPACITY);
        recorded_.cycles.resize(telemetry_.read(recorded_.cycles));
        return std::move(recorded_);
    }

  private:
    static void run(Loop& loop, int cycles, Request request = Request::kFollow) {
        for (int i = 0; i < cycles; ++i) REQUIRE(loop.cycle(request));
    }

    [[nodiscard]] std::vector<rti_action> chunk(double shift_rad) {
        rti_state seen{};
        REQUIRE(MailboxReader(*region_).read(seen) > 0);
        std::vector<rti_action> out(50);
        test::fill_chunk(out, seen, ++chunk_id_, shift_rad);
        return out;
    }

    void push(const std::vector<rti_action>& records) {
        REQUIRE(ring_.push(records));
        recorded_.ring.insert(recorded_.ring.end(), records.begin(), records.end());
    }

    std::unique_ptr<rti_region> region_ = std::make_unique<rti_region>();
    RingProducer ring_{*region_};
    TelemetryReader telemetry_{*region_, TelemetryStart::kOldest};
    SimFr3 arm_{virtual_time()};
    std::unique_ptr<Stepper> stepper_ = std::make_unique<Stepper>(StepperConfig{});
    Recorded recorded_;
    std::uint64_t chunk_id_ = 0;
};

// The first cycle that a fresh stepper decides otherwise; as many as there are if it decides none.
std::size_t first_difference(const Recorded& recorded, const StepperConfig& config = {}) {
    Replay replay(config);
    replay.push(recorded.ring);
    for (std::size_t i = 0; i < recorded.cycles.size(); ++i) {
        if (!same(replay.play(recorded.cycles[i]), recorded.cycles[i])) return i;
    }
    return recorded.cycles.size();
}

double next_double(double value) {
    return std::nextafter(value, 10.0);
}

}  // namespace

TEST_CASE("replay: a run with all that can happen to it is played again bit for bit") {
    const Recorded recorded = EventfulRun().record();
    REQUIRE(recorded.cycles.size() > 3900);
    CHECK(first_difference(recorded) == recorded.cycles.size());
}

TEST_CASE("replay: what was pushed before the loop attached is not offered, what came then is") {
    const Recorded recorded = EventfulRun().record();
    CHECK(recorded.cycles[0].ring_index == 1);
    CHECK(recorded.cycles[0].epoch == 1);
    CHECK(recorded.cycles[1].ring_index == 3);
    CHECK(recorded.cycles[1].epoch == 3);
}

TEST_CASE("replay: one bit of one state is enough to be noticed, in its own cycle") {
    Recorded recorded = EventfulRun().record();
    std::size_t lost = 0;  // after lost packets the stepper starts from where the arm says it is
    while (recorded.cycles[lost].elapsed_cycles < 2) ++lost;
    recorded.cycles[lost].q_d[3] = next_double(recorded.cycles[lost].q_d[3]);
    CHECK(first_difference(recorded) == lost);
}

TEST_CASE("replay: one bit of one command is noticed in its own cycle") {
    Recorded recorded = EventfulRun().record();
    recorded.cycles[2000].q_command[6] = next_double(recorded.cycles[2000].q_command[6]);
    CHECK(first_difference(recorded) == 2000);
}

TEST_CASE("replay: one bit of one action is noticed once the path comes from it") {
    Recorded recorded = EventfulRun().record();
    recorded.ring[11].values[0] = next_double(recorded.ring[11].values[0]);
    const std::size_t first = first_difference(recorded);
    CHECK(first >= 10);  // when it was pushed
    CHECK(first < 510);  // when the next one was
}

TEST_CASE("replay: a stepper of another configuration is noticed") {
    const Recorded recorded = EventfulRun().record();
    StepperConfig slower;
    slower.speed = 0.99;
    CHECK(first_difference(recorded, slower) < recorded.cycles.size());
}

TEST_CASE("replay: a ring that lacks what a cycle had drained is refused") {
    Recorded recorded = EventfulRun().record();
    recorded.ring.resize(20);
    CHECK_THROWS_AS(static_cast<void>(first_difference(recorded)), std::invalid_argument);
}

TEST_CASE("replay: an arm that reports what is no number is refused") {
    Recorded recorded = EventfulRun().record();
    recorded.cycles[5].dq_d[0] = std::nan("");
    CHECK_THROWS_AS(static_cast<void>(first_difference(recorded)), std::invalid_argument);
}
