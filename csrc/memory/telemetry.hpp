// The telemetry ring: one record a cycle from the core, for any number of readers, each at its own
// pace.
//
// Protocol. Slot n % capacity holds record n. The writer stores sequence = 2n + 1, the words,
// sequence = 2n + 2, then count = n + 1, all with release order; it never waits and never looks at
// a reader. A reader keeps a cursor n of its own and takes the words only if sequence is 2n + 2
// before and after them; otherwise the writer has come round and the record is lost, which the
// reader counts. Reading works on a read-only mapping.
//
// Why a record that passes is whole. A word of a later record was stored, with release order, after
// that record's odd sequence; a reader that loaded such a word with acquire order sees that
// sequence, or a later one, when it loads sequence afterwards, and lets the record go.
//
// Threads. One writer (the control loop). Any thread may own a reader; a reader is not shared.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "include/rt_infer.h"
#include "memory/layout.hpp"
#include "memory/words.hpp"

namespace rti {

template <class Probe = NoProbe>
class BasicTelemetryWriter {
  public:
    explicit BasicTelemetryWriter(rti_region& region, Probe probe = {}) noexcept
        : region_(region), probe_(probe) {}

    void append(const rti_record& record) noexcept {
        // our own word: only the writer stores it
        const std::uint64_t n = load_relaxed(region_.telemetry.count);
        rti_telemetry_slot& slot = region_.slots[n % RTI_TELEMETRY_CAPACITY];
        store_release(slot.sequence, 2 * n + 1);
        probe_();
        // SYNC POINT slot taken: each word carries the odd sequence stored before it; partner is
        // the second load of sequence in BasicTelemetryReader::take
        store_words(slot.words, record, probe_);
        // SYNC POINT record complete: partner is the first load of sequence in
        // BasicTelemetryReader::take
        store_release(slot.sequence, 2 * n + 2);
        probe_();
        // SYNC POINT record there: partner is the load of count in BasicTelemetryReader::written
        store_release(region_.telemetry.count, n + 1);
        probe_();
    }

  private:
    rti_region& region_;
    [[no_unique_address]] Probe probe_;
};

// Where a reader begins.
enum class TelemetryStart {
    kOldest,  // with what the ring still holds
    kNow,     // with the next record
};

template <class Probe = NoProbe>
class BasicTelemetryReader {
  public:
    BasicTelemetryReader(const rti_region& region, TelemetryStart start, Probe probe = {}) noexcept
        : region_(region), probe_(probe) {
        const std::uint64_t count = written();
        cursor_ = start == TelemetryStart::kNow ? count : oldest(count);
    }

    // Fills `records` with the next ones, oldest first, as far as they were written when the call
    // began. Returns how many; lost ones are skipped and counted.
    [[nodiscard]] std::size_t read(std::span<rti_record> records) noexcept {
        const std::uint64_t count = written();
        if (oldest(count) > cursor_) {
            lost_ += oldest(count) - cursor_;
            cursor_ = oldest(count);
        }
        std::size_t filled = 0;
        for (; cursor_ < count && filled < records.size(); ++cursor_) {
            if (take(cursor_, records[filled])) {
                ++filled;
            } else {
                ++lost_;
            }
        }
        return filled;
    }

    // Records that were overwritten before this reader came to them.
    [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

  private:
    [[nodiscard]] std::uint64_t written() const noexcept {
        // SYNC POINT record there: partner is the store of count in BasicTelemetryWriter::append
        return load_acquire(region_.telemetry.count);
    }
    [[nodiscard]] static std::uint64_t oldest(std::uint64_t count) noexcept {
        return count - std::min<std::uint64_t>(count, RTI_TELEMETRY_CAPACITY);
    }
    [[nodiscard]] bool take(std::uint64_t n, rti_record& record) noexcept {
        const rti_telemetry_slot& slot = region_.slots[n % RTI_TELEMETRY_CAPACITY];
        // SYNC POINT record complete: partner is the even store of sequence in
        // BasicTelemetryWriter::append
        if (load_acquire(slot.sequence) != 2 * n + 2) return false;
        const auto copy = load_words<rti_record>(slot.words, probe_);
        // SYNC POINT slot taken: the acquire loads of the words keep this load behind them; partner
        // is store_words in BasicTelemetryWriter::append
        if (load_relaxed(slot.sequence) != 2 * n + 2) return false;
        record = copy;
        return true;
    }

    const rti_region& region_;
    std::uint64_t cursor_ = 0;
    std::uint64_t lost_ = 0;
    [[no_unique_address]] Probe probe_;
};

using TelemetryWriter = BasicTelemetryWriter<>;
using TelemetryReader = BasicTelemetryReader<>;

}  // namespace rti
