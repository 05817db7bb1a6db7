// A second judge of what the arm is told, written from Franka's documents alone: nothing here is
// shared with the motion, and nothing with the simulated arm either, which it is compared to.
//
// It is told every command that reached the arm and every cycle that was lost, and keeps the
// reference itself: backward Euler at 1 ms, constant acceleration where nothing came. Besides
// FCI's limits it demands what the arm cannot know: that every joint can still be stopped, braking
// as hard as the limits allow, before its range ends, and that a joint outside of a range narrowed
// by the user moves only inward.
#pragma once

#include <array>
#include <cmath>
#include <string>

#include "arms/arm.hpp"

namespace rti::test {

class FciJudge {
  public:
    // `low` and `high` [rad]: the range as the user narrowed it, or the arm's own.
    FciJudge(const JointArray& start, const JointArray& low, const JointArray& high)
        : q_(start), low_(low), high_(high) {}

    [[nodiscard]] const JointArray& q() const { return q_; }
    // What was wrong with it, or nothing.
    std::string commanded(const JointArray& q) {
        JointArray dq{};
        JointArray ddq{};
        for (std::size_t j = 0; j < q.size(); ++j) {
            dq[j] = (q[j] - q_[j]) / kCycle;
            ddq[j] = (dq[j] - dq_[j]) / kCycle;
            // Written so that a NaN fails it.
            if (!(std::abs(ddq[j] - ddq_[j]) / kCycle <= 5000.0)) return tell(j, "jerk");
            if (!(std::abs(ddq[j]) <= 10.0)) return tell(j, "acceleration");
        }
        begun_ = true;
        return take(q, dq, ddq);
    }
    std::string lost() {
        if (!begun_) return "";
        JointArray q = q_;
        JointArray dq = dq_;
        for (std::size_t j = 0; j < q.size(); ++j) {
            dq[j] += ddq_[j] * kCycle;
            q[j] += dq[j] * kCycle;
        }
        std::string wrong = take(q, dq, ddq_);
        return wrong.empty() ? wrong : "lost: " + wrong;
    }

  private:
    struct Joint {
        double q_min, q_max, dq_max, offset, decel;
    };
    // libfranka, test/fr3.urdf.
    static constexpr std::array<Joint, 7> kFr3 = {{{-2.7501, 2.7501, 2.62, 0.30, 6.0},
                                                   {-1.7918, 1.7918, 2.62, 0.20, 2.585},
                                                   {-2.9065, 2.9065, 2.62, 0.20, 3.50},
                                                   {-3.0481, -0.1458, 2.62, 0.30, 4.00},
                                                   {-2.8101, 2.8101, 5.26, 0.35, 17.0},
                                                   {0.54092, 4.5205, 4.18, 0.35, 5.5},
                                                   {-3.0196, 3.0196, 5.26, 0.35, 17.0}}};
    static constexpr double kCycle = 0.001;

    // Fastest towards an end of the range `room` away; libfranka, joint_velocity_limits.cpp.
    static double fastest(const Joint& joint, double room) {
        const double root = std::sqrt(std::fmax(0.0, 2.0 * joint.decel * room));
        const double closing = std::fmin(joint.dq_max, root - joint.offset);
        return std::fmax(0.0, closing - 0.001);
    }
    // How far a joint gets at `speed` and `push` before hardest braking has it at rest.
    static double way_to_rest(double speed, double push) {
        double way = 0.0;
        while (speed > 0.0 && push > -10.0) {
            push = std::fmax(-10.0, push - 5.0);
            speed += push * kCycle;
            way += std::fmax(0.0, speed) * kCycle;
        }
        return speed > 0.0 ? way + speed * speed / 20.0 : way;
    }

    std::string take(const JointArray& q, const JointArray& dq, const JointArray& ddq) {
        for (std::size_t j = 0; j < q.size(); ++j) {
            const Joint& joint = kFr3[j];
            if (!(q[j] >= joint.q_min && q[j] <= joint.q_max)) return tell(j, "position");
            if (dq[j] > fastest(joint, joint.q_max - q_[j]) ||
                -dq[j] > fastest(joint, q_[j] - joint.q_min)) {
                return tell(j, "velocity");
            }
            if (q[j] + way_to_rest(dq[j], ddq[j]) > joint.q_max ||
                q[j] - way_to_rest(-dq[j], -ddq[j]) < joint.q_min) {
                return tell(j, "cannot be stopped");
            }
            if (q[j] > std::fmax(q_[j], high_[j]) || q[j] < std::fmin(q_[j], low_[j])) {
                return tell(j, "outside of the user's range");
            }
        }
        q_ = q;
        dq_ = dq;
        ddq_ = ddq;
        return "";
    }
    static std::string tell(std::size_t j, const char* what) {
        return "joint " + std::to_string(j + 1) + ": " + what;
    }

    JointArray q_;
    JointArray dq_{};
    JointArray ddq_{};
    JointArray low_;
    JointArray high_;
    bool begun_ = false;  // lost cycles count from the first command on
};

}  // namespace rti::test
