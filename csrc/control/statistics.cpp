#include "control/statistics.hpp"

#include <sys/resource.h>

#include <cstddef>

#include "memory/words.hpp"

namespace rti {
namespace {

constexpr std::uint64_t kCycle_ns = 1'000'000;

}  // namespace

PageFaults PageFaults::of_this_thread() noexcept {
    rusage usage{};
    if (getrusage(RUSAGE_THREAD, &usage) != 0) return {};
    return {static_cast<std::uint64_t>(usage.ru_minflt),
            static_cast<std::uint64_t>(usage.ru_majflt)};
}

Statistics::Statistics(rti_stats& stats) noexcept
    : period(stats.period),
      wake_late(stats.wake_late),
      response(stats.response),
      step(stats.step),
      splice(stats.splice),
      stats_(stats) {}

void Statistics::count(const Progress& progress, const CommandPeaks& peaks,
                       std::uint64_t lost_cycles) noexcept {
    add_relaxed(stats_.cycles, 1);
    if (lost_cycles != 0) add_relaxed(stats_.late_cycles, lost_cycles);
    store_relaxed(stats_.holds, progress.holds);
    store_relaxed(stats_.held_ns, progress.held_cycles * kCycle_ns);
    store_relaxed(stats_.chunks_received, progress.chunks_received);
    for (std::size_t reason = 0; reason < RTI_REFUSALS; ++reason) {
        store_relaxed(stats_.refused[reason], progress.refused[reason]);
    }
    store_relaxed(stats_.late_steps, progress.late_steps);
    store_relaxed(stats_.splices, progress.splices);
    store_relaxed(stats_.bridges_lengthened, progress.bridges_lengthened);
    store_relaxed(stats_.splices_delayed, progress.splices_delayed);
    store_relaxed(stats_.waypoints_clamped, progress.waypoints_clamped);
    store_relaxed(stats_.reseeds, progress.reseeds);
    store_relaxed(stats_.limiter_interventions, progress.limiter_interventions);
    store_relaxed(stats_.slowed_ns, progress.slowed_cycles * kCycle_ns);
    store_relaxed(stats_.fence_stops, progress.fence_stops);
    store_relaxed(stats_.followed_cycles, progress.followed_cycles);
    store_relaxed(stats_.steps_executed, progress.steps_executed);
    store_relaxed(stats_.splice_jump_max_rad, progress.splice_jump_max_rad);
    store_relaxed(stats_.policy_distance_squared_sum, progress.policy_distance_squared_sum);
    store_relaxed(stats_.jerk_squared_sum, peaks.jerk_squared_sum);
    store_relaxed(stats_.lost_to_slowing_s, progress.lost_to_slowing_s);
    store_relaxed(stats_.velocity_ratio_max, peaks.velocity_ratio);
    store_relaxed(stats_.acceleration_ratio_max, peaks.acceleration_ratio);
    store_relaxed(stats_.jerk_ratio_max, peaks.jerk_ratio);
}

void Statistics::reflex(Reflex reflex, std::uint64_t cycle) noexcept {
    const std::uint32_t known = load_relaxed(stats_.reflexes);
    if (known == RTI_MAX_REFLEXES) return;  // the first ones tell the story
    store_relaxed(stats_.reflex_code[known], static_cast<std::uint32_t>(reflex));
    store_relaxed(stats_.reflex_cycle[known], cycle);
    store_relaxed(stats_.reflexes, known + 1);
}

void Statistics::end(rti_phase outcome) noexcept {
    store_relaxed(stats_.outcome, static_cast<std::uint32_t>(outcome));
}

void Statistics::scheduling(const RealtimeReport& report) noexcept {
    store_relaxed(stats_.scheduling_policy, static_cast<std::uint32_t>(report.policy));
    store_relaxed(stats_.scheduling_priority, static_cast<std::uint32_t>(report.priority));
    store_relaxed(stats_.cpu, report.cpu);
    store_relaxed(stats_.memory_locked, report.memory_locked ? 1 : 0);
}

void Statistics::page_faults(const PageFaults& before, const PageFaults& after) noexcept {
    store_relaxed(stats_.minor_faults, after.minor - before.minor);
    store_relaxed(stats_.major_faults, after.major - before.major);
}

}  // namespace rti
