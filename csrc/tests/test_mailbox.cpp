#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "memory/mailbox.hpp"
#include "tests/crash_publish.hpp"
#include "tests/scratch_region.hpp"

namespace rti {
namespace {

constexpr int kWords = sizeof(rti_state) / sizeof(std::uint64_t);

// Lets the writer publish `states` more states in the middle of a read, `times` times in all; after
// them it has stored `words` words of the next.
struct Overtake {
    rti_region* region;
    std::uint64_t states;
    int times = 1;
    int words = 0;
    int loads = 0;
    void operator()() {
        if (++loads % kWords != kWords / 2 || times == 0) return;
        --times;
        MailboxWriter writer(*region);
        const std::uint64_t last = region->mailbox.count + states;
        while (region->mailbox.count < last) {
            writer.publish(pattern<rti_state>(region->mailbox.count));
        }
        const auto next = pattern<rti_mailbox_cell>(last);
        std::copy_n(next.words, words, region->cells[last % RTI_MAILBOX_CELLS].words);
    }
};

}  // namespace

TEST_CASE("An empty mailbox has no state") {
    const ScratchRegion region;
    auto state = pattern<rti_state>(99);
    CHECK(MailboxReader(*region).read(state) == 0);
    CHECK(same(state, pattern<rti_state>(99)));
}

TEST_CASE("A read gives the latest state and its number, as often as one likes") {
    const ScratchRegion region;
    MailboxWriter writer(*region);
    MailboxReader reader(*region);
    rti_state state{};
    for (std::uint64_t n = 0; n < 10; ++n) {
        writer.publish(pattern<rti_state>(n));
        for (int again = 0; again < 2; ++again) {
            REQUIRE(reader.read(state) == n + 1);
            REQUIRE(same(state, pattern<rti_state>(n)));
        }
    }
}

TEST_CASE("The mailbox is read from a read-only mapping") {
    const ScratchRegion region;
    MailboxWriter(*region).publish(pattern<rti_state>(5));
    const Region observer =
        Region::attach(region.fd(), Access::kReadOnly, std::chrono::milliseconds(5));
    rti_state state{};
    CHECK(MailboxReader(observer.view()).read(state) == 1);
    CHECK(same(state, pattern<rti_state>(5)));
}

TEST_CASE("A state that is published while another is copied leaves the copy whole") {
    const ScratchRegion region;
    MailboxWriter(*region).publish(pattern<rti_state>(0));
    const std::uint64_t harmless = RTI_MAILBOX_CELLS - 2;
    BasicMailboxReader reader(*region, Overtake{&*region, harmless});
    rti_state state{};
    CHECK(reader.read(state) == 1);
    CHECK(same(state, pattern<rti_state>(0)));
}

TEST_CASE("A reader that the writer has overtaken takes the newer state instead of a mixture") {
    for (const std::uint64_t states : {RTI_MAILBOX_CELLS, RTI_MAILBOX_CELLS + 1, 100u}) {
        const ScratchRegion region;
        MailboxWriter(*region).publish(pattern<rti_state>(0));
        BasicMailboxReader reader(*region, Overtake{&*region, states});
        rti_state state{};
        CHECK(reader.read(state) == states + 1);
        CHECK(same(state, pattern<rti_state>(states)));
    }
}

TEST_CASE("A reader trusts no cell that the writer may be inside of") {
    const ScratchRegion region;
    MailboxWriter(*region).publish(pattern<rti_state>(0));
    const std::uint64_t states = RTI_MAILBOX_CELLS - 1;
    BasicMailboxReader reader(*region, Overtake{&*region, states, 1, kWords - 1});
    rti_state state{};
    CHECK(reader.read(state) == states + 1);
    CHECK(same(state, pattern<rti_state>(states)));
}

TEST_CASE("A reader that is overtaken every time gives up and says so") {
    const ScratchRegion region;
    MailboxWriter(*region).publish(pattern<rti_state>(0));
    BasicMailboxReader reader(*region, Overtake{&*region, RTI_MAILBOX_CELLS, 1000});
    rti_state state{};
    CHECK(reader.read(state) == 0);
    CHECK(region->mailbox.count == 1 + RTI_MAILBOX_CELLS * decltype(reader)::kAttempts);
}

TEST_CASE("Between threads, no reader ever sees a mixture or an older state than before") {
    const ScratchRegion region;
    constexpr std::uint64_t kStates = kSanitized ? 50'000 : 1'000'000;
    std::atomic<int> done{0};
    std::array<std::uint64_t, 2> mixtures{};
    std::array<std::uint64_t, 2> steps_back{};
    const auto read = [&](std::size_t who) {
        MailboxReader reader(*region);
        std::uint64_t last = 0;
        rti_state state{};
        while (last < kStates) {
            const std::uint64_t number = reader.read(state);
            if (number == 0) continue;
            if (!same(state, pattern<rti_state>(number - 1))) ++mixtures[who];
            if (number < last) ++steps_back[who];
            last = number;
        }
        ++done;
    };
    std::thread other([&] { read(1); });
    std::thread writer([&] {
        MailboxWriter mailbox(*region);
        for (std::uint64_t n = 0; n < kStates; ++n) {
            mailbox.publish(pattern<rti_state>(n));
            if (n % 1000 == 0) std::this_thread::yield();
        }
    });
    read(0);
    other.join();
    writer.join();
    CHECK(done == 2);
    CHECK(mixtures == std::array<std::uint64_t, 2>{0, 0});
    CHECK(steps_back == std::array<std::uint64_t, 2>{0, 0});
}

TEST_CASE("A writer killed at any store leaves a whole state, and the next writer goes on") {
    const ScratchRegion region;
    MailboxReader reader(*region);
    rti_state state{};
    const auto seen = [&] {
        const std::uint64_t number = reader.read(state);
        return number != 0 && same(state, pattern<rti_state>(number - 1)) ? number : 0;
    };
    MailboxWriter(*region).publish(pattern<rti_state>(0));
    std::uint64_t published = 1;
    for (int k = 1;; ++k) {
        CAPTURE(k);
        const Writer writer = kill_at_store(
            k,
            [&](StopAtStore stop) {
                BasicMailboxWriter<StopAtStore>(*region, stop)
                    .publish(pattern<rti_state>(published));
            },
            [&] { CHECK(seen() == (k <= kWords ? published : published + 1)); });
        REQUIRE(writer != Writer::kBroken);
        if (k > kWords) ++published;
        CHECK(seen() == published);
        if (writer == Writer::kFinished) {
            CHECK(k == kWords + 2);  // every word, and the count
            break;
        }
        MailboxWriter(*region).publish(pattern<rti_state>(published));
        ++published;
        CHECK(seen() == published);
    }
}

}  // namespace rti
