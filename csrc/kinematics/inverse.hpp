// Differential inverse kinematics: joint waypoints that follow poses of the tool centre point.
//
// One waypoint a pose, each found from the one before: a minimum of the weighted pose error inside
// a box of joint angles, which is the range that targets may use together with what the joints can
// do in one step. So the core has nothing to clamp, and a pose that jumps, that lies beyond reach
// or behind a singularity costs pose error, which is told, and never a jump of a joint.
//
// The seventh freedom, the elbow, is pulled towards a posture, and (by default) only while the hand
// moves: a pose that stands still leaves every joint where it is. Nothing is remembered between two
// calls but the joint angles, so a sequence cut in two gives the same waypoints as one that is not.
//
// No allocation, nothing thrown; any thread.
#pragma once

#include "kinematics/forward.hpp"
#include "kinematics/fr3_geometry.hpp"

namespace rti {

// Where targets may be and how fast they may go there.
struct JointRange {
    JointArray low_rad{};
    JointArray high_rad{};
    JointArray speed_rad_s{};
};

struct FollowRules {
    JointRange range{};
    Transform tool{};  // the TCP in the flange's frame
    double step_s = 0.0;
    // Where the elbow is pulled to: by this share of the way there in one step, and by no more than
    // a share of what the hand's own motion asks of the joints, plus this (norm over the joints).
    JointArray posture_rad = kReadyPose_rad;
    double pull = 0.1;
    double free_elbow_rad = 0.0;
};

// What is left between a waypoint and its pose.
struct PoseError {
    double position_m = 0.0;
    double rotation_rad = 0.0;
};

// Moves `q_rad`, the waypoint before, to the one for `tip` (the TCP in the base frame). Angles that
// are outside the range are taken to its end first, however far that is in one step.
PoseError follow_pose(const Transform& tip, const FollowRules& rules, JointArray& q_rad) noexcept;

}  // namespace rti
