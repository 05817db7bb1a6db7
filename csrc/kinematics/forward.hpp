// Forward kinematics of the FR3: from joint angles to where flange and tool are, and how they move.
//
// Pure functions of their arguments: no allocation, no lock, nothing thrown; any thread, the
// control loop's among them. Everything is seen from the robot's base frame (x forward, z up; m).
// A `tool` is the pose of the tool centre point (TCP) in the flange's frame.
#pragma once

#include "arms/arm.hpp"
#include "kinematics/pose.hpp"

namespace rti {

// Frame i turns about its own z axis by q_i (Craig's convention); the last carries the flange.
using JointFrames = std::array<Transform, kDof>;

// Six rows, a column for each joint: the TCP's velocity [m/s], then the tool's angular velocity
// [rad/s], both in the base frame, per rad/s of the joint.
using Jacobian = std::array<JointArray, 6>;

[[nodiscard]] JointFrames joint_frames(const JointArray& q_rad) noexcept;
[[nodiscard]] Transform flange_pose(const JointArray& q_rad) noexcept;
[[nodiscard]] Transform flange_of(const JointFrames& frames) noexcept;
[[nodiscard]] Jacobian jacobian(const JointFrames& frames, const Vector3& tip_m) noexcept;

// Where the two points of the hand are that are kept inside the workspace box.
struct HandPoints {
    Vector3 flange_m{};
    Vector3 tip_m{};
};
[[nodiscard]] HandPoints hand_points(const JointArray& q_rad, const Transform& tool) noexcept;

}  // namespace rti
