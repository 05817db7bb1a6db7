// What the tests of the fence share: a box with a floor, policies that lead the hand along a line,
// and how low it went, by the URDF's own chain of joints.
#pragma once

#include <memory>
#include <vector>

#include "tests/following.hpp"
#include "tests/motion_rig.hpp"

namespace rti::test {

inline Box floor_at(double z) {
    Box box;
    box.min_m[2] = z;
    return box;
}

inline StepperConfig fenced(const Box& box, double fps = 30.0) {
    StepperConfig config{.fps = fps};
    config.box = box;
    config.tool = hand_tool();
    return config;
}

// The hand led from the ready pose in a straight line, once up to speed, with its tool turned as it
// is; held where `travel` ends.
inline Policy led(const Vector3& heading, double speed_m_s, double fps, double travel_m) {
    auto waypoints = std::make_shared<std::vector<JointArray>>();
    const Transform home = tip_at(ready());
    FollowRules by = rules(1.0 / fps);
    JointArray q = ready();
    double gone = 0.0;
    for (int i = 0; gone < travel_m; ++i) {
        Transform pose = home;
        for (std::size_t k = 0; k < 3; ++k) pose.position[k] += gone * heading[k];
        follow_pose(pose, by, q);
        waypoints->push_back(q);
        gone += std::min(1.0, i / (0.3 * fps)) * speed_m_s / fps;
    }
    return [waypoints](double step) {
        const double last = static_cast<double>(waypoints->size() - 1);
        const double at = std::clamp(step, 0.0, last - 1e-9);
        const auto i = static_cast<std::size_t>(at);
        const double share = at - static_cast<double>(i);
        JointArray between = (*waypoints)[i];
        for (std::size_t j = 0; j < kDof; ++j) {
            between[j] += share * ((*waypoints)[i + 1][j] - between[j]);
        }
        return between;
    };
}

// Lowest of flange and tool.
inline double height(const JointArray& q) {
    return std::min(urdf_tip(q)[2][3], urdf_flange(q)[2][3]);
}

// Of every fifth command: 5 ms are nothing where the hand turns around.
inline double lowest(const Rig& rig) {
    double least = height(rig.commands.front());
    for (std::size_t i = 0; i < rig.commands.size(); i += 5) {
        least = std::min(least, height(rig.commands[i]));
    }
    return least;
}

}  // namespace rti::test
