// What the arm may do, and the narrower envelopes that planner and limiter keep inside of it.
//
// Numbers: libfranka's test/fr3.urdf and rate_limiting.h. The velocity limit of a joint shrinks
// near the ends of its range (libfranka, joint_velocity_limits.cpp):
//     upper(q) = min(dq_max, max(0, -offset + sqrt(max(0, 2 decel (q_max - q)))))
// and closes 3.6 to 11.3 mrad before them. Three nested envelopes: the arm's own, the limiter's
// inside it (room for the jerk-limited way down), the planner's inside that (so that for a path
// that keeps the planner's envelope the limiter has nothing to do).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "arms/arm.hpp"

namespace rti {

struct MotionLimits {
    JointArray q_min_rad{};
    JointArray q_max_rad{};
    JointArray dq_max{};           // rad/s
    JointArray envelope_offset{};  // rad/s
    JointArray envelope_decel{};   // rad/s²
    double ddq_max = 0.0;          // rad/s², every joint
    double dddq_max = 0.0;         // rad/s³, every joint

    static constexpr MotionLimits fr3() noexcept {
        return {
            .q_min_rad = {-2.7501, -1.7918, -2.9065, -3.0481, -2.8101, 0.54092, -3.0196},
            .q_max_rad = {2.7501, 1.7918, 2.9065, -0.1458, 2.8101, 4.5205, 3.0196},
            .dq_max = {2.62, 2.62, 2.62, 2.62, 5.26, 4.18, 5.26},
            .envelope_offset = {0.30, 0.20, 0.20, 0.30, 0.35, 0.35, 0.35},
            .envelope_decel = {6.0, 2.585, 3.50, 4.00, 17.0, 5.5, 17.0},
            .ddq_max = 10.0,
            .dddq_max = 5000.0,
        };
    }
};

// The most cycles one command can be in force: FCI stops an arm after 20 lost ones in a row, and
// goes on with constant acceleration through up to 19.
inline constexpr std::uint32_t kLongestHold_cycles = 20;

// How far inside the arm's limits an envelope stays.
struct Margins {
    double range_rad;  // from each end of the joint range
    double velocity;   // fraction of dq_max
    double decel;      // fraction of min(envelope_decel, what ddq_max leaves for braking)
};

inline constexpr Margins kLimiterMargins{.range_rad = 0.001, .velocity = 0.995, .decel = 0.95};
inline constexpr Margins kPlannerMargins{.range_rad = 0.008, .velocity = 0.92, .decel = 0.65};

// The position-dependent velocity limit of every joint, inside the arm's by `margins`.
class Envelope {
  public:
    Envelope(const MotionLimits& limits, const Margins& margins) noexcept {
        for (std::size_t j = 0; j < kDof; ++j) {
            low_[j] = limits.q_min_rad[j] + margins.range_rad;
            high_[j] = limits.q_max_rad[j] - margins.range_rad;
            dq_max_[j] = limits.dq_max[j] * margins.velocity;
            offset_[j] = limits.envelope_offset[j];
            // Where the arm's envelope is steeper than its acceleration limit, braking is what
            // binds.
            const double braking = 0.8 * limits.ddq_max;
            twice_decel_[j] = 2.0 * margins.decel * std::min(limits.envelope_decel[j], braking);
        }
    }

    // Fastest speed towards the end of the range that `towards` (its sign) points to [rad/s], >= 0.
    [[nodiscard]] double speed(std::size_t j, double q_rad, double towards) const noexcept {
        const double room_rad = towards >= 0.0 ? high_[j] - q_rad : q_rad - low_[j];
        const double closing = std::sqrt(std::max(0.0, twice_decel_[j] * room_rad)) - offset_[j];
        return std::clamp(closing, 0.0, dq_max_[j]);
    }

    // The braking that keeps up with the envelope as it closes, at any speed [rad/s²].
    [[nodiscard]] double decel(std::size_t j) const noexcept { return 0.5 * twice_decel_[j]; }

    // Where the envelope still leaves `speed` towards the end of the range: targets stay inside of
    // it.
    [[nodiscard]] double lowest_target(std::size_t j, double speed) const noexcept {
        return low_[j] + room_for(j, speed);
    }
    [[nodiscard]] double highest_target(std::size_t j, double speed) const noexcept {
        return high_[j] - room_for(j, speed);
    }

  private:
    [[nodiscard]] double room_for(std::size_t j, double speed) const noexcept {
        const double reached = speed + offset_[j];
        return reached * reached / twice_decel_[j];
    }

    JointArray low_{};
    JointArray high_{};
    JointArray dq_max_{};
    JointArray offset_{};
    JointArray twice_decel_{};
};

}  // namespace rti
