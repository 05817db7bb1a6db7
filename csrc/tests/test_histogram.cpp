#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include "memory/histogram.hpp"

namespace rti {

TEST_CASE("Every bucket begins where the one before it ends") {
    for (std::size_t bucket = 0; bucket < RTI_HISTOGRAM_BUCKETS; ++bucket) {
        const std::uint64_t lower = histogram_lower_ns(bucket);
        REQUIRE(histogram_bucket(lower) == bucket);
        if (bucket > 0) REQUIRE(histogram_bucket(lower - 1) == bucket - 1);
    }
}

TEST_CASE("No bucket is wider than 3.2 percent of what it holds, small ones are exact") {
    for (std::size_t bucket = 0; bucket < RTI_HISTOGRAM_BUCKETS; ++bucket) {
        const auto lower = static_cast<double>(histogram_lower_ns(bucket));
        const auto longest = static_cast<double>(histogram_lower_ns(bucket + 1) - 1);
        REQUIRE(longest - lower <= 0.032 * lower);
        if (bucket < 64) REQUIRE(longest == lower);
    }
}

TEST_CASE("Durations above the range go into the last bucket") {
    CHECK(histogram_bucket((std::uint64_t{1} << 44) - 1) == RTI_HISTOGRAM_BUCKETS - 1);
    CHECK(histogram_bucket(std::uint64_t{1} << 44) == RTI_HISTOGRAM_BUCKETS - 1);
    CHECK(histogram_bucket(~std::uint64_t{0}) == RTI_HISTOGRAM_BUCKETS - 1);
}

TEST_CASE(
    "Percentiles are never below those of the sorted durations, and 3.2 percent above at most") {
    std::mt19937_64 random(20240521);
    std::lognormal_distribution<double> latency(std::log(40'000.0), 1.5);
    std::vector<std::uint64_t> sorted(100'000);
    const auto histogram = std::make_unique<rti_histogram>();
    HistogramWriter writer(*histogram);
    std::uint64_t sum = 0;
    for (std::uint64_t& duration_ns : sorted) {
        duration_ns = static_cast<std::uint64_t>(latency(random));
        writer.record(duration_ns);
        sum += duration_ns;
    }
    std::sort(sorted.begin(), sorted.end());

    const rti_histogram snapshot = histogram_snapshot(*histogram);
    CHECK(snapshot.count == sorted.size());
    CHECK(snapshot.sum_ns == sum);
    CHECK(snapshot.max_ns == sorted.back());
    for (const double percent : {0.0, 1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
        const double rank = std::ceil(percent / 100.0 * static_cast<double>(sorted.size()));
        const auto exact = sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
        const auto measured = percentile_ns(snapshot, percent);
        CAPTURE(percent);
        const double error = static_cast<double>(measured) - static_cast<double>(exact);
        CHECK(std::abs(error) <= 0.032 * static_cast<double>(exact));
    }
    CHECK(percentile_ns(snapshot, 100.0) == sorted.back());
}

TEST_CASE("A histogram of nothing has no percentile, one of a single value has only that") {
    const auto histogram = std::make_unique<rti_histogram>();
    CHECK(percentile_ns(*histogram, 50.0) == 0);
    CHECK(percentile_ns(*histogram, 100.0) == 0);
    HistogramWriter(*histogram).record(123'456'789);
    for (const double percent : {0.0, 50.0, 100.0}) {
        CHECK(percentile_ns(*histogram, percent) == 123'456'789);
    }
}

TEST_CASE("The median of a regular cycle is that cycle and not the end of its bucket") {
    const auto histogram = std::make_unique<rti_histogram>();
    HistogramWriter writer(*histogram);
    for (int jitter_ns = -20'000; jitter_ns <= 20'000; jitter_ns += 10) {
        writer.record(static_cast<std::uint64_t>(1'000'000 + jitter_ns));
    }
    const auto median_ns = static_cast<double>(percentile_ns(*histogram, 50.0));
    CHECK(std::abs(median_ns - 1'000'000.0) <= 100.0);
}

TEST_CASE("A duration above the range is still reported as the maximum") {
    const auto histogram = std::make_unique<rti_histogram>();
    const std::uint64_t a_day_ns = 86'400'000'000'000;
    HistogramWriter(*histogram).record(a_day_ns);
    CHECK(percentile_ns(*histogram, 50.0) == a_day_ns);
}

}  // namespace rti
