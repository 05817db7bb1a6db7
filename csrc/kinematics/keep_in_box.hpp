// Joint waypoints kept inside the workspace box, before anything follows them.
//
// A waypoint that has the flange or the TCP less than kTargetRoom_m inside the box is replaced: its
// pose is shifted, by the least that brings both points in, and followed from the waypoint before
// it. The elbow stays close to the policy's own. The room is the same for every target, so where a
// policy leaves the box its waypoints slide along it and do not jump. No allocation; any thread.
#pragma once

#include <cstddef>
#include <span>

#include "kinematics/inverse.hpp"
#include "kinematics/workspace.hpp"

namespace rti {

// Returns how many were replaced. `before` is the waypoint before the first one. Where no way into
// the box is found the last waypoint is repeated. What `rules` says
// of the elbow is not read.
std::size_t keep_in_box(std::span<JointArray> waypoints, const JointArray& before, const Box& box,
                        FollowRules rules) noexcept;

}  // namespace rti
