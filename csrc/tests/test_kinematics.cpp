// Poses and forward kinematics, against a second implementation and against differences.
#include <doctest/doctest.h>

#include "kinematics/workspace.hpp"
#include "tests/urdf_fr3.hpp"

namespace rti {
namespace {

using test::random_joints;

double distance(const Matrix3& a, const Matrix3& b) {
    double worst = 0.0;
    for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t k = 0; k < 3; ++k) worst = std::max(worst, std::abs(a[i][k] - b[i][k]));
    }
    return worst;
}

Vector3 random_axis(std::mt19937& random) {
    std::normal_distribution<> normal;
    const Vector3 v = {normal(random), normal(random), normal(random)};
    const double length = norm(v);
    return {v[0] / length, v[1] / length, v[2] / length};
}

// Rodrigues' formula, which no line of pose.hpp uses.
Matrix3 rodrigues(const Vector3& axis, double angle) {
    const Matrix3 k = {{{0, -axis[2], axis[1]}, {axis[2], 0, -axis[0]}, {-axis[1], axis[0], 0}}};
    const Matrix3 kk = compose(k, k);
    Matrix3 out{};
    for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t n = 0; n < 3; ++n) {
            out[i][n] = (i == n ? 1.0 : 0.0) + std::sin(angle) * k[i][n] +
                        2.0 * std::pow(std::sin(0.5 * angle), 2) * kk[i][n];
        }
    }
    return out;
}

TEST_CASE("a rotation vector comes back from its matrix, from no turn at all to half a turn") {
    std::mt19937 random(1);
    for (const double angle : {0.0, 1e-300, 1e-16, 1e-12, 1e-9, 1e-8, 1e-6, 9e-5, 1.1e-4, 1e-3, 0.1,
                               1.0, 2.0, 3.0, M_PI - 1e-4, M_PI - 1e-7, M_PI - 1e-9}) {
        for (int i = 0; i < 200; ++i) {
            const Vector3 axis = random_axis(random);
            const Vector3 v = {angle * axis[0], angle * axis[1], angle * axis[2]};
            const Matrix3 m = rotation_of(v);
            CHECK(distance(m, rodrigues(axis, angle)) < 2e-15);
            const Vector3 back = rotation_vector_of(m);
            // Entries of m are known to 1e-16: so is the vector, even where m is symmetric.
            CHECK(norm({back[0] - v[0], back[1] - v[1], back[2] - v[2]}) < 1e-14);
        }
    }
}

TEST_CASE("half a turn has two rotation vectors, and either of them is right") {
    std::mt19937 random(2);
    for (int i = 0; i < 200; ++i) {
        const Vector3 axis = random_axis(random);
        const Matrix3 m = rodrigues(axis, M_PI);
        const Vector3 v = rotation_vector_of(m);
        CHECK(norm(v) == doctest::Approx(M_PI).epsilon(1e-14));
        CHECK(distance(rotation_of(v), m) < 1e-14);
    }
}

TEST_CASE("a quaternion comes back from its matrix, as the one with a positive scalar") {
    std::mt19937 random(3);
    std::normal_distribution<> normal;
    for (int i = 0; i < 2000; ++i) {
        Quaternion q = {normal(random), normal(random), normal(random), normal(random)};
        // Some with a part that is exactly or nearly gone.
        q[static_cast<std::size_t>(i) % 4] *= i % 3 == 0 ? 0.0 : i % 3 == 1 ? 1e-12 : 1.0;
        double length = 0.0;
        for (const double part : q) length += part * part;
        length = std::copysign(std::sqrt(length), q[3]);
        const Quaternion back = quaternion_of(rotation_of(q));
        const bool same_sign = back[0] * q[0] + back[1] * q[1] + back[2] * q[2] > 0.0;
        // With a scalar of zero both signs are the same rotation.
        const double sign = std::abs(q[3]) < 1e-9 && same_sign != (length > 0.0) ? -1.0 : 1.0;
        for (std::size_t k = 0; k < 4; ++k) {
            CHECK(back[k] == doctest::Approx(sign * q[k] / length).epsilon(1e-12));
        }
    }
}

TEST_CASE("roll, pitch and yaw turn about fixed axes in that order") {
    const Matrix3 m = rotation_of_rpy(0.3, -0.7, 1.9);
    const Matrix3 expected = compose(
        rodrigues({0, 0, 1}, 1.9), compose(rodrigues({0, 1, 0}, -0.7), rodrigues({1, 0, 0}, 0.3)));
    CHECK(distance(m, expected) < 1e-15);
}

TEST_CASE("flange and tool are where the URDF's chain of joints puts them") {
    std::mt19937 random(4);
    for (int i = 0; i < 5000; ++i) {
        const JointArray q = random_joints(random);
        const Transform flange = flange_pose(q);
        CHECK(test::difference(flange, test::urdf_flange(q)) < 1e-14);
        CHECK(test::difference(compose(flange, test::hand_tool()), test::urdf_tip(q)) < 1e-14);
        const HandPoints hand = hand_points(q, test::hand_tool());
        for (std::size_t k = 0; k < 3; ++k) {
            CHECK(std::abs(hand.flange_m[k] - test::urdf_flange(q)[k][3]) < 1e-14);
            CHECK(std::abs(hand.tip_m[k] - test::urdf_tip(q)[k][3]) < 1e-14);
        }
    }
}

TEST_CASE("the ready pose puts the flange where Franka says") {
    const Vector3 flange = flange_pose(kReadyPose_rad).position;
    CHECK(flange[0] == doctest::Approx(0.3069).epsilon(1e-3));
    CHECK(std::abs(flange[1]) < 1e-12);
    CHECK(flange[2] == doctest::Approx(0.5903).epsilon(1e-3));
}

TEST_CASE("the Jacobian is what small motions of single joints show") {
    std::mt19937 random(5);
    constexpr double kNudge_rad = 1e-6;
    for (int i = 0; i < 200; ++i) {
        const JointArray q = random_joints(random);
        const Transform tip = compose(flange_pose(q), test::hand_tool());
        const Jacobian rows = jacobian(joint_frames(q), tip.position);
        for (std::size_t j = 0; j < kDof; ++j) {
            JointArray more = q;
            JointArray less = q;
            more[j] += kNudge_rad;
            less[j] -= kNudge_rad;
            const test::Homogeneous after = test::urdf_tip(more);
            const test::Homogeneous before = test::urdf_tip(less);
            Matrix3 spin{};
            for (std::size_t r = 0; r < 3; ++r) {
                CHECK(rows[r][j] == doctest::Approx((after[r][3] - before[r][3]) / 2 / kNudge_rad)
                                        .scale(1.0)
                                        .epsilon(1e-8));
                for (std::size_t k = 0; k < 3; ++k) {
                    spin[r][k] = (after[r][k] - before[r][k]) / 2 / kNudge_rad;
                }
            }
            spin = compose(spin, transposed(tip.rotation));  // the matrix of w x
            CHECK(rows[3][j] == doctest::Approx(spin[2][1]).scale(1.0).epsilon(1e-8));
            CHECK(rows[4][j] == doctest::Approx(spin[0][2]).scale(1.0).epsilon(1e-8));
            CHECK(rows[5][j] == doctest::Approx(spin[1][0]).scale(1.0).epsilon(1e-8));
        }
    }
}

TEST_CASE("how far a point is outside of a box is told by its worst axis") {
    Box box;
    CHECK(box.outside(Vector3{100.0, -100.0, 0.0}) < 0.0);
    box.min_m[2] = 0.1;
    CHECK(box.outside(Vector3{0.0, 0.0, 0.3}) == doctest::Approx(-0.2));
    CHECK(box.outside(Vector3{0.0, 0.0, 0.05}) == doctest::Approx(0.05));
    box.max_m[0] = 0.5;
    CHECK(box.outside(Vector3{0.9, 0.0, 0.05}) == doctest::Approx(0.4));
    CHECK(box.outside(Vector3{0.4, 0.0, 0.3}) == doctest::Approx(-0.1));
    CHECK(box.shrunk_by(0.02).outside(Vector3{0.49, 0.0, 0.3}) == doctest::Approx(0.01));
}

}  // namespace
}  // namespace rti
