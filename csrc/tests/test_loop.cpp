// The control loop on a real region, mostly in virtual time: the arm sets the pace, and here that
// is as fast as the test runs.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "control/loop.hpp"
#include "loop_chunk.hpp"
#include "memory/words.hpp"
#include "sim_arm.hpp"

using namespace rti;

namespace {

// What the loop's surroundings see and do: the region from outside, and a chunk when one is wanted.
struct World {
    explicit World(const SimFr3Config& config = virtual_time()) : arm(config) { arm.start(); }

    [[nodiscard]] rti_state state() const {
        rti_state out{};
        REQUIRE(MailboxReader(*region).read(out) > 0);
        return out;
    }

    [[nodiscard]] std::vector<rti_record> records() {
        std::vector<rti_record> out(RTI_TELEMETRY_CAPACITY);
        out.resize(telemetry.read(out));
        return out;
    }

    // A chunk that takes joint 1 away by `shift_rad`, from the state the mailbox shows.
    [[nodiscard]] std::vector<rti_action> chunk(double shift_rad, std::uint32_t count = 30) {
        std::vector<rti_action> out(count);
        test::fill_chunk(out, state(), ++chunk_id, shift_rad);
        return out;
    }

    bool cycles(Loop& loop, int count, Request request = Request::kFollow) {
        for (int i = 0; i < count; ++i) {
            if (!loop.cycle(request)) return false;
        }
        return true;
    }

    // A ring of zeros is an empty region; the header is of no concern here.
    std::unique_ptr<rti_region> region = std::make_unique<rti_region>();
    RingProducer ring{*region};
    TelemetryReader telemetry{*region, TelemetryStart::kOldest};
    SimFr3 arm;
    std::unique_ptr<Stepper> stepper = std::make_unique<Stepper>(StepperConfig{});
    std::uint64_t chunk_id = 0;
};

}  // namespace

TEST_CASE("loop: the first cycle publishes an arm at rest in the first epoch") {
    World world;
    Loop loop(*world.region, world.arm, *world.stepper);
    REQUIRE(loop.cycle(Request::kFollow));
    const rti_state state = world.state();
    CHECK(state.phase == RTI_PHASE_HOLD);
    CHECK(state.epoch == 1);
    CHECK(state.epoch_since_ns == state.time_ns);
    CHECK(state.reflex == 0);
    CHECK(std::equal(kReadyPose_rad.begin(), kReadyPose_rad.end(), state.q_command));
}

TEST_CASE("loop: a chunk pushed between two cycles is followed to its end") {
    World world;
    Loop loop(*world.region, world.arm, *world.stepper);
    REQUIRE(world.cycles(loop, 10));
    const std::vector<rti_action> chunk = world.chunk(0.2);
    REQUIRE(world.ring.push(chunk));
    REQUIRE(world.cycles(loop, 20));
    CHECK(world.state().phase == RTI_PHASE_FOLLOW);
    CHECK(world.state().chunk_id == 1);
    REQUIRE(world.cycles(loop, 3000));
    CHECK(world.state().phase == RTI_PHASE_HOLD);
    CHECK(world.state().q_command[0] == doctest::Approx(0.2));
    CHECK(world.region->stats.splices == 1);
    CHECK(world.region->stats.splice.count == 1);
    CHECK(world.region->stats.velocity_ratio_max > 0.0);
    CHECK(world.region->stats.velocity_ratio_max <= 1.0);
    CHECK(world.region->stats.limiter_interventions == 0);
}

TEST_CASE("loop: who sees a chunk judged sees its actions queued") {
    World world;
    Loop loop(*world.region, world.arm, *world.stepper);
    REQUIRE(world.cycles(loop, 10));
    REQUIRE(world.ring.push(world.chunk(0.2)));
    REQUIRE(loop.cycle(Request::kFollow));
    CHECK(world.state().chunks_admitted == 1);
    CHECK(world.state().steps_queued == 30.0);
    CHECK(world.state().phase == RTI_PHASE_FOLLOW);
}

TEST_CASE("loop: what was queued before it attached is never executed") {
    World world;
    rti_action record{};
    record.kind = RTI_RECORD_ACTION;
    record.count = 1;
    REQUIRE(world.ring.push({&record, 1}));
    Loop loop(*world.region, world.arm, *world.stepper);
    REQUIRE(world.cycles(loop, 5));
    CHECK(world.region->stats.chunks_received == 0);
}

TEST_CASE("loop: each cycle leaves one record, and the statistics count them all") {
    World world;
    Loop loop(*world.region, world.arm, *world.stepper);
    REQUIRE(world.cycles(loop, 10));
    REQUIRE(world.ring.push(world.chunk(0.2)));
    REQUIRE(world.cycles(loop, 490));
    const std::vector<rti_record> records = world.records();
    REQUIRE(records.size() == 500);
    int spliced = 0;
    for (std::size_t i = 0; i < records.size(); ++i) {
        CHECK(records[i].cycle == i + 1);
        CHECK(records[i].elapsed_cycles == 1);
        CHECK(records[i].wake_late_ns == 0);  // virtual time is never late
        spliced += (records[i].flags & RTI_CYCLE_SPLICED) != 0;
    }
    CHECK(spliced == 1);
    const rti_stats& stats = world.region->stats;
    CHECK(stats.cycles == 500);
    CHECK(stats.response.count == 500);
    CHECK(stats.step.count == 500);
    CHECK(stats.wake_late.count == 500);
    CHECK(stats.period.count == 499);
    CHECK(stats.period.sum_ns == 499'000'000);
    CHECK(stats.outcome == 0);
}

TEST_CASE("loop: cycles that the arm went through alone are counted and told") {
    World world;
    Loop loop(*world.region, world.arm, *world.stepper);
    REQUIRE(world.cycles(loop, 10));
    world.arm.lose(3);
    REQUIRE(world.cycles(loop, 2));
    const std::vector<rti_record> records = world.records();
    CHECK(records[10].elapsed_cycles == 4);
    CHECK(records[10].cycle == 14);
    CHECK(records[10].wake_late_ns == 3'000'000);
    CHECK(records[11].elapsed_cycles == 1);
    CHECK(world.region->stats.late_cycles == 3);
    CHECK(world.region->stats.cycles == 12);
}

TEST_CASE("loop: asked to finish in full motion, it rests on the path and then ends the motion") {
    World world;
    Loop loop(*world.region, world.arm, *world.stepper);
    REQUIRE(world.cycles(loop, 10));
    REQUIRE(world.ring.push(world.chunk(0.5, 60)));
    REQUIRE(world.cycles(loop, 800));
    REQUIRE(world.state().phase == RTI_PHASE_FOLLOW);
    CHECK(loop.run([] { return Request::kFinish; }) == RTI_PHASE_FINISHED);
    CHECK(world.state().phase == RTI_PHASE_FINISHED);
    CHECK(world.state().policy_step < 59.0);
    CHECK(world.region->stats.outcome == RTI_PHASE_FINISHED);
    CHECK(world.region->stats.reflexes == 0);
    CHECK_FALSE(loop.cycle(Request::kFollow));  // and that was the last one
    CHECK(loop.outcome() == RTI_PHASE_FINISHED);
}

TEST_CASE("loop: an arm that stops by itself ends it, and everyone can read why") {
    SimFr3Config config = virtual_time();
    config.faults.fail_at_cycle = 50;
    config.faults.fail_with = Reflex::kCommunicationConstraints;
    World world(config);
    Loop loop(*world.region, world.arm, *world.stepper);
    CHECK(loop.run([] { return Request::kFollow; }) == RTI_PHASE_FAULT);
    const auto reflex = static_cast<std::uint32_t>(Reflex::kCommunicationConstraints);
    CHECK(world.state().phase == RTI_PHASE_FAULT);
    CHECK(world.state().reflex == reflex);
    const rti_stats& stats = world.region->stats;
    CHECK(stats.outcome == RTI_PHASE_FAULT);
    REQUIRE(stats.reflexes == 1);
    CHECK(stats.reflex_code[0] == reflex);
    CHECK(stats.reflex_cycle[0] >= 50);
    CHECK_FALSE(loop.cycle(Request::kFollow));
}

TEST_CASE("loop: a command that the arm refuses is a fault with the arm's own reason") {
    // Its answers get lost until the arm has had enough, in the middle of a motion.
    SimFr3Config config = virtual_time();
    config.faults.drop_from_cycle = 400;
    config.faults.drop_count = 100;
    World world(config);
    Loop loop(*world.region, world.arm, *world.stepper);
    REQUIRE(world.cycles(loop, 10));
    REQUIRE(world.ring.push(world.chunk(0.5, 60)));
    CHECK(loop.run([] { return Request::kFollow; }) == RTI_PHASE_FAULT);
    CHECK(world.state().reflex == static_cast<std::uint32_t>(Reflex::kCommunicationConstraints));
}

TEST_CASE("loop: a new epoch asked for through the ring voids what came before it") {
    World world;
    Loop loop(*world.region, world.arm, *world.stepper);
    REQUIRE(world.cycles(loop, 10));
    std::vector<rti_action> records = world.chunk(0.2);
    rti_action new_epoch{};
    new_epoch.kind = RTI_RECORD_NEW_EPOCH;
    records.push_back(new_epoch);
    REQUIRE(world.ring.push(records));
    REQUIRE(world.cycles(loop, 100));
    CHECK(world.state().epoch == 2);
    CHECK(world.state().phase == RTI_PHASE_HOLD);
    CHECK(world.region->stats.splices == 0);
}

TEST_CASE("loop: a producer, a watcher and the loop run side by side") {
    World world;
    Loop loop(*world.region, world.arm, *world.stepper);
    REQUIRE(loop.cycle(Request::kFollow));
    std::atomic<Request> request{Request::kFollow};
    std::thread motion(
        [&] { loop.run([&]() noexcept { return request.load(std::memory_order_relaxed); }); });
    std::uint64_t last_cycle = 0;
    while (load_relaxed(world.region->stats.splices) < 20) {
        const rti_state now = world.state();
        CHECK(now.cycle >= last_cycle);
        last_cycle = now.cycle;
        // A full ring is an answer too: virtual time may drain it slower than this pushes.
        static_cast<void>(world.ring.push(world.chunk(world.chunk_id % 2 == 0 ? 0.1 : -0.1)));
        for (const rti_record& record : world.records()) CHECK(record.epoch == 1);
        std::this_thread::yield();
    }
    request.store(Request::kFinish, std::memory_order_relaxed);
    motion.join();
    CHECK(loop.outcome() == RTI_PHASE_FINISHED);
    CHECK(world.region->stats.reflexes == 0);
    CHECK(world.region->stats.limiter_interventions == 0);
}
