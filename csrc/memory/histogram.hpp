// Histograms of durations: log-linear buckets, so that a percentile is within 1/32 (3.125 %) at any
// scale.
//
// Buckets. A value below 64 ns has a bucket of its own. Above, each octave [2^k, 2^(k+1)) is cut
// into 32 equal parts. The last bucket also takes everything from 2^44 ns (4.9 h) on.
//
// Threads. One writer (the control loop): a load and a store a word, no locked instruction, no
// allocation. Anyone may take a snapshot at any time; its words are of slightly different moments,
// which is why percentiles count the buckets and not `count`.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "include/rt_infer.h"
#include "memory/words.hpp"

namespace rti {

inline constexpr unsigned kStepsPerOctave = 32;
inline constexpr int kStepBits = std::bit_width(kStepsPerOctave) - 1;

// The bucket of a duration.
[[nodiscard]] constexpr std::size_t histogram_bucket(std::uint64_t duration_ns) noexcept {
    const int octave = std::max(static_cast<int>(std::bit_width(duration_ns)) - kStepBits - 1, 0);
    const std::uint64_t bucket =
        static_cast<std::uint64_t>(octave) * kStepsPerOctave + (duration_ns >> octave);
    return static_cast<std::size_t>(std::min<std::uint64_t>(bucket, RTI_HISTOGRAM_BUCKETS - 1));
}

// The shortest duration in a bucket; of RTI_HISTOGRAM_BUCKETS, the first that is above the range.
[[nodiscard]] constexpr std::uint64_t histogram_lower_ns(std::size_t bucket) noexcept {
    if (bucket < kStepsPerOctave) return bucket;
    const std::size_t octave = bucket / kStepsPerOctave - 1;
    return static_cast<std::uint64_t>(bucket % kStepsPerOctave + kStepsPerOctave) << octave;
}

static_assert(histogram_lower_ns(RTI_HISTOGRAM_BUCKETS) == std::uint64_t{1} << 44);

class HistogramWriter {
  public:
    explicit HistogramWriter(rti_histogram& histogram) noexcept : histogram_(histogram) {}

    void record(std::uint64_t duration_ns) noexcept {
        // relaxed: statistics order nothing
        add_relaxed(histogram_.buckets[histogram_bucket(duration_ns)], 1);
        add_relaxed(histogram_.count, 1);
        add_relaxed(histogram_.sum_ns, duration_ns);
        if (duration_ns > load_relaxed(histogram_.max_ns)) {
            store_relaxed(histogram_.max_ns, duration_ns);
        }
    }

  private:
    rti_histogram& histogram_;
};

// A copy to compute with, of a histogram that may be written meanwhile.
[[nodiscard]] inline rti_histogram histogram_snapshot(const rti_histogram& histogram) noexcept {
    rti_histogram copy;
    copy.count = load_relaxed(histogram.count);
    copy.sum_ns = load_relaxed(histogram.sum_ns);
    std::transform(std::begin(histogram.buckets), std::end(histogram.buckets), copy.buckets,
                   [](const std::uint64_t& word) { return load_relaxed(word); });
    copy.max_ns = load_relaxed(histogram.max_ns);  // last: never below a bucket just copied
    return copy;
}

// The duration that `percent` (0 … 100) of those recorded do not exceed (nearest rank), to within
// 1/32: those in one bucket count as evenly spread over it. 0 if nothing was recorded.
[[nodiscard]] inline std::uint64_t percentile_ns(const rti_histogram& snapshot,
                                                 double percent) noexcept {
    std::uint64_t total = 0;
    for (const std::uint64_t n : snapshot.buckets) total += n;
    const double rank = std::ceil(percent / 100.0 * static_cast<double>(total));
    const auto target = std::clamp<std::uint64_t>(rank > 0.0 ? static_cast<std::uint64_t>(rank) : 0,
                                                  std::min<std::uint64_t>(total, 1), total);
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket + 1 < RTI_HISTOGRAM_BUCKETS && total != 0; ++bucket) {
        const std::uint64_t here = snapshot.buckets[bucket];
        if (seen + here >= target) {
            const std::uint64_t shortest = histogram_lower_ns(bucket);
            const std::uint64_t longest =
                std::min(histogram_lower_ns(bucket + 1) - 1, std::max(snapshot.max_ns, shortest));
            const double share = static_cast<double>(target - seen) / static_cast<double>(here);
            return shortest +
                   static_cast<std::uint64_t>(share * static_cast<double>(longest - shortest));
        }
        seen += here;
    }
    return total == 0 ? 0 : snapshot.max_ns;
}

}  // namespace rti
