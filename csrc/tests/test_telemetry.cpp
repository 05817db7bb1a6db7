#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "memory/telemetry.hpp"
#include "tests/crash_publish.hpp"
#include "tests/scratch_region.hpp"

namespace rti {
namespace {

constexpr std::uint64_t kCapacity = RTI_TELEMETRY_CAPACITY;
constexpr int kWords = sizeof(rti_record) / sizeof(std::uint64_t);

void append(rti_region& region, std::uint64_t count) {
    TelemetryWriter writer(region);
    for (std::uint64_t i = 0; i < count; ++i) {
        writer.append(pattern<rti_record>(region.telemetry.count));
    }
}

// Reads all there is, `at_once` records a call.
template <class Reader>
std::vector<rti_record> read_all(Reader& reader, std::size_t at_once = 1000) {
    std::vector<rti_record> all;
    std::vector<rti_record> some(at_once);
    while (const std::size_t n = reader.read(some)) {
        all.insert(all.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(n));
    }
    return all;
}

bool are_records_from(const std::vector<rti_record>& records, std::uint64_t first) {
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (!same(records[i], pattern<rti_record>(first + i))) return false;
    }
    return true;
}

// Lets the writer append `records` more in the middle of the first read.
struct Overtake {
    rti_region* region;
    std::uint64_t records;
    int loads = 0;
    void operator()() {
        if (++loads == kWords / 2) append(*region, records);
    }
};

}  // namespace

TEST_CASE("A reader gets every record once, in order, whatever the size of its bites") {
    const ScratchRegion region;
    TelemetryReader one(*region, TelemetryStart::kOldest);
    TelemetryReader many(*region, TelemetryStart::kOldest);
    CHECK(read_all(one).empty());
    append(*region, 100);
    const auto by_one = read_all(one, 1);
    const auto by_many = read_all(many, 1000);
    CHECK(by_one.size() == 100);
    CHECK(are_records_from(by_one, 0));
    CHECK(by_many.size() == 100);
    CHECK(are_records_from(by_many, 0));
    CHECK(read_all(one).empty());
    append(*region, 1);
    CHECK(are_records_from(read_all(one), 100));
    CHECK(one.lost() == 0);
}

TEST_CASE("A reader starts with the oldest record that is left, or with the next") {
    const ScratchRegion region;
    append(*region, kCapacity + 10);
    TelemetryReader oldest(*region, TelemetryStart::kOldest);
    TelemetryReader now(*region, TelemetryStart::kNow);
    const auto records = read_all(oldest);
    CHECK(records.size() == kCapacity);
    CHECK(are_records_from(records, 10));
    CHECK(oldest.lost() == 0);
    CHECK(read_all(now).empty());
    append(*region, 2);
    const auto newer = read_all(now);
    CHECK(newer.size() == 2);
    CHECK(are_records_from(newer, kCapacity + 10));
}

TEST_CASE("Records that were overwritten are counted, and the rest is read") {
    const ScratchRegion region;
    TelemetryReader reader(*region, TelemetryStart::kOldest);
    append(*region, 5);
    CHECK(read_all(reader).size() == 5);
    append(*region, kCapacity);
    CHECK(read_all(reader).size() == kCapacity);  // just in time
    CHECK(reader.lost() == 0);
    append(*region, kCapacity + 123);
    const auto records = read_all(reader);
    CHECK(records.size() == kCapacity);
    CHECK(are_records_from(records, 5 + kCapacity + 123));
    CHECK(reader.lost() == 123);
}

TEST_CASE("A record that is overwritten while it is copied is lost, not mixed") {
    const ScratchRegion region;
    append(*region, kCapacity);
    // The reader is inside record 0 when record kCapacity takes its slot, and two more follow.
    BasicTelemetryReader reader(*region, TelemetryStart::kOldest, Overtake{&*region, 3});
    const auto records = read_all(reader, 1);
    CHECK(reader.lost() == 3);
    CHECK(records.size() == kCapacity);
    CHECK(are_records_from(records, 3));
}

TEST_CASE("A record stays whole while others are appended") {
    const ScratchRegion region;
    append(*region, kCapacity - 1);
    BasicTelemetryReader reader(*region, TelemetryStart::kOldest, Overtake{&*region, 1});
    const auto records = read_all(reader);
    CHECK(reader.lost() == 0);
    CHECK(records.size() == kCapacity);
    CHECK(are_records_from(records, 0));
}

TEST_CASE("Telemetry is read from a read-only mapping") {
    const ScratchRegion region;
    append(*region, 3);
    const Region observer =
        Region::attach(region.fd(), Access::kReadOnly, std::chrono::milliseconds(5));
    TelemetryReader reader(observer.view(), TelemetryStart::kOldest);
    const auto records = read_all(reader);
    CHECK(records.size() == 3);
    CHECK(are_records_from(records, 0));
}

TEST_CASE("Between threads, records are whole and in order, and read plus lost is all of them") {
    const ScratchRegion region;
    constexpr std::uint64_t kRecords = kSanitized ? 60'000 : 1'000'000;
    std::atomic<bool> finished{false};
    std::thread thread([&] {
        TelemetryWriter writer(*region);
        for (std::uint64_t n = 0; n < kRecords; ++n) {
            auto record = pattern<rti_record>(n);
            record.cycle = n;
            writer.append(record);
        }
        finished = true;
    });
    TelemetryReader reader(*region, TelemetryStart::kOldest);
    std::vector<rti_record> some(64);
    std::uint64_t read = 0;
    std::uint64_t next = 0;
    std::uint64_t errors = 0;
    for (bool last = false; !last;) {
        last = finished;
        while (const std::size_t n = reader.read(some)) {
            for (std::size_t i = 0; i < n; ++i) {
                auto expected = pattern<rti_record>(some[i].cycle);
                expected.cycle = some[i].cycle;
                if (some[i].cycle < next || !same(some[i], expected)) ++errors;
                next = some[i].cycle + 1;
            }
            read += n;
        }
    }
    thread.join();
    CHECK(errors == 0);
    CHECK(read + reader.lost() == kRecords);
    CHECK(next == kRecords);
}

TEST_CASE("A writer killed at any store costs no reader anything, and the next writer goes on") {
    const ScratchRegion region;
    TelemetryReader reader(*region, TelemetryStart::kOldest);
    append(*region, 2 * kCapacity - 3);  // the kills happen around the wrap, over old records
    REQUIRE(read_all(reader).size() == kCapacity);
    const std::uint64_t lost_before = reader.lost();
    const int stores = kWords + 3;  // both sequences, the words, the count
    for (int k = 1;; ++k) {
        CAPTURE(k);
        const std::uint64_t n = region->telemetry.count;
        const Writer writer = kill_at_store(
            k,
            [&](StopAtStore stop) {
                BasicTelemetryWriter<StopAtStore>(*region, stop).append(pattern<rti_record>(n));
            },
            [&] {
                const auto records = read_all(reader);
                CHECK(records.size() == (k < stores ? 0 : 1));
                CHECK(are_records_from(records, n));
            });
        REQUIRE(writer != Writer::kBroken);
        if (writer == Writer::kFinished) {
            CHECK(k == stores + 1);
            break;
        }
        const std::uint64_t next = region->telemetry.count;
        append(*region, 1);
        const auto records = read_all(reader);
        CHECK(records.size() == 1);
        CHECK(are_records_from(records, next));
    }
    CHECK(reader.lost() == lost_before);
}

}  // namespace rti
