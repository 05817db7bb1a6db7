// The state mailbox: the core's latest state, for any number of readers, from a read-only mapping
// if need be.
//
// Protocol. State n goes into cell n % cells, word by word; then count = n + 1 is stored. The
// newest complete state is in cell (count - 1) % cells. The writer never looks at a reader and
// never waits. A writer that dies inside a cell leaves the cells before it complete and count
// unchanged: readers go on reading the last state.
//
// Why a copy that passes the check is whole. Every word is stored with release and loaded with
// acquire order. The cell of state c - 1 is written again only for state c - 1 + cells, after count
// = c - 1 + cells was stored. A reader that has loaded even one word of that later state therefore
// sees, when it loads count afterwards, at least c + cells - 1. So a second count below that proves
// that no word was of a later state.
//
// Threads. One writer (the control loop). Any thread may own a reader; a reader is not shared.
#pragma once

#include <cstddef>
#include <cstdint>

#include "include/rt_infer.h"
#include "memory/layout.hpp"
#include "memory/words.hpp"

namespace rti {

template <class Probe = NoProbe>
class BasicMailboxWriter {
  public:
    explicit BasicMailboxWriter(rti_region& region, Probe probe = {}) noexcept
        : region_(region), probe_(probe) {}

    void publish(const rti_state& state) noexcept {
        // our own word: only the writer stores it
        const std::uint64_t count = load_relaxed(region_.mailbox.count);
        // SYNC POINT cell taken: each word carries the count stored before it; partner is the
        // second load of count in BasicMailboxReader::read
        store_words(region_.cells[count % RTI_MAILBOX_CELLS].words, state, probe_);
        // SYNC POINT state complete: partner is the first load of count in BasicMailboxReader::read
        store_release(region_.mailbox.count, count + 1);
        probe_();
    }

  private:
    rti_region& region_;
    [[no_unique_address]] Probe probe_;
};

template <class Probe = NoProbe>
class BasicMailboxReader {
  public:
    // The writer must come round within one copy, this many times in a row, to make a read fail: at
    // one state a millisecond the reader would have to lose the CPU for 3 ms inside each of them.
    static constexpr int kAttempts = 16;

    explicit BasicMailboxReader(const rti_region& region, Probe probe = {}) noexcept
        : region_(region), probe_(probe) {}

    // Copies the latest state. Returns its number, counted from 1: equal numbers are the same
    // state. Returns 0, and leaves `state` alone, if none was published yet or the writer overtook
    // every attempt.
    [[nodiscard]] std::uint64_t read(rti_state& state) noexcept {
        for (int attempt = 0; attempt < kAttempts; ++attempt) {
            // SYNC POINT state complete: partner is the store of count in
            // BasicMailboxWriter::publish
            const std::uint64_t count = load_acquire(region_.mailbox.count);
            if (count == 0) return 0;
            const std::size_t cell = (count - 1) % RTI_MAILBOX_CELLS;
            const auto copy = load_words<rti_state>(region_.cells[cell].words, probe_);
            // SYNC POINT cell taken: the acquire loads of the words keep this load behind them;
            // partner is store_words in BasicMailboxWriter::publish
            const std::uint64_t after = load_relaxed(region_.mailbox.count);
            if (after - count < RTI_MAILBOX_CELLS - 1) {
                state = copy;
                return count;
            }
        }
        return 0;
    }

  private:
    const rti_region& region_;
    [[no_unique_address]] Probe probe_;
};

using MailboxWriter = BasicMailboxWriter<>;
using MailboxReader = BasicMailboxReader<>;

}  // namespace rti
