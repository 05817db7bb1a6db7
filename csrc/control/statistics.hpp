// The run's statistics, written into the region as they come.
//
// Every word is one relaxed store of a field that only this object writes: statistics order
// nothing, and a reader's copy is of slightly different moments. They are complete whatever the
// telemetry ring loses, and stay readable after the core has ended.
//
// Threads. The loop's thread only; before and after the loop, whoever runs it. count() and the
// histograms belong to the 1 kHz path: no allocation, no lock, no system call.
#pragma once

#include <cstdint>

#include "arms/arm.hpp"
#include "control/progress.hpp"
#include "control/realtime.hpp"
#include "include/rt_infer.h"
#include "memory/histogram.hpp"

namespace rti {

// Page faults of the calling thread since it began. A system call: never within the loop.
struct PageFaults {
    std::uint64_t minor = 0;
    std::uint64_t major = 0;

    static PageFaults of_this_thread() noexcept;
};

class Statistics {
  public:
    explicit Statistics(rti_stats& stats) noexcept;

    // One cycle: `lost_cycles` are those that the arm went through without us before it.
    void count(const Progress& progress, const CommandPeaks& peaks,
               std::uint64_t lost_cycles) noexcept;
    void reflex(Reflex reflex, std::uint64_t cycle) noexcept;
    void end(rti_phase outcome) noexcept;

    void scheduling(const RealtimeReport& report) noexcept;
    void page_faults(const PageFaults& before, const PageFaults& after) noexcept;

    HistogramWriter period;
    HistogramWriter wake_late;
    HistogramWriter response;
    HistogramWriter step;
    HistogramWriter splice;

  private:
    rti_stats& stats_;
};

}  // namespace rti
