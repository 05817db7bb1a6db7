// The action ring: one producer (the network process), one consumer (the core), no lock, no
// waiting.
//
// Protocol. Indices are free-running 64-bit counts; index & (capacity - 1) is the slot. The
// producer fills the slots of a whole chunk and then stores write_index once: all of the chunk
// becomes visible, or nothing of it. A producer that dies before that store leaves nothing behind
// but slots that its successor overwrites. A consumer attaches at write_index, empty: what was
// queued before it came is never executed.
//
// Invariants. read_index <= write_index <= read_index + capacity; each index has one writer and
// never falls. Each side keeps its own index, and a copy of the other's, in its own memory and
// derives both anew when it is constructed: nothing depends on what a dead process remembered. The
// copy of the peer's index can only be behind the truth, which makes the ring look fuller to the
// producer and emptier to the consumer.
//
// Threads. All members of a producer are called by one thread, all of a consumer by one thread.
// Nothing here allocates, throws, or makes a system call.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "include/rt_infer.h"
#include "memory/layout.hpp"
#include "memory/words.hpp"

namespace rti {

// How a push fills slots, and when it publishes: the payload first, the index after it. A parameter
// so that the crash test can stop a producer between any two stores.
struct PublishLast {
    template <class Record>
    void copy(Record* to, const Record* from, std::size_t count) noexcept {
        std::copy_n(from, count, to);
    }
    template <class Fill, class Publish>
    void in_order(Fill fill, Publish publish) noexcept {
        fill();
        publish();
    }
};

template <class Record, std::size_t capacity, class Steps = PublishLast>
class BasicRingProducer {
    static_assert(layout::shareable<Record> && layout::power_of_two(capacity));

  public:
    // Slots that belong to the producer until it publishes them; [i] is the i-th after those
    // published.
    class Claim {
      public:
        Record& operator[](std::size_t i) const noexcept {
            return slots_[(first_ + i) & (capacity - 1)];
        }
        explicit operator bool() const noexcept { return slots_ != nullptr; }

      private:
        friend class BasicRingProducer;
        Claim() = default;
        Claim(Record* slots, std::uint64_t first) noexcept : slots_(slots), first_(first) {}
        Record* slots_ = nullptr;
        std::uint64_t first_ = 0;
    };

    explicit BasicRingProducer(rti_region& region, Steps steps = {}) noexcept
        : BasicRingProducer(region.ring, region.actions, steps) {}

    BasicRingProducer(rti_ring& ring, Record* slots, Steps steps = {}) noexcept
        : ring_(ring),
          slots_(slots),
          write_(load_relaxed(ring.write_index)),  // the producer's own word; a predecessor is dead
          // SYNC POINT slots free: partner is BasicRingConsumer::consume
          read_seen_(load_acquire(ring.read_index)),
          steps_(steps) {}

    // Queues all records or, if there is no room for all, none; a refusal is counted. One
    // publication.
    [[nodiscard]] bool push(std::span<const Record> records) noexcept {
        if (!reserve(records.size())) return false;
        const std::size_t at = write_ & (capacity - 1);
        const std::size_t before_wrap = std::min(records.size(), capacity - at);
        steps_.in_order(
            [&]() noexcept {
                steps_.copy(slots_ + at, records.data(), before_wrap);
                steps_.copy(slots_, records.data() + before_wrap, records.size() - before_wrap);
            },
            [&]() noexcept { publish(records.size()); });
        return true;
    }

    // The same without the copy: claim, write every record, publish as many as were claimed, or
    // fewer. A claim that is not published is forgotten.
    [[nodiscard]] Claim claim(std::size_t count) noexcept {
        return reserve(count) ? Claim(slots_, write_) : Claim();
    }
    void publish(std::size_t count) noexcept {
        write_ += count;
        // SYNC POINT chunk visible: everything written to the slots happens before a consumer reads
        // them; partner is BasicRingConsumer::see_writer
        store_release(ring_.write_index, write_);
    }

  private:
    [[nodiscard]] bool reserve(std::size_t count) noexcept {
        if (has_room(count)) return true;
        // SYNC POINT slots free: the consumer's reading happens before our writing over it; partner
        // is BasicRingConsumer::consume
        read_seen_ = load_acquire(ring_.read_index);
        if (has_room(count)) return true;
        add_relaxed(ring_.rejected, 1);  // a statistic: orders nothing
        return false;
    }
    [[nodiscard]] bool has_room(std::size_t count) const noexcept {
        const std::uint64_t queued = write_ - read_seen_;
        return queued <= capacity && count <= capacity - queued;
    }

    rti_ring& ring_;
    Record* slots_;
    std::uint64_t write_;
    std::uint64_t read_seen_;
    [[no_unique_address]] Steps steps_;
};

template <class Record, std::size_t capacity>
class BasicRingConsumer {
    static_assert(layout::shareable<Record> && layout::power_of_two(capacity));

  public:
    explicit BasicRingConsumer(rti_region& region) noexcept
        : BasicRingConsumer(region.ring, region.actions) {}

    BasicRingConsumer(rti_ring& ring, const Record* slots) noexcept
        : ring_(ring), slots_(slots), read_(see_writer()) {
        give_back();
    }

    // The records up to the newest published or up to the end of the array, in place; empty if
    // there are none. They stay valid until consume().
    [[nodiscard]] std::span<const Record> peek() noexcept {
        if (read_ == write_seen_) see_writer();
        const std::size_t at = read_ & (capacity - 1);
        return {slots_ + at, std::min(queued(), capacity - at)};
    }

    // Gives the first `count` records of what peek() returned back to the producer.
    void consume(std::size_t count) noexcept {
        read_ += count;
        give_back();
    }

    // Calls `take(const Record&)` for every record published before this call, in order, and then
    // gives all of them back at once. Only whole chunks are seen. Returns how many records there
    // were.
    template <class Take>
    std::size_t drain(Take&& take) noexcept(noexcept(take(*static_cast<const Record*>(nullptr)))) {
        see_writer();
        const std::size_t count = queued();
        for (std::size_t i = 0; i < count; ++i) take(slots_[(read_ + i) & (capacity - 1)]);
        if (count != 0) consume(count);
        return count;
    }

    // How many records have been given back since the ring was made.
    [[nodiscard]] std::uint64_t read_index() const noexcept { return read_; }

  private:
    std::uint64_t see_writer() noexcept {
        // SYNC POINT chunk visible: partner is BasicRingProducer::publish
        write_seen_ = load_acquire(ring_.write_index);
        return write_seen_;
    }
    void give_back() noexcept {
        // SYNC POINT slots free: our reading happens before the producer writes over it; partner is
        // BasicRingProducer::reserve
        store_release(ring_.read_index, read_);
    }
    // Never above the capacity, whatever a broken producer has stored.
    [[nodiscard]] std::size_t queued() const noexcept {
        return static_cast<std::size_t>(std::min<std::uint64_t>(write_seen_ - read_, capacity));
    }

    rti_ring& ring_;
    const Record* slots_;
    std::uint64_t write_seen_ = 0;
    std::uint64_t read_;
};

using RingProducer = BasicRingProducer<rti_action, RTI_RING_CAPACITY>;
using RingConsumer = BasicRingConsumer<rti_action, RTI_RING_CAPACITY>;

}  // namespace rti
