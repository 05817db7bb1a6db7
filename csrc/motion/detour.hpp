// The way back after lost packets: the arm went on by itself and is not where the path has it.
//
// A quintic in time takes up the difference in position and velocity and is gone after as long as a
// share of the arm's acceleration needs for it; a second, short one takes up the difference in
// acceleration. Added to the reference, they lead from where the arm is back onto the path, which
// goes on meanwhile. Nothing is caught up.
//
// One quintic for all three would keep the acceleration the longer, the longer the way is: it leads
// further astray first, and when the next packets get lost then, further still.
//
// Pure values; the stepper's thread. advance() once a cycle.
#pragma once

#include "motion/limits.hpp"
#include "motion/path.hpp"

namespace rti {

class Detour {
  public:
    explicit Detour(const MotionLimits& limits) noexcept;

    // From here; both in time, as position, velocity and acceleration in q, d1, d2.
    void begin(const PathPoint& arm, const PathPoint& reference) noexcept;
    void advance() noexcept { at_s_ += kCycle_s; }
    void clear() noexcept {
        way_.clear();
        shedding_.clear();
    }
    // The arm is still led back.
    [[nodiscard]] bool active() const noexcept { return way_.covers(at_s_); }
    // What is to be added to the reference's position now.
    void add_to(PathPoint& point) const noexcept {
        way_.add_to(at_s_, point);
        shedding_.add_to(at_s_, point);
    }

  private:
    double acceleration_;  // that the way back may take [rad/s²]
    Bridge way_{};         // over time [s]; the longer of the two
    Bridge shedding_{};    // of the acceleration
    double at_s_ = 0.0;    // since it began
};

}  // namespace rti
