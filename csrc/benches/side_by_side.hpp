// What the bench programs share: a clock, percentiles, one line of JSON a round.
//
// A program prints one line for each round, {"contender": {"n": …, "p50": …, …}, …}, times in ns;
// benches/programs.py reads them and makes the table. Where figures are of single operations, what
// the clock itself costs is in them: nothing is subtracted.
#pragma once

#include <time.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rti::bench {

inline std::int64_t now_ns() noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// Durations of single operations; room for all of them is made before the first.
class Samples {
  public:
    explicit Samples(std::size_t capacity) { values_.reserve(capacity); }

    void add(std::int64_t duration_ns) noexcept {
        if (values_.size() < values_.capacity()) values_.push_back(duration_ns);
    }
    void clear() noexcept { values_.clear(); }
    [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }

    // Nearest rank; 0 where there are none. Reorders the samples.
    [[nodiscard]] std::int64_t percentile(double percent) noexcept {
        if (values_.empty()) return 0;
        const double rank = std::ceil(percent / 100.0 * static_cast<double>(values_.size()));
        const auto nth = values_.begin() + static_cast<std::ptrdiff_t>(std::max(rank, 1.0)) - 1;
        std::nth_element(values_.begin(), nth, values_.end());
        return *nth;
    }

  private:
    std::vector<std::int64_t> values_;
};

// One round: what each contender gave.
class Round {
  public:
    void add(const std::string& contender, std::size_t count,
             std::span<const std::pair<const char*, double>> figures) {
        line_ +=
            (line_.empty() ? "{\"" : ", \"") + contender + "\": {\"n\": " + std::to_string(count);
        for (const auto& [name, value] : figures) {
            line_ += ", \"" + std::string(name) + "\": " + std::to_string(value);
        }
        line_ += "}";
    }

    void add(const std::string& contender, Samples& samples) {
        const auto of = [&](double percent) {
            return static_cast<double>(samples.percentile(percent));
        };
        const std::array<std::pair<const char*, double>, 4> figures{
            {{"p50", of(50)}, {"p99", of(99)}, {"p99.9", of(99.9)}, {"max", of(100)}}};
        add(contender, samples.size(), figures);
    }

    void print() const { std::printf("%s}\n", line_.c_str()); }

  private:
    std::string line_;
};

}  // namespace rti::bench
