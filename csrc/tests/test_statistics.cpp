// The statistics as a reader of the region finds them.
#include <doctest/doctest.h>
#include <sys/mman.h>

#include <memory>

#include "control/statistics.hpp"

using namespace rti;

namespace {

struct Written {
    std::unique_ptr<rti_stats> stats = std::make_unique<rti_stats>();
    Statistics statistics{*stats};
};

}  // namespace

TEST_CASE("statistics: progress and peaks are copied, cycles and lost cycles add up") {
    Written written;
    Progress progress;
    progress.chunks_received = 5;
    progress.refused[RTI_REFUSED_AGE] = 2;
    progress.held_cycles = 1500;
    progress.slowed_cycles = 20;
    progress.steps_executed = 12.5;
    written.statistics.count(progress, {0.5, 0.25, 0.125}, 0);
    written.statistics.count(progress, {0.5, 0.75, 0.125}, 3);

    CHECK(written.stats->cycles == 2);
    CHECK(written.stats->late_cycles == 3);
    CHECK(written.stats->chunks_received == 5);
    CHECK(written.stats->refused[RTI_REFUSED_AGE] == 2);
    CHECK(written.stats->refused[RTI_REFUSED_EPOCH] == 0);
    CHECK(written.stats->held_ns == 1'500'000'000);
    CHECK(written.stats->slowed_ns == 20'000'000);
    CHECK(written.stats->steps_executed == 12.5);
    CHECK(written.stats->velocity_ratio_max == 0.5);
    CHECK(written.stats->acceleration_ratio_max == 0.75);
    CHECK(written.stats->jerk_ratio_max == 0.125);
}

TEST_CASE("statistics: reflexes are kept in order, as many as there is room for") {
    Written written;
    for (std::uint64_t cycle = 1; cycle <= RTI_MAX_REFLEXES + 2; ++cycle) {
        written.statistics.reflex(cycle == 1 ? Reflex::kJointVelocityLimits : Reflex::kOther,
                                  cycle);
    }
    CHECK(written.stats->reflexes == RTI_MAX_REFLEXES);
    CHECK(written.stats->reflex_code[0] ==
          static_cast<std::uint32_t>(Reflex::kJointVelocityLimits));
    CHECK(written.stats->reflex_cycle[RTI_MAX_REFLEXES - 1] == RTI_MAX_REFLEXES);
}

TEST_CASE("statistics: scheduling is what was read back") {
    Written written;
    RealtimeReport report;
    report.policy = 1;
    report.priority = 80;
    report.cpu = 3;
    report.memory_locked = true;
    written.statistics.scheduling(report);
    CHECK(written.stats->scheduling_policy == 1);
    CHECK(written.stats->scheduling_priority == 80);
    CHECK(written.stats->cpu == 3);
    CHECK(written.stats->memory_locked == 1);
}

TEST_CASE("statistics: page faults are counted from the warm-up on") {
    Written written;
    written.statistics.page_faults({.minor = 1000, .major = 10}, {.minor = 1007, .major = 11});
    CHECK(written.stats->minor_faults == 7);
    CHECK(written.stats->major_faults == 1);
}

TEST_CASE("statistics: this thread's page faults rise when it touches new memory") {
    constexpr std::size_t kPages = 64;
    constexpr std::size_t kPage_bytes = 4096;
    // Not malloc's: what that gives may have been touched and freed by another test.
    void* const fresh = mmap(nullptr, kPages * kPage_bytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(fresh != MAP_FAILED);
    const PageFaults before = PageFaults::of_this_thread();
    auto* const bytes = static_cast<volatile char*>(fresh);
    for (std::size_t i = 0; i < kPages; ++i) bytes[i * kPage_bytes] = 1;
    const PageFaults after = PageFaults::of_this_thread();
    munmap(fresh, kPages * kPage_bytes);
    CHECK(after.minor > before.minor);
}
