// The FR3's forward kinematics a second time, from the joint origins of its URDF (xyz, rpy) by
// products of homogeneous matrices: shares no number and no line with csrc/kinematics.
#pragma once

#include <array>
#include <cmath>
#include <random>

#include "kinematics/forward.hpp"
#include "motion/target_range.hpp"

namespace rti::test {

using Homogeneous = std::array<std::array<double, 4>, 4>;

inline Homogeneous product(const Homogeneous& a, const Homogeneous& b) {
    Homogeneous out{};
    for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t k = 0; k < 4; ++k) {
            for (std::size_t n = 0; n < 4; ++n) out[i][k] += a[i][n] * b[n][k];
        }
    }
    return out;
}

inline Homogeneous shifted(double x, double y, double z) {
    return {{{1, 0, 0, x}, {0, 1, 0, y}, {0, 0, 1, z}, {0, 0, 0, 1}}};
}

inline Homogeneous rolled(double angle) {
    const double c = std::cos(angle);
    const double s = std::sin(angle);
    return {{{1, 0, 0, 0}, {0, c, -s, 0}, {0, s, c, 0}, {0, 0, 0, 1}}};
}

inline Homogeneous yawed(double angle) {
    const double c = std::cos(angle);
    const double s = std::sin(angle);
    return {{{c, -s, 0, 0}, {s, c, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}};
}

inline Homogeneous urdf_flange(const JointArray& q) {
    struct Origin {
        double x, y, z, roll;
    };
    const double quarter = M_PI / 2.0;
    const std::array<Origin, 8> origins = {{{0, 0, 0.333, 0},
                                            {0, 0, 0, -quarter},
                                            {0, -0.316, 0, quarter},
                                            {0.0825, 0, 0, quarter},
                                            {-0.0825, 0.384, 0, -quarter},
                                            {0, 0, 0, quarter},
                                            {0.088, 0, 0, quarter},
                                            {0, 0, 0.107, 0}}};
    Homogeneous pose = shifted(0, 0, 0);
    for (std::size_t i = 0; i < origins.size(); ++i) {
        const Origin& o = origins[i];
        pose = product(pose, product(shifted(o.x, o.y, o.z), rolled(o.roll)));
        if (i < kDof) pose = product(pose, yawed(q[i]));
    }
    return pose;
}

// The Franka hand's tool point.
inline Homogeneous urdf_tip(const JointArray& q) {
    return product(urdf_flange(q), product(shifted(0, 0, 0.1034), yawed(-M_PI / 4.0)));
}

inline Transform hand_tool() {
    return {rotation_of_rpy(0.0, 0.0, -M_PI / 4.0), {0.0, 0.0, 0.1034}};
}

inline double difference(const Transform& a, const Homogeneous& b) {
    double worst = 0.0;
    for (std::size_t i = 0; i < 3; ++i) {
        worst = std::max(worst, std::abs(a.position[i] - b[i][3]));
        for (std::size_t k = 0; k < 3; ++k) {
            worst = std::max(worst, std::abs(a.rotation[i][k] - b[i][k]));
        }
    }
    return worst;
}

// Joint angles anywhere in the range of targets.
inline JointArray random_joints(std::mt19937& random) {
    const JointRange range = target_range(MotionLimits::fr3());
    JointArray q;
    for (std::size_t j = 0; j < kDof; ++j) {
        q[j] = std::uniform_real_distribution<>(range.low_rad[j], range.high_rad[j])(random);
    }
    return q;
}

}  // namespace rti::test
