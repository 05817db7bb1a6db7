// Differential inverse kinematics: round trips, ends of the range, singularities, beyond reach.
#include <doctest/doctest.h>

#include <vector>

#include "tests/following.hpp"

namespace rti {
namespace {

using test::inside;
using test::largest;
using test::random_joints;
using test::rules;
using test::share_of_speed;
using test::stroll;
using test::tip_at;

// What the hand is told of a waypoint, measured by the URDF's chain.
void check_error(const JointArray& q, const Transform& pose, const PoseError& told) {
    const test::Homogeneous tip = test::urdf_tip(q);
    double squared = 0.0;
    for (std::size_t i = 0; i < 3; ++i) squared += std::pow(tip[i][3] - pose.position[i], 2);
    CHECK(told.position_m == doctest::Approx(std::sqrt(squared)).scale(1.0).epsilon(1e-12));
}

TEST_CASE("poses that a motion of the joints goes through are followed by joints") {
    std::mt19937 random(11);
    int poses = 0;
    int missed = 0;
    for (int trial = 0; trial < 60; ++trial) {
        const std::vector<JointArray> walked = stroll(random, 100, 0.25);
        JointArray q = walked.front();
        for (const JointArray& at : walked) {
            const JointArray before = q;
            const PoseError error = follow_pose(tip_at(at), rules(), q);
            check_error(q, tip_at(at), error);
            ++poses;
            missed += error.position_m > 1e-4 || error.rotation_rad > 1e-4;
            REQUIRE(inside(q, rules().range));
            REQUIRE(share_of_speed(before, q, rules()) < 1.0 + 1e-9);
        }
    }
    // The elbow's choice is not the original's, so some poses lie behind an end of the range.
    MESSAGE(missed << " of " << poses << " poses missed");
    CHECK(missed < poses / 50);
}

TEST_CASE("a reachable pose somewhere near is met to a micrometre within a few waypoints") {
    std::mt19937 random(12);
    std::uniform_real_distribution<> nudge(-0.15, 0.15);
    int met = 0;
    constexpr int kTrials = 3000;
    for (int trial = 0; trial < kTrials; ++trial) {
        const JointArray goal = random_joints(random);
        JointArray q = goal;
        for (double& joint : q) joint += nudge(random);
        PoseError error;
        for (int i = 0; i < 20; ++i) error = follow_pose(tip_at(goal), rules(), q);
        REQUIRE(inside(q, rules().range));
        met += error.position_m < 1e-6 && error.rotation_rad < 1e-6;
    }
    MESSAGE(met << " of " << kTrials << " met");
    CHECK(met > kTrials * 98 / 100);
}

TEST_CASE("a pose that stands still leaves every joint where it is") {
    std::mt19937 random(13);
    for (int trial = 0; trial < 200; ++trial) {
        const JointArray start = random_joints(random);
        JointArray q = start;
        for (int i = 0; i < 200; ++i) follow_pose(tip_at(start), rules(), q);
        REQUIRE(largest(q, start) < 1e-7);
    }
}

TEST_CASE("a pose out of reach that stands still is settled on") {
    JointArray q = kReadyPose_rad;
    Transform pose = tip_at(kReadyPose_rad);
    pose.position = {1.4, 0.3, 0.5};
    for (int i = 0; i < 400; ++i) follow_pose(pose, rules(), q);
    const JointArray settled = q;
    for (int i = 0; i < 100; ++i) follow_pose(pose, rules(), q);
    CHECK(largest(q, settled) < 1e-4);
}

TEST_CASE("a sequence that is cut in two gives the waypoints of one that is not") {
    std::mt19937 random(14);
    const std::vector<JointArray> walked = stroll(random, 80, 0.3);
    JointArray q = walked.front();
    JointArray at_the_cut{};
    for (std::size_t i = 0; i < walked.size(); ++i) {
        follow_pose(tip_at(walked[i]), rules(), q);
        if (i == 39) at_the_cut = q;
    }
    JointArray second = at_the_cut;
    for (std::size_t i = 40; i < walked.size(); ++i)
        follow_pose(tip_at(walked[i]), rules(), second);
    CHECK(second == q);
}

TEST_CASE("going round in circles does not carry the elbow away") {
    JointArray q = kReadyPose_rad;
    const Transform centre = tip_at(kReadyPose_rad);
    std::vector<JointArray> at_the_top;
    for (int i = 0; i < 60 * 100; ++i) {
        Transform pose = centre;
        const double angle = 2.0 * M_PI * i / 60.0;
        pose.position[1] += 0.15 * std::sin(angle);
        pose.position[2] += 0.15 * (std::cos(angle) - 1.0);
        const PoseError error = follow_pose(pose, rules(), q);
        REQUIRE(error.position_m < 1e-4);
        if (i % 60 == 0) at_the_top.push_back(q);
    }
    CHECK(largest(at_the_top[99], at_the_top[98]) < 1e-6);
    CHECK(largest(at_the_top[99], kReadyPose_rad) < 0.2);
}

TEST_CASE("a hand led beyond reach stretches the arm, follows along, and comes back") {
    const FollowRules by = rules();
    JointArray q = kReadyPose_rad;
    const Transform home = tip_at(kReadyPose_rad);
    double furthest = 0.0;
    double fastest = 0.0;
    PoseError error;
    for (int i = 0; i <= 400; ++i) {
        Transform pose = home;
        // Out to 1.3 m and back, with a swing to the side while it is out of reach.
        const double out = 0.5 * (1.0 - std::cos(2.0 * M_PI * i / 400.0));
        pose.position[0] += out;
        pose.position[1] += 0.3 * std::sin(2.0 * M_PI * i / 400.0);
        const JointArray before = q;
        error = follow_pose(pose, by, q);
        furthest = std::max(furthest, error.position_m);
        fastest = std::max(fastest, share_of_speed(before, q, by));
        REQUIRE(inside(q, by.range));
    }
    MESSAGE("furthest " << furthest << " m, at most " << fastest << " of the joints' speed");
    CHECK(furthest > 0.3);
    CHECK(fastest <= 1.0 + 1e-9);
    CHECK(error.position_m < 1e-4);
    CHECK(largest(q, kReadyPose_rad) < 0.5);
}

TEST_CASE("beyond reach the waypoint is as near as the arm can come") {
    // The hand's axis kept pointing down, a metre and a half away: no waypoint nearby is better.
    JointArray q = kReadyPose_rad;
    Transform pose = tip_at(kReadyPose_rad);
    pose.position[0] = 1.5;
    PoseError error;
    for (int i = 0; i < 300; ++i) error = follow_pose(pose, rules(), q);
    const double weight = 0.2;
    const double reached = std::hypot(error.position_m, weight * error.rotation_rad);
    std::mt19937 random(15);
    std::normal_distribution<> normal(0.0, 0.01);
    FollowRules still = rules(0.0);  // no motion: tells the error of where it is asked
    for (int i = 0; i < 2000; ++i) {
        JointArray other = q;
        for (double& joint : other) joint += normal(random);
        const PoseError there = follow_pose(pose, still, other);
        REQUIRE(std::hypot(there.position_m, weight * there.rotation_rad) > reached - 1e-5);
    }
}

TEST_CASE("near singularities no joint is asked for more than its speed, wherever the hand goes") {
    // Shoulder above the base axis, elbow as straight as it gets, wrist axis along the forearm's.
    const std::vector<JointArray> awkward = {{0.0, 0.0, 0.0, -0.2, 0.0, 0.6, 0.0},
                                             {0.5, 0.0, 0.0, -1.5, 0.0, 1.6, 0.0},
                                             {0.0, 0.6, 0.0, -0.18, 0.0, 0.57, 0.8},
                                             {0.0, -0.7, 0.0, -2.4, 0.0, 3.1, 0.0},
                                             {0.0, 0.2, 0.0, -2.9, 1.5, 3.14, 0.5}};
    std::mt19937 random(16);
    std::uniform_real_distribution<> place(-0.01, 0.01);
    const FollowRules by = rules();
    for (const JointArray& start : awkward) {
        for (int trial = 0; trial < 40; ++trial) {
            JointArray q = start;
            const Vector3 heading = {place(random), place(random), place(random)};
            const Vector3 spin = {4 * place(random), 4 * place(random), 4 * place(random)};
            Transform pose = tip_at(start);
            for (int i = 0; i < 100; ++i) {
                for (std::size_t k = 0; k < 3; ++k) pose.position[k] += heading[k];
                pose.rotation = compose(rotation_of(spin), pose.rotation);
                const JointArray before = q;
                follow_pose(pose, by, q);
                REQUIRE(inside(q, by.range));
                REQUIRE(share_of_speed(before, q, by) < 1.0 + 1e-9);
            }
        }
    }
}

TEST_CASE("poses that jump anywhere never take a joint out of its range or beyond its speed") {
    std::mt19937 random(17);
    const FollowRules by = rules();
    JointArray q = kReadyPose_rad;
    for (int i = 0; i < 5000; ++i) {
        Transform pose = tip_at(random_joints(random));
        if (i % 3 == 0) pose.position[0] += 2.0;
        const JointArray before = q;
        follow_pose(pose, by, q);
        REQUIRE(inside(q, by.range));
        REQUIRE(share_of_speed(before, q, by) < 1.0 + 1e-9);
    }
}

TEST_CASE("a joint at its end is given up and the others go on") {
    // The hand turns about its own axis until joint 7 is at its end, and further.
    JointArray q = kReadyPose_rad;
    const Transform home = tip_at(kReadyPose_rad);
    const FollowRules by = rules();
    for (int i = 0; i < 200; ++i) {
        Transform pose = home;
        pose.position[1] += 0.001 * i;
        pose.rotation = compose(home.rotation, rotation_of(Vector3{0.0, 0.0, 0.015 * i}));
        follow_pose(pose, by, q);
        REQUIRE(inside(q, by.range));
    }
    CHECK(q[6] == by.range.high_rad[6]);
    // Where it points is lost, where it is need not be: joint 1 carries the hand along.
    const PoseError error = follow_pose(tip_at(q), by, q);
    CHECK(error.position_m < 1e-9);
    CHECK(test::urdf_tip(q)[1][3] == doctest::Approx(0.2).epsilon(0.1));
}

TEST_CASE("a seed beyond the range of targets is taken to its end") {
    const FollowRules by = rules();
    JointArray q = kReadyPose_rad;
    q[3] = -3.0481;
    follow_pose(tip_at(q), by, q);
    CHECK(inside(q, by.range));
}

TEST_CASE("of a pose that is not a number nothing is taken") {
    JointArray q = kReadyPose_rad;
    Transform pose = tip_at(kReadyPose_rad);
    pose.position[1] = std::nan("");
    const PoseError error = follow_pose(pose, rules(), q);
    CHECK(q == kReadyPose_rad);
    CHECK_FALSE(error.position_m < 1.0);
}

}  // namespace
}  // namespace rti
