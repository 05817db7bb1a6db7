// Poses: a rotation matrix and a place, and the other two ways to write a rotation down.
//
// A rotation vector is axis times angle [rad]; a quaternion has its scalar last (x, y, z, w), as
// ROS and LeRobot write it. Both ways lead through the quaternion, whose conversions keep their
// digits at every angle: near 0, where the axis is lost, and near pi, where its sign is.
// (Shepperd, "Quaternion from rotation matrix", 1978; Grassia, "Practical parameterization of
// rotations using the exponential map", 1998.) Plain values; any thread.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>

namespace rti {

using Vector3 = std::array<double, 3>;
using Quaternion = std::array<double, 4>;  // x, y, z, w
using Matrix3 = std::array<Vector3, 3>;    // rows

// Where something is and how it is turned, seen from a frame below it.
struct Transform {
    Matrix3 rotation{{{1.0, 0.0, 0.0}, {0.0, 1.0, 0.0}, {0.0, 0.0, 1.0}}};
    Vector3 position{};  // m
};

inline double norm(const Vector3& v) noexcept {
    return std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
}

inline Vector3 cross(const Vector3& a, const Vector3& b) noexcept {
    return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

inline Vector3 turn(const Matrix3& by, const Vector3& v) noexcept {
    Vector3 out;
    for (std::size_t i = 0; i < 3; ++i)
        out[i] = by[i][0] * v[0] + by[i][1] * v[1] + by[i][2] * v[2];
    return out;
}

// a · b: first b, then a.
inline Matrix3 compose(const Matrix3& a, const Matrix3& b) noexcept {
    Matrix3 out;
    for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t k = 0; k < 3; ++k) {
            out[i][k] = a[i][0] * b[0][k] + a[i][1] * b[1][k] + a[i][2] * b[2][k];
        }
    }
    return out;
}

inline Matrix3 transposed(const Matrix3& m) noexcept {
    return {
        {{m[0][0], m[1][0], m[2][0]}, {m[0][1], m[1][1], m[2][1]}, {m[0][2], m[1][2], m[2][2]}}};
}

// A point given in the frame of `pose`, seen from the frame below it.
inline Vector3 apply(const Transform& pose, const Vector3& point) noexcept {
    const Vector3 turned = turn(pose.rotation, point);
    return {turned[0] + pose.position[0], turned[1] + pose.position[1],
            turned[2] + pose.position[2]};
}

inline Transform compose(const Transform& a, const Transform& b) noexcept {
    return {compose(a.rotation, b.rotation), apply(a, b.position)};
}

inline Matrix3 rotation_of(const Quaternion& quaternion) noexcept {
    const auto [x, y, z, w] = quaternion;
    // Written for any length, so that a rounded quaternion still gives a rotation.
    const double s = 2.0 / (x * x + y * y + z * z + w * w);
    return {{{1.0 - s * (y * y + z * z), s * (x * y - z * w), s * (x * z + y * w)},
             {s * (x * y + z * w), 1.0 - s * (x * x + z * z), s * (y * z - x * w)},
             {s * (x * z - y * w), s * (y * z + x * w), 1.0 - s * (x * x + y * y)}}};
}

// The one of the two unit quaternions with w >= 0.
inline Quaternion quaternion_of(const Matrix3& m) noexcept {
    const double trace = m[0][0] + m[1][1] + m[2][2];
    Quaternion q;
    if (trace > 0.0) {
        q = {m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1], 1.0 + trace};
    } else {
        // Through the greatest of the other three: no difference of equals is divided by.
        const std::size_t i =
            m[0][0] >= m[1][1] ? (m[0][0] >= m[2][2] ? 0 : 2) : (m[1][1] >= m[2][2] ? 1 : 2);
        const std::size_t j = (i + 1) % 3;
        const std::size_t k = (i + 2) % 3;
        q[i] = 1.0 + m[i][i] - m[j][j] - m[k][k];
        q[j] = m[j][i] + m[i][j];
        q[k] = m[k][i] + m[i][k];
        q[3] = m[k][j] - m[j][k];
    }
    const double length = std::sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
    const double scale = (q[3] < 0.0 ? -1.0 : 1.0) / length;
    for (double& part : q) part *= scale;
    return q;
}

inline Matrix3 rotation_of(const Vector3& rotation_vector) noexcept {
    const double angle = norm(rotation_vector);
    // sin(angle / 2) / angle, by its series where the quotient is 0 / 0.
    const double ratio = angle < 1e-4 ? 0.5 - angle * angle / 48.0 : std::sin(0.5 * angle) / angle;
    return rotation_of(Quaternion{ratio * rotation_vector[0], ratio * rotation_vector[1],
                                  ratio * rotation_vector[2], std::cos(0.5 * angle)});
}

// The shortest one: its length is at most pi.
inline Vector3 rotation_vector_of(const Matrix3& rotation) noexcept {
    const auto [x, y, z, w] = quaternion_of(rotation);
    const double half_sine = norm({x, y, z});
    const double ratio = half_sine < 1e-8 ? 2.0 / w : 2.0 * std::atan2(half_sine, w) / half_sine;
    return {ratio * x, ratio * y, ratio * z};
}

// Fixed axes, x first, as a URDF's rpy: Rz(yaw) · Ry(pitch) · Rx(roll).
inline Matrix3 rotation_of_rpy(double roll, double pitch, double yaw) noexcept {
    const Matrix3 about_x = rotation_of(Vector3{roll, 0.0, 0.0});
    const Matrix3 about_y = rotation_of(Vector3{0.0, pitch, 0.0});
    const Matrix3 about_z = rotation_of(Vector3{0.0, 0.0, yaw});
    return compose(about_z, compose(about_y, about_x));
}

// x, y, z [m], roll, pitch, yaw [rad]: how a pose is written on the command line.
inline Transform transform_of(const std::array<double, 6>& xyz_rpy) noexcept {
    return {rotation_of_rpy(xyz_rpy[3], xyz_rpy[4], xyz_rpy[5]),
            {xyz_rpy[0], xyz_rpy[1], xyz_rpy[2]}};
}

}  // namespace rti
