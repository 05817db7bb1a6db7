#include <doctest/doctest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "memory/spsc_ring.hpp"
#include "tests/scratch_region.hpp"

namespace rti {
namespace {

std::vector<rti_action> drained(RingConsumer& consumer) {
    std::vector<rti_action> records;
    consumer.drain([&](const rti_action& record) { records.push_back(record); });
    return records;
}

bool same_records(std::span<const rti_action> a, std::span<const rti_action> b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), same<rti_action>);
}

// Checks records as they come: chunks in order, complete, each word in its place.
class ChunkChecker {
  public:
    void operator()(const rti_action& record) {
        if (record.index != next_index_ || record.chunk_id != next_chunk_ ||
            !same(record, action_of(record.chunk_id, record.index, record.count))) {
            ++errors_;
        }
        next_index_ = record.index + 1;
        if (next_index_ == record.count) {
            next_index_ = 0;
            ++next_chunk_;
        }
        ++records_;
    }
    [[nodiscard]] bool between_chunks() const { return next_index_ == 0; }
    [[nodiscard]] std::uint64_t records() const { return records_; }
    [[nodiscard]] std::uint64_t errors() const { return errors_; }

  private:
    std::uint32_t next_index_ = 0;
    std::uint64_t next_chunk_ = 1;
    std::uint64_t records_ = 0;
    std::uint64_t errors_ = 0;
};

constexpr std::uint64_t kManyRecords = kSanitized ? 100'000 : 2'000'000;

// Pushes chunks of 1 to 64 records, whole or in place in turn, until kManyRecords are queued.
// Returns how many pushes were refused.
std::uint64_t produce_many(rti_region& region, std::atomic<std::uint64_t>& pushed) {
    RingProducer producer(region);
    std::minstd_rand random(7);
    std::uint64_t refused = 0;
    std::uint64_t total = 0;
    for (std::uint64_t id = 1; total < kManyRecords; ++id) {
        const auto chunk = chunk_of(id, static_cast<std::uint32_t>(1 + random() % 64));
        const auto try_once = [&] {
            if (id % 2 == 0) return producer.push(chunk);
            const auto slots = producer.claim(chunk.size());
            if (!slots) return false;
            for (std::size_t i = 0; i < chunk.size(); ++i) slots[i] = chunk[i];
            producer.publish(chunk.size());
            return true;
        };
        for (; !try_once(); ++refused) std::this_thread::yield();
        total += chunk.size();
    }
    pushed = total;
    return refused;
}

}  // namespace

TEST_CASE("A chunk comes out as it went in") {
    const ScratchRegion region;
    RingConsumer consumer(*region);
    RingProducer producer(*region);
    CHECK(drained(consumer).empty());
    REQUIRE(producer.push(chunk_of(1, 50)));
    CHECK(same_records(drained(consumer), chunk_of(1, 50)));
    CHECK(drained(consumer).empty());
}

TEST_CASE("A chunk is not there before all of it is published") {
    const ScratchRegion region;
    RingConsumer consumer(*region);
    RingProducer producer(*region);
    const auto slots = producer.claim(3);
    REQUIRE(slots);
    for (std::uint32_t i = 0; i < 3; ++i) {
        slots[i] = action_of(1, i, 3);
        CHECK(consumer.peek().empty());
    }
    producer.publish(3);
    CHECK(same_records(consumer.peek(), chunk_of(1, 3)));
}

TEST_CASE("A chunk across the end of the array is one chunk to drain and two spans to peek") {
    const ScratchRegion region;
    RingConsumer consumer(*region);
    RingProducer producer(*region);
    for (const std::uint32_t count : {512u, 492u}) {
        REQUIRE(producer.push(chunk_of(1, count)));
        REQUIRE(drained(consumer).size() == count);
    }
    const auto chunk = chunk_of(2, 50);
    REQUIRE(producer.push(chunk));
    CHECK(same_records(consumer.peek(), std::span(chunk).first(20)));
    consumer.consume(20);
    CHECK(same_records(consumer.peek(), std::span(chunk).subspan(20)));
    consumer.consume(30);
    CHECK(consumer.peek().empty());

    for (std::uint64_t id = 3; id < 200; ++id) {  // wraps ten times
        REQUIRE(producer.push(chunk_of(id, 51)));
        REQUIRE(same_records(drained(consumer), chunk_of(id, 51)));
    }
}

TEST_CASE("What does not fit is refused whole, and counted") {
    const ScratchRegion region;
    RingConsumer consumer(*region);
    RingProducer producer(*region);
    REQUIRE(producer.push(chunk_of(1, 512)));
    REQUIRE(producer.push(chunk_of(2, 511)));
    CHECK_FALSE(producer.push(chunk_of(3, 2)));
    CHECK_FALSE(producer.claim(2));
    CHECK(load_relaxed(region->ring.rejected) == 2);
    CHECK(producer.push(chunk_of(4, 1)));  // the last slot is used too
    CHECK_FALSE(producer.push(chunk_of(5, 1)));

    CHECK(drained(consumer).size() == RTI_RING_CAPACITY);
    CHECK(producer.push(chunk_of(6, 512)));
    CHECK(load_relaxed(region->ring.rejected) == 3);
}

TEST_CASE("A chunk longer than the ring is refused even when the ring is empty") {
    const ScratchRegion region;
    RingProducer producer(*region);
    const std::vector<rti_action> chunk(RTI_RING_CAPACITY + 1);
    CHECK_FALSE(producer.push(chunk));
    CHECK(producer.push(std::span(chunk).first(RTI_RING_CAPACITY)));
}

TEST_CASE("A consumer that attaches starts empty: what was queued before is never executed") {
    const ScratchRegion region;
    RingProducer producer(*region);
    REQUIRE(producer.push(chunk_of(1, 50)));
    RingConsumer first(*region);
    CHECK(drained(first).empty());

    REQUIRE(producer.push(chunk_of(2, 50)));
    RingConsumer second(*region);  // the first one died without having looked
    CHECK(drained(second).empty());
    REQUIRE(producer.push(chunk_of(3, 50)));
    CHECK(same_records(drained(second), chunk_of(3, 50)));
}

TEST_CASE("A consumer that attaches to a full ring gives its producer room again") {
    const ScratchRegion region;
    RingProducer producer(*region);
    REQUIRE(producer.push(chunk_of(1, 512)));
    REQUIRE(producer.push(chunk_of(2, 512)));
    REQUIRE_FALSE(producer.push(chunk_of(3, 1)));
    const RingConsumer consumer(*region);
    CHECK(producer.push(chunk_of(3, 512)));
}

TEST_CASE("A new producer continues where the one before it published last") {
    const ScratchRegion region;
    RingConsumer consumer(*region);
    REQUIRE(RingProducer(*region).push(chunk_of(1, 50)));
    const auto unpublished = RingProducer(*region).claim(50);
    REQUIRE(unpublished);
    REQUIRE(RingProducer(*region).push(chunk_of(2, 50)));
    const auto records = drained(consumer);
    REQUIRE(records.size() == 100);
    CHECK(same_records(std::span(records).last(50), chunk_of(2, 50)));
}

TEST_CASE("Records that a consumer has only peeked at are not written over") {
    const ScratchRegion region;
    RingConsumer consumer(*region);
    RingProducer producer(*region);
    REQUIRE(producer.push(chunk_of(1, 512)));
    REQUIRE(producer.push(chunk_of(2, 512)));
    const auto peeked = consumer.peek();
    CHECK_FALSE(producer.push(chunk_of(3, 1)));
    CHECK(same(peeked.front(), action_of(1, 0, 512)));
    consumer.consume(1);
    CHECK(producer.push(chunk_of(3, 1)));
    CHECK(same(peeked[1], action_of(1, 1, 512)));
}

TEST_CASE("An index that a broken producer made up leads nobody outside the ring") {
    const ScratchRegion region;
    RingConsumer consumer(*region);
    store_release(region->ring.write_index, 1'000'000'000'000u);
    CHECK(drained(consumer).size() == RTI_RING_CAPACITY);
    CHECK(consumer.peek().size() <= RTI_RING_CAPACITY);
    store_release(region->ring.read_index, 2'000'000'000'000u);
    RingProducer producer(*region);
    CHECK_FALSE(producer.push(chunk_of(1, 1)));
}

TEST_CASE("Between two threads, draining sees whole chunks only, all of them, in order") {
    const ScratchRegion region;
    RingConsumer consumer(*region);
    std::atomic<std::uint64_t> pushed{0};
    std::uint64_t refused = 0;
    std::thread thread([&] { refused = produce_many(*region, pushed); });
    ChunkChecker checker;
    std::uint64_t parts = 0;
    while (pushed == 0 || checker.records() < pushed) {
        if (consumer.drain(checker) == 0) std::this_thread::yield();
        if (!checker.between_chunks()) ++parts;
    }
    thread.join();
    CHECK(parts == 0);
    CHECK(checker.errors() == 0);
    CHECK(checker.records() >= kManyRecords);
    CHECK(load_relaxed(region->ring.rejected) == refused);
}

TEST_CASE("Between two threads, reading in place sees every record once, in order") {
    const ScratchRegion region;
    RingConsumer consumer(*region);
    std::atomic<std::uint64_t> pushed{0};
    std::thread thread([&] { (void)produce_many(*region, pushed); });
    ChunkChecker checker;
    while (pushed == 0 || checker.records() < pushed) {
        const auto records = consumer.peek();
        if (records.empty()) std::this_thread::yield();
        const std::size_t some = (records.size() + 1) / 2;
        for (const rti_action& record : records.first(some)) checker(record);
        consumer.consume(some);
    }
    thread.join();
    CHECK(checker.errors() == 0);
    CHECK(checker.between_chunks());
}

}  // namespace rti
