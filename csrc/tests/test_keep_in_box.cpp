// Waypoints kept inside the workspace box, by the URDF's own chain of joints.
#include <doctest/doctest.h>

#include <vector>

#include "kinematics/keep_in_box.hpp"
#include "tests/following.hpp"

namespace rti {
namespace {

using test::inside;
using test::largest;
using test::rules;
using test::share_of_speed;
using test::stroll;
using test::tip_at;

Box floor_at(double z) {
    Box box;
    box.min_m[2] = z;
    return box;
}

double lowest(const JointArray& q) {
    return std::min(test::urdf_tip(q)[2][3], test::urdf_flange(q)[2][3]);
}

TEST_CASE("waypoints well inside the box are left alone to the last bit") {
    std::mt19937 random(18);
    std::vector<JointArray> walked = stroll(random, 200, 0.3);
    const std::vector<JointArray> before = walked;
    CHECK(keep_in_box(walked, walked.front(), Box{}, rules()) == 0);
    CHECK(walked == before);
}

// Straight down from the ready pose to `depth` below z = 0, and up again.
std::vector<JointArray> dive(double depth, int steps) {
    JointArray q = kReadyPose_rad;
    std::vector<JointArray> out;
    const Transform home = tip_at(kReadyPose_rad);
    for (int i = 0; i < steps; ++i) {
        Transform pose = home;
        pose.position[2] -=
            (home.position[2] + depth) * 0.5 * (1.0 - std::cos(2.0 * M_PI * i / (steps - 1)));
        pose.position[1] += 0.1 * std::sin(2.0 * M_PI * i / (steps - 1));
        follow_pose(pose, rules(), q);
        out.push_back(q);
    }
    return out;
}

TEST_CASE("a policy that dives through the floor slides along it, five millimetres above") {
    const std::vector<JointArray> asked = dive(0.15, 120);
    std::vector<JointArray> kept = asked;
    const std::size_t replaced = keep_in_box(kept, kept.front(), floor_at(0.05), rules());
    std::size_t below = 0;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        below += lowest(asked[i]) < 0.05 + kTargetRoom_m;
        REQUIRE(lowest(kept[i]) > 0.05 + kTargetRoom_m - 1e-6);
        // Sideways it goes where the policy wants it.
        CHECK(std::abs(test::urdf_tip(kept[i])[1][3] - test::urdf_tip(asked[i])[1][3]) < 1e-4);
        // Into the box's edge, along it, and back to the policy's own waypoints: nowhere a jump.
        if (i > 0) REQUIRE(share_of_speed(kept[i - 1], kept[i], rules()) < 1.0 + 1e-9);
    }
    CHECK(below > 20);
    CHECK(replaced == below);
}

TEST_CASE("a policy that stays below the floor is held still above it") {
    std::vector<JointArray> asked = dive(0.15, 120);
    asked.resize(60);
    asked.resize(160, asked.back());
    keep_in_box(asked, asked.front(), floor_at(0.05), rules());
    CHECK(largest(asked[159], asked[140]) < 1e-6);
}

TEST_CASE("where the box leaves no way in the last waypoint is repeated") {
    // A floor that the arm cannot get above, once it is asked to go below it.
    std::vector<JointArray> asked = dive(0.15, 120);
    Box thin = floor_at(0.05);
    thin.max_m[2] = 0.1;  // the hand is longer than the box is high
    const JointArray before = kReadyPose_rad;
    const std::size_t replaced = keep_in_box(asked, before, thin, rules());
    CHECK(replaced == asked.size());
    for (std::size_t i = 0; i < asked.size(); ++i) {
        // The arm starts outside: nothing may lead further out.
        const JointArray& last = i == 0 ? before : asked[i - 1];
        REQUIRE(thin.outside(hand_points(asked[i], test::hand_tool())) <=
                thin.outside(hand_points(last, test::hand_tool())) + 1e-12);
    }
}

TEST_CASE("an arm that starts outside of the box is led in") {
    std::vector<JointArray> asked(60, kReadyPose_rad);
    Box box;
    box.min_m[0] = 0.45;  // the ready pose has the hand at 0.31
    CHECK(keep_in_box(asked, kReadyPose_rad, box, rules()) == 60);
    CHECK(box.outside(hand_points(asked.back(), test::hand_tool())) <= -kTargetRoom_m + 1e-6);
    CHECK(share_of_speed(kReadyPose_rad, asked.front(), rules()) < 1.0 + 1e-9);
}

}  // namespace
}  // namespace rti
