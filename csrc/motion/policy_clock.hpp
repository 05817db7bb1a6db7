// The policy clock: which step of the policy the arm is at, a real number, and how fast it runs.
//
// advance() once a cycle. The rate follows the speed profile with its corners ramped, so the clock
// is C² in time. It comes to rest with constant jerk, on the last step of the path to the last
// digit or wherever it is told to brake. Limits are kept by slowing here, along the path; nothing
// else in the motion ever leaves the path.
#pragma once

#include <cstdint>

#include "motion/speed_profile.hpp"

namespace rti {

class PolicyClock {
  public:
    explicit PolicyClock(double nominal_rate) noexcept : nominal_(nominal_rate) {}

    [[nodiscard]] double step() const noexcept { return step_; }
    [[nodiscard]] double rate() const noexcept { return rate_; }                  // steps/s
    [[nodiscard]] double acceleration() const noexcept { return acceleration_; }  // steps/s²
    [[nodiscard]] bool at_rest() const noexcept { return rate_ == 0.0; }
    [[nodiscard]] double nominal_rate() const noexcept { return nominal_; }
    // Until where a profile has to leave the clock its rate for being entered now.
    [[nodiscard]] double look_ahead() const noexcept;

    // The steps that an urgent stop would take if it began in the next cycle: more, never less.
    [[nodiscard]] double braking_distance(const Path& path,
                                          const PlannerLimits& limits) const noexcept;

    // Stands at a later step: what lies between was nobody's motion.
    void pass_to(double step) noexcept { step_ = step; }
    // Stands still from now on, wherever it is: the arm has stopped by itself.
    void halt() noexcept { rate_ = acceleration_ = 0.0; }
    // One cycle along `path`. With `brake` the clock comes to rest as fast as the joints allow.
    // Returns false when the profile, not the nominal rate, set the pace.
    bool advance(const Path& path, const SpeedProfile& profile, const PlannerLimits& limits,
                 bool brake) noexcept;

  private:
    // What the joints leave for the clock's acceleration at its step: [-down, up] [steps/s²], and
    // for its change: as a rule `ramp`, at most [-gentler, steeper] [steps/s³].
    struct Room {
        double up;
        double down;
        double ramp;
        double steeper;
        double gentler;
    };
    [[nodiscard]] Room room(const Path& path, const PlannerLimits& limits) const noexcept;
    [[nodiscard]] bool overruns(double acceleration, double ramp, bool stops,
                                const SpeedProfile& profile, const Room& room) const noexcept;
    // If constant jerk from the present rate leads to rest in `steps_left`, and the acceleration
    // may become what that takes: one cycle of it. False if not.
    bool land(double steps_left, const Room& room) noexcept;
    void rest_at(double step) noexcept;

    double nominal_;
    double step_ = 0.0;
    double rate_ = 0.0;
    double acceleration_ = 0.0;
};

}  // namespace rti
