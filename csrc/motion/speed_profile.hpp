// How fast the policy clock may run along a path, and that it can always stop in time.
//
// The plane is (step, rate²), as in time-optimal path parametrisation (Bobrow 1985): at each sample
// a ceiling from the joint limits, then one pass backwards from the end, where the rate must be
// zero, so that from anywhere below the curve there is a braking way to rest that keeps the
// acceleration limit. Between samples rate² is linear, which is constant deceleration. Samples lie
// on the path's knots and an even number of times between two of them: a spline bends most at its
// knots. The window is bounded (kSamples, rest at its end), so one build costs the same for any
// chunk; the stepper builds again when the clock has used up half of it.
#pragma once

#include <array>
#include <cstddef>

#include "motion/limits.hpp"
#include "motion/path.hpp"

namespace rti {

// The shares of the arm's limits that planning uses; the limiter stands behind them.
struct PlannerLimits {
    explicit PlannerLimits(const MotionLimits& limits) noexcept
        : envelope(limits, kPlannerMargins),
          cruise_acceleration(0.75 * limits.ddq_max),
          brake_acceleration(0.90 * limits.ddq_max),
          clock_acceleration(0.95 * limits.ddq_max),
          start_acceleration(0.40 * limits.ddq_max),
          jerk(0.45 * limits.dddq_max),
          clock_jerk(0.30 * limits.dddq_max),
          whole_jerk(0.90 * limits.dddq_max) {}

    Envelope envelope;
    double cruise_acceleration;  // curvature at constant rate [rad/s²]
    double brake_acceleration;   // curvature and braking together, in the profile
    double clock_acceleration;   // the same for the clock itself: room to track the profile
    double start_acceleration;   // what speeding up alone may take: nothing waits for it
    double jerk;                 // of the path at constant rate [rad/s³]
    double clock_jerk;           // of the clock, where it has the choice
    double whole_jerk;           // of both together
};

class SpeedProfile {
  public:
    static constexpr std::size_t kSamples = 512;

    // From `from` to the end of the path or of the window; `nominal_rate` is the ceiling
    // everywhere.
    void build(const Path& path, double from, double nominal_rate,
               const PlannerLimits& limits) noexcept;

    // Highest rate² at `step` from which rest can be reached [steps²/s²]; 0 beyond the window.
    [[nodiscard]] double squared_rate(double step) const noexcept;
    // With the rate's change that staying on the curve asks for [steps/s²]. Before and beyond the
    // window the curve goes straight on.
    struct Pace {
        double squared_rate;
        double acceleration;
    };
    [[nodiscard]] Pace pace(double step) const noexcept;
    // Both as a mean over `width` steps around `step`, the rate² not above that at `step` itself:
    // the curve with its corners ramped, half before and half after them.
    [[nodiscard]] Pace pace(double step, double width) const noexcept;
    // From where on the curve is nothing but the braking way to its end.
    [[nodiscard]] double last_way() const noexcept { return last_way_; }
    // The end of the path is within a sample.
    [[nodiscard]] bool final_way(double step) const noexcept;
    // The lowest rate² between two steps of the window.
    [[nodiscard]] double lowest_squared_rate(double from, double to) const noexcept;
    // True once less than half a window is left although the path goes on.
    [[nodiscard]] bool used_up(double step) const noexcept;

  private:
    struct Cell {
        std::size_t index;
        double fraction;
    };
    // Beyond the window its first or last cell, of which the fraction then is none.
    [[nodiscard]] Cell cell(double step) const noexcept;
    [[nodiscard]] double value(const Cell& cell) const noexcept;
    // Its change over the cell.
    [[nodiscard]] double slope(const Cell& cell) const noexcept;
    // Of rate² from the start of the cell on, in cells.
    [[nodiscard]] double integral(const Cell& cell) const noexcept;

    double from_ = 0.0;
    double spacing_ = 1.0;  // steps
    double last_way_ = 0.0;
    std::size_t samples_ = 0;
    bool cut_ = false;  // the path goes on beyond the window
    std::array<double, kSamples + 1> squared_rate_{};
    // Where, as a fraction of its cell, the curve leaves the level of its sample to brake.
    std::array<double, kSamples> corner_{};
};

}  // namespace rti
