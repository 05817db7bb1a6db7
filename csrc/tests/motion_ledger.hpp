// Whether the arm may move, kept from what was delivered alone.
//
// After an epoch began the arm may brake, but once at rest it stays until a chunk that could have
// been admitted has come. Shares no code with admission.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "control/stepper.hpp"
#include "tests/motion_rig.hpp"

namespace rti::test {

// From full speed along the path.
inline constexpr std::uint64_t kLongestStop_cycles = 1500;
// And back onto it, where packets were lost, many a time while it was at full acceleration.
inline constexpr std::uint64_t kLongestWayBack_cycles = 2500;

class Ledger {
  public:
    Ledger(const StepperConfig& config, bool loses_packets)
        : config_(config),
          longest_stop_(kLongestStop_cycles + (loses_packets ? kLongestWayBack_cycles : 0)) {}

    [[nodiscard]] std::uint32_t epoch() const { return epoch_; }

    void begin_epoch() {
        ++epoch_;
        since_ns_ = std::numeric_limits<std::int64_t>::max();  // until the cycle has a time
        revoke();
    }
    void request(Request request) {
        const bool stopping = request != Request::kFollow;
        if (stopping && !stopping_) revoke();
        if (!stopping && stopping_) begin_epoch();
        stopping_ = stopping;
    }
    // The robot went on by itself: from there it may have to find back to its path.
    void packets_lost() { stopping_for_ = 0; }
    // A chunk, in the cycle after `now_ns`, when the arm was last told `command`. Less than
    // admission asks for, so that what it refuses beyond that is no concern here.
    void deliver(const std::vector<rti_action>& chunk, std::int64_t now_ns,
                 const JointArray& command) {
        const rti_action& head = chunk.front();
        const auto age_ns = static_cast<double>(now_ns - head.capture_ns);
        bool good = !stopping_ && head.epoch == epoch_ && head.capture_ns >= since_ns_ &&
                    age_ns <= config_.max_age_s * 1e9;
        bool near = false;
        for (const rti_action& action : chunk) {
            JointArray target{};
            std::copy_n(action.values, kDof, target.begin());
            for (const double joint : target) good = good && std::isfinite(joint);
            near = near || distance(target, command) <= config_.max_start_distance_rad;
        }
        if (good && near) leave_ = true;
    }
    // After each cycle.
    [[nodiscard]] bool allows(bool moved, std::int64_t now_ns) {
        since_ns_ = std::min(since_ns_, now_ns);
        return leave_ || ++stopping_for_ < longest_stop_ || !moved;
    }

  private:
    void revoke() {
        leave_ = false;
        stopping_for_ = 0;
    }

    StepperConfig config_;
    std::uint64_t longest_stop_;
    std::uint32_t epoch_ = 0;
    std::int64_t since_ns_ = 0;
    bool stopping_ = false;
    bool leave_ = false;              // a chunk of this epoch has come that may move the arm
    std::uint64_t stopping_for_ = 0;  // cycles without leave
};

}  // namespace rti::test
