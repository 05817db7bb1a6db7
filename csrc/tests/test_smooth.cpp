// Smoothing takes noise out of a chunk's targets and nothing else.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "motion/smooth.hpp"

namespace rti {
namespace {

constexpr double kFps = 50.0;

std::vector<JointArray> sampled(std::size_t count, double (*at)(double step, std::size_t joint)) {
    std::vector<JointArray> targets(count);
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < kDof; ++j) targets[i][j] = at(static_cast<double>(i), j);
    }
    return targets;
}

double bend(const std::vector<JointArray>& targets) {
    double squares = 0.0;
    for (std::size_t i = 1; i + 1 < targets.size(); ++i) {
        squares += std::pow(targets[i - 1][0] - 2.0 * targets[i][0] + targets[i + 1][0], 2.0);
    }
    return std::sqrt(squares / static_cast<double>(targets.size() - 2));
}

// The cost that the header promises to minimise, for one joint.
double cost(const std::vector<JointArray>& z, const std::vector<JointArray>& y, double lambda) {
    double sum = 0.0;
    for (std::size_t i = 0; i < z.size(); ++i) sum += std::pow(z[i][0] - y[i][0], 2.0);
    for (std::size_t i = 1; i + 1 < z.size(); ++i) {
        sum += lambda * std::pow(z[i - 1][0] - 2.0 * z[i][0] + z[i + 1][0], 2.0);
    }
    return sum;
}

TEST_CASE("a line and the last target stay as they are") {
    const auto line = sampled(50, [](double step, std::size_t) { return 0.3 - 0.02 * step; });
    auto smoothed = line;
    smooth({.fps = kFps}, smoothed.data(), smoothed.size());
    for (std::size_t i = 0; i < line.size(); ++i) {
        CHECK(smoothed[i][3] == doctest::Approx(line[i][3]).epsilon(1e-9));
    }
    const auto wave = sampled(50, [](double step, std::size_t j) {
        return 0.1 * std::sin(step + static_cast<double>(j));
    });
    smoothed = wave;
    smooth({.fps = kFps}, smoothed.data(), smoothed.size());
    CHECK(smoothed.back() == wave.back());
}

TEST_CASE("what is smoothed away is what minimises the cost") {
    std::mt19937 generator(3);
    std::normal_distribution<double> noise(0.0, 1e-3);
    std::vector<JointArray> targets(40);
    for (JointArray& target : targets) target.fill(noise(generator));
    targets.back().fill(0.0);
    auto smoothed = targets;
    smooth({.fps = kFps, .cutoff_hz = 4.0, .tolerance_rad = 1.0}, smoothed.data(), smoothed.size());
    const double lambda = std::pow(2.0 * std::sin(M_PI * 4.0 / kFps), -4.0);
    const double least = cost(smoothed, targets, lambda);
    for (std::size_t i = 0; i + 1 < smoothed.size(); ++i) {
        for (const double by : {-1e-6, 1e-6}) {
            auto other = smoothed;
            other[i][0] += by;
            CHECK(cost(other, targets, lambda) > least);
        }
    }
}

TEST_CASE("a milliradian of noise bends an eighth as much, and a slow motion stays") {
    std::mt19937 generator(5);
    std::normal_distribution<double> noise(0.0, 1e-3);
    const auto clean = sampled(200, [](double step, std::size_t) {
        return 0.3 * std::sin(2.0 * M_PI * 0.5 * step / kFps);
    });
    auto noisy = clean;
    for (JointArray& target : noisy) target[0] += noise(generator);
    auto smoothed = noisy;
    smooth({.fps = kFps}, smoothed.data(), smoothed.size());
    auto left = smoothed;  // of the noise
    auto was = noisy;
    for (std::size_t i = 0; i < clean.size(); ++i) {
        left[i][0] -= smoothed[i][1];  // what became of the clean motion
        was[i][0] -= clean[i][0];
    }
    left.resize(left.size() - 10);  // the last target is pinned, noise and all
    was.resize(left.size());
    CHECK(bend(left) < bend(was) / 8.0);
    for (std::size_t i = 10; i + 10 < clean.size(); ++i) {
        CHECK(std::abs(smoothed[i][1] - clean[i][1]) < 1e-4);
    }
}

TEST_CASE("no target moves by more than the tolerance, whatever the policy says") {
    std::mt19937 generator(7);
    std::uniform_real_distribution<double> anywhere(-3.0, 3.0);
    for (std::size_t count = 1; count <= 512; count = count * 2 + 1) {
        std::vector<JointArray> targets(count);
        for (JointArray& target : targets) {
            for (double& joint : target) joint = anywhere(generator);
        }
        auto smoothed = targets;
        smooth({.fps = kFps, .cutoff_hz = 4.0, .tolerance_rad = 0.002}, smoothed.data(), count);
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t j = 0; j < kDof; ++j) {
                REQUIRE(std::abs(smoothed[i][j] - targets[i][j]) <= 0.002 + 1e-12);
            }
        }
        smoothed = targets;
        smooth({.fps = kFps, .cutoff_hz = 4.0, .tolerance_rad = 0.0}, smoothed.data(), count);
        CHECK(smoothed == targets);
    }
}

}  // namespace
}  // namespace rti
