// The limiter: the last line before the arm. Whatever is asked, what goes out keeps the limits.
//
// Per joint, once a cycle, on the values FCI checks: backward Euler differences at 1 ms of
// successive commands. A command passes untouched if its velocity, acceleration and jerk are inside
// the limits and the joint can still be braked, with limited jerk, before its velocity envelope
// closes. Otherwise the admissible acceleration nearest to what leads back to the wanted position
// is taken instead, and the caller counts an intervention. What is wanted is judged as a motion:
// its acceleration is taken over, so that a gap closes in bounded time however it moves meanwhile,
// and it is joined where that costs little jerk. The planner keeps narrower limits, so that for it
// this does nothing.
#pragma once

#include <array>

#include "motion/limits.hpp"

namespace rti {

class Limiter {
  public:
    explicit Limiter(const MotionLimits& limits) noexcept;

    // The motion continues from here: at the start, and when the arm went on without us.
    void seed(const JointArray& q, const JointArray& dq, const JointArray& ddq) noexcept;
    // The command for the next cycle, as near to `wanted` [rad] as the limits allow. True if
    // changed.
    bool limit(const JointArray& wanted, JointArray& command) noexcept;

    // Where it is, is where it is wanted from now on; for an arm at rest.
    void settle() noexcept;

    [[nodiscard]] const JointArray& q() const noexcept { return q_; }
    // No joint moves and none would have to decelerate: the motion may be finished here.
    [[nodiscard]] bool at_rest() const noexcept;

  private:
    [[nodiscard]] bool stoppable(std::size_t j, double ddq, double side) const noexcept;
    // Towards both ends.
    [[nodiscard]] bool admissible(std::size_t j, double ddq) const noexcept;
    [[nodiscard]] double nearest_stoppable(std::size_t j, double bad, double hardest,
                                           double side) const noexcept;
    [[nodiscard]] double nearest_admissible(std::size_t j, double wanted) const noexcept;
    [[nodiscard]] double towards(std::size_t j, double ahead) const noexcept;
    [[nodiscard]] double jerk_of_joining(std::size_t j) const noexcept;

    Envelope envelope_;
    double ddq_max_;
    double dddq_max_;
    JointArray q_{};
    JointArray dq_{};
    JointArray ddq_{};
    std::array<bool, kDof> detoured_{};               // this joint was changed in the last cycle
    JointArray wanted_{};                             // last cycle's
    JointArray wanted_dq_{};                          // as fast as that moved, and as an arm could
    std::array<std::array<double, 3>, kDof> gaps_{};  // wanted - sent [rad], newest first
};

}  // namespace rti
