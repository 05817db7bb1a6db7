#include "kinematics/keep_in_box.hpp"

#include <algorithm>

namespace rti {
namespace {

// How fast the elbow follows the policy's own while the hand is held inside.
constexpr double kElbowSpeed = 1.0;  // rad/s, norm over the joints

// The least shift that brings both points into the box; where it is thinner than the hand, the one
// that leaves them outside equally far.
Vector3 way_in(const Box& box, const HandPoints& hand) noexcept {
    Vector3 shift{};
    for (std::size_t i = 0; i < 3; ++i) {
        const double up = box.min_m[i] - std::min(hand.flange_m[i], hand.tip_m[i]);
        const double down = box.max_m[i] - std::max(hand.flange_m[i], hand.tip_m[i]);
        if (up > down) {
            shift[i] = 0.5 * (up + down);
        } else {
            shift[i] = std::clamp(0.0, up, down);
        }
    }
    return shift;
}

}  // namespace

std::size_t keep_in_box(std::span<JointArray> waypoints, const JointArray& before, const Box& box,
                        FollowRules rules) noexcept {
    const Box inner = box.shrunk_by(kTargetRoom_m);
    rules.pull = 1.0;
    rules.free_elbow_rad = kElbowSpeed * rules.step_s;
    JointArray last = before;
    std::size_t replaced = 0;
    for (JointArray& waypoint : waypoints) {
        const HandPoints hand = hand_points(waypoint, rules.tool);
        if (inner.outside(hand) > 0.0) {
            Transform tip = compose(flange_pose(waypoint), rules.tool);
            const Vector3 shift = way_in(inner, hand);
            for (std::size_t i = 0; i < 3; ++i) tip.position[i] += shift[i];
            JointArray pulled = last;
            rules.posture_rad = waypoint;  // so that coming back into the box is no jump
            follow_pose(tip, rules, pulled);
            // An arm that is outside itself may only come in.
            const double allowed = std::max(0.0, box.outside(hand_points(last, rules.tool)));
            waypoint = box.outside(hand_points(pulled, rules.tool)) <= allowed ? pulled : last;
            ++replaced;
        }
        last = waypoint;
    }
    return replaced;
}

}  // namespace rti
