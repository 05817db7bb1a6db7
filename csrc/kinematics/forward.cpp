#include "kinematics/forward.hpp"

#include "kinematics/fr3_geometry.hpp"

namespace rti {
namespace {

// pose · Rx(alpha) · Tx(a) · Rz(q) · Tz(d), column by column: a quarter turn about x only swaps the
// other two axes.
Transform next_frame(const Transform& pose, const LinkGeometry& link, double q_rad) noexcept {
    const double c = std::cos(q_rad);
    const double s = std::sin(q_rad);
    Transform next;
    for (std::size_t i = 0; i < 3; ++i) {
        const Vector3& row = pose.rotation[i];
        const double y = link.alpha_quarter_turns == 0 ? row[1] : link.alpha_quarter_turns * row[2];
        const double z =
            link.alpha_quarter_turns == 0 ? row[2] : -link.alpha_quarter_turns * row[1];
        next.rotation[i] = {c * row[0] + s * y, c * y - s * row[0], z};
        next.position[i] = pose.position[i] + link.a_m * row[0] + link.d_m * z;
    }
    return next;
}

// A point of the frame behind the joint, seen from the frame before it: the same transform, from
// the other end.
Vector3 seen_before(const LinkGeometry& link, double c, double s, const Vector3& point) noexcept {
    const double x = c * point[0] - s * point[1] + link.a_m;
    const double y = s * point[0] + c * point[1];
    const double z = point[2] + link.d_m;
    if (link.alpha_quarter_turns == 0) return {x, y, z};
    return {x, -link.alpha_quarter_turns * z, link.alpha_quarter_turns * y};
}

}  // namespace

JointFrames joint_frames(const JointArray& q_rad) noexcept {
    JointFrames frames;
    Transform pose;
    for (std::size_t j = 0; j < kDof; ++j) {
        pose = next_frame(pose, kFr3Links[j], q_rad[j]);
        frames[j] = pose;
    }
    return frames;
}

Transform flange_of(const JointFrames& frames) noexcept {
    Transform flange = frames[kDof - 1];
    for (std::size_t i = 0; i < 3; ++i) flange.position[i] += kFr3Flange_m * flange.rotation[i][2];
    return flange;
}

Transform flange_pose(const JointArray& q_rad) noexcept {
    return flange_of(joint_frames(q_rad));
}

Jacobian jacobian(const JointFrames& frames, const Vector3& tip_m) noexcept {
    Jacobian out;
    for (std::size_t j = 0; j < kDof; ++j) {
        const Transform& frame = frames[j];
        const Vector3 axis = {frame.rotation[0][2], frame.rotation[1][2], frame.rotation[2][2]};
        const Vector3 lever = {tip_m[0] - frame.position[0], tip_m[1] - frame.position[1],
                               tip_m[2] - frame.position[2]};
        const Vector3 moved = cross(axis, lever);
        for (std::size_t i = 0; i < 3; ++i) {
            out[i][j] = moved[i];
            out[i + 3][j] = axis[i];
        }
    }
    return out;
}

// From the hand to the base: two points are less work than the frames they are in.
HandPoints hand_points(const JointArray& q_rad, const Transform& tool) noexcept {
    HandPoints hand{.flange_m = {0.0, 0.0, kFr3Flange_m}, .tip_m = tool.position};
    hand.tip_m[2] += kFr3Flange_m;
    for (std::size_t j = kDof; j-- > 0;) {
        const double c = std::cos(q_rad[j]);
        const double s = std::sin(q_rad[j]);
        hand.flange_m = seen_before(kFr3Links[j], c, s, hand.flange_m);
        hand.tip_m = seen_before(kFr3Links[j], c, s, hand.tip_m);
    }
    return hand;
}

}  // namespace rti
