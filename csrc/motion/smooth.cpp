#include "motion/smooth.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "include/rt_infer.h"

namespace rti {
namespace {

// What the last target weighs against the others: it is the place to rest at.
constexpr double kLastWeight = 1e6;

// I + lambda D'D, D the second differences, as L diag(d) L': five diagonals, L has two below its
// ones.
class Factors {
  public:
    Factors(double lambda, std::size_t count) noexcept : count_(count) {
        std::array<double, RTI_MAX_CHUNK> first;   // below the diagonal
        std::array<double, RTI_MAX_CHUNK> second;  // below that
        std::fill_n(d_.begin(), count, 1.0);
        std::fill_n(first.begin(), count, 0.0);
        std::fill_n(second.begin(), count, 0.0);
        d_[count - 1] = kLastWeight;
        for (std::size_t i = 0; i + 2 < count; ++i) {  // a row of D is (1, -2, 1)
            d_[i] += lambda;
            d_[i + 1] += 4.0 * lambda;
            d_[i + 2] += lambda;
            first[i] -= 2.0 * lambda;
            first[i + 1] -= 2.0 * lambda;
            second[i] += lambda;
        }
        for (std::size_t i = 0; i < count; ++i) {
            if (i >= 1) {
                const double above = l1_[i - 1] * d_[i - 1];
                d_[i] -= l1_[i - 1] * above;
                first[i] -= l2_[i - 1] * above;
            }
            if (i >= 2) d_[i] -= l2_[i - 2] * l2_[i - 2] * d_[i - 2];
            l1_[i] = first[i] / d_[i];
            l2_[i] = second[i] / d_[i];
        }
    }

    void solve(double* z) const noexcept {
        for (std::size_t i = 1; i < count_; ++i) {
            z[i] -= l1_[i - 1] * z[i - 1];
            if (i >= 2) z[i] -= l2_[i - 2] * z[i - 2];
        }
        for (std::size_t i = count_; i-- > 0;) {
            z[i] /= d_[i];
            if (i + 1 < count_) z[i] -= l1_[i] * z[i + 1];
            if (i + 2 < count_) z[i] -= l2_[i] * z[i + 2];
        }
    }

  private:
    std::size_t count_;
    std::array<double, RTI_MAX_CHUNK> d_;
    std::array<double, RTI_MAX_CHUNK> l1_;
    std::array<double, RTI_MAX_CHUNK> l2_;
};

}  // namespace

void smooth(const Smoothing& smoothing, JointArray* targets, std::size_t count) noexcept {
    if (count < 3 || smoothing.tolerance_rad <= 0.0) return;
    const double at_cutoff =
        2.0 * std::sin(M_PI * std::min(smoothing.cutoff_hz / smoothing.fps, 0.5));
    const Factors factors(std::pow(at_cutoff, -4.0), count);
    std::array<double, RTI_MAX_CHUNK> z;
    for (std::size_t j = 0; j < kDof; ++j) {
        for (std::size_t i = 0; i < count; ++i) z[i] = targets[i][j];
        z[count - 1] *= kLastWeight;
        factors.solve(z.data());
        for (std::size_t i = 0; i + 1 < count; ++i) {
            targets[i][j] = std::clamp(z[i], targets[i][j] - smoothing.tolerance_rad,
                                       targets[i][j] + smoothing.tolerance_rad);
        }
    }
}

}  // namespace rti
