// The producer of the action ring dies at each store of a publish; the consumer must see nothing of
// the chunk or all of it, and go on. A second producer, wrong on purpose, proves that this test
// would notice: it publishes the index before the payload.
#include <doctest/doctest.h>

#include <vector>

#include "memory/spsc_ring.hpp"
#include "tests/crash_publish.hpp"
#include "tests/scratch_region.hpp"

namespace rti {
namespace {

constexpr std::uint32_t kRecords = 5;
constexpr int kStores = static_cast<int>(kRecords * sizeof(rti_action) / sizeof(std::uint64_t)) + 1;

// The mutant.
struct PublishFirst : StoppingSteps {
    using StoppingSteps::StoppingSteps;
    template <class Fill, class Publish>
    void in_order(Fill fill, Publish publish) noexcept {
        publish();
        stop_();
        fill();
    }
};

enum class Seen { kNothing, kWhole, kBroken };

Seen drain(RingConsumer& consumer, const std::vector<rti_action>& chunk) {
    std::vector<rti_action> records;
    consumer.drain([&](const rti_action& record) { records.push_back(record); });
    if (records.empty()) return Seen::kNothing;
    const bool whole = std::equal(records.begin(), records.end(), chunk.begin(), chunk.end(),
                                  [](const auto& a, const auto& b) { return same(a, b); });
    return whole ? Seen::kWhole : Seen::kBroken;
}

struct Tally {
    int nothing = 0;  // kills after which the chunk was never seen
    int whole = 0;    // kills after which it was there
    int broken = 0;   // kills after which something else was: what must not happen
    int stalled = 0;  // kills after which a new producer's chunk did not arrive
};

template <class Steps>
Tally kill_at_each_store() {
    const ScratchRegion region;
    Tally tally;
    // The slots hold old records everywhere, and the chunk under test lies across the wrap.
    RingConsumer consumer(*region);
    std::uint64_t id = 1;
    for (const std::uint32_t count : {512u, 510u}) {
        REQUIRE(RingProducer(*region).push(chunk_of(id++, count)));
        REQUIRE(drain(consumer, chunk_of(id - 1, count)) == Seen::kWhole);
    }
    for (int k = 1;; ++k) {
        const auto chunk = chunk_of(id++, kRecords);
        Seen while_stopped = Seen::kNothing;
        const Writer writer = kill_at_store(
            k,
            [&](StopAtStore stop) {
                BasicRingProducer<rti_action, RTI_RING_CAPACITY, Steps> producer(*region,
                                                                                 Steps(stop));
                if (!producer.push(chunk)) _exit(1);
            },
            [&] { while_stopped = drain(consumer, chunk); });
        REQUIRE(writer != Writer::kBroken);
        if (writer == Writer::kFinished) {
            CHECK(k == kStores + 1);
            CHECK(drain(consumer, chunk) == Seen::kWhole);
            return tally;
        }
        // Death adds nothing to what the consumer saw while the producer hung.
        if (drain(consumer, chunk) != Seen::kNothing) ++tally.broken;
        if (while_stopped == Seen::kNothing) ++tally.nothing;
        if (while_stopped == Seen::kWhole) ++tally.whole;
        if (while_stopped == Seen::kBroken) ++tally.broken;

        const auto next = chunk_of(id++, 13);
        if (!RingProducer(*region).push(next) || drain(consumer, next) != Seen::kWhole) {
            ++tally.stalled;
        }
    }
}

}  // namespace

TEST_CASE("A producer killed at any store of a publish leaves all of the chunk or nothing") {
    const Tally tally = kill_at_each_store<StoppingSteps>();
    CHECK(tally.nothing == kStores - 1);  // each word of the payload
    CHECK(tally.whole == 1);              // the index
    CHECK(tally.broken == 0);
    CHECK(tally.stalled == 0);
}

TEST_CASE("A producer that publishes before it writes is caught by the same test") {
    const Tally tally = kill_at_each_store<PublishFirst>();
    CHECK(tally.nothing == 0);
    CHECK(tally.broken > 0);
}

TEST_CASE("A producer killed between claim and publish leaves nothing") {
    const ScratchRegion region;
    RingConsumer consumer(*region);
    const auto chunk = chunk_of(1, kRecords);
    const Writer writer = kill_at_store(
        1,
        [&](StopAtStore stop) {
            RingProducer producer(*region);
            const auto slots = producer.claim(kRecords);
            for (std::size_t i = 0; i < kRecords; ++i) slots[i] = chunk[i];
            stop();
            producer.publish(kRecords);
        },
        [] {});
    REQUIRE(writer == Writer::kKilled);
    CHECK(drain(consumer, chunk) == Seen::kNothing);
    const auto next = chunk_of(2, kRecords);
    CHECK(RingProducer(*region).push(next));
    CHECK(drain(consumer, next) == Seen::kWhole);
}

}  // namespace rti
