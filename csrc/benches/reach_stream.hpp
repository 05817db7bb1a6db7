// A stream of chunks as a reaching policy gives it: chunks of 50 steps, each asked for when half of
// the one before is left and there 60 ms later; minimum-jerk reaches from one random target to the
// next, each chunk off by a milliradian at most, as a learned one is.
//
// One thread; seeded, so every run is the same stream. Allocates nothing after construction.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>

#include "arms/sim_fr3.hpp"
#include "control/progress.hpp"
#include "include/rt_infer.h"
#include "memory/spsc_ring.hpp"

namespace rti::bench {

inline constexpr std::uint32_t kChunkSteps = 50;
inline constexpr double kAskAt_steps = 25.0;
inline constexpr int kDelay_cycles = 60;
inline constexpr double kReach_s = 2.0;  // then half a second on the target
inline constexpr double kBetweenReaches_s = 2.5;
inline constexpr double kReach_rad = 0.35;
inline constexpr double kChunkError_rad = 1e-3;

// The policy, and the way of its chunks to the ring.
class ReachStream {
  public:
    ReachStream(rti_region& region, double fps) : producer_(region), fps_(fps) {
        std::uniform_real_distribution<double> offset(-kReach_rad, kReach_rad);
        for (JointArray& target : targets_) {
            target = kReadyPose_rad;
            for (double& joint : target) joint += offset(generator_);
        }
        targets_[0] = kReadyPose_rad;
    }

    // Once a cycle, after it: asks when it is time, delivers what was asked for.
    void cycle(const Progress& progress, std::int64_t time_ns) noexcept {
        if (in_flight_) {
            if (--arrives_in_cycles_ > 0) return;
            in_flight_ = false;
            delivered_ += producer_.push(chunk_) ? 1 : 0;
        } else if (progress.chunk_id == chunk_id_ && progress.steps_queued <= kAskAt_steps) {
            observe(progress, time_ns);
            in_flight_ = true;
            arrives_in_cycles_ = kDelay_cycles;
        }
    }

    [[nodiscard]] std::uint64_t delivered() const noexcept { return delivered_; }

  private:
    void observe(const Progress& progress, std::int64_t time_ns) noexcept {
        std::uniform_real_distribution<double> error(-kChunkError_rad, kChunkError_rad);
        JointArray off{};
        for (double& joint : off) joint = error(generator_);
        ++chunk_id_;
        for (std::uint32_t i = 0; i < kChunkSteps; ++i) {
            rti_action& action = chunk_[i] = {};
            action.kind = RTI_RECORD_ACTION;
            action.epoch = progress.epoch;
            action.chunk_id = chunk_id_;
            action.index = i;
            action.count = kChunkSteps;
            action.capture_ns = time_ns;
            action.origin_step = progress.policy_step;
            action.received_ns = time_ns;
            action.dim = RTI_DOF;
            const JointArray target = at(progress.policy_step + i);
            for (std::size_t j = 0; j < kDof; ++j) action.values[j] = target[j] + off[j];
        }
    }

    // Minimum jerk (Flash and Hogan, 1985) from each target to the next.
    [[nodiscard]] JointArray at(double step) const noexcept {
        const double time_s = step / fps_;
        const double reach = std::floor(time_s / kBetweenReaches_s);
        const double u = std::min((time_s - reach * kBetweenReaches_s) / kReach_s, 1.0);
        const double share = u * u * u * (10.0 + u * (6.0 * u - 15.0));
        const auto k = static_cast<std::size_t>(reach);
        const JointArray& from = targets_[k % targets_.size()];
        const JointArray& to = targets_[(k + 1) % targets_.size()];
        JointArray q;
        for (std::size_t j = 0; j < kDof; ++j) q[j] = from[j] + share * (to[j] - from[j]);
        return q;
    }

    RingProducer producer_;
    double fps_;
    std::mt19937 generator_{7};
    std::array<JointArray, 64> targets_{};
    std::array<rti_action, kChunkSteps> chunk_{};
    std::uint64_t chunk_id_ = 0;
    std::uint64_t delivered_ = 0;
    int arrives_in_cycles_ = 0;
    bool in_flight_ = false;
};

}  // namespace rti::bench
