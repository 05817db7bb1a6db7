// The FR3's geometry: the one table that everything here is computed from.
//
// Source: Franka's "Robot and interface specifications", section "Denavit-Hartenberg parameters"
// (frankarobotics.github.io/docs), Craig's convention: frame i is reached from frame i - 1 by
// Rx(alpha) · Tx(a) · Rz(q_i) · Tz(d). All twists are quarter turns, so they are counted, not
// rounded. The hand's tool point is its NE_T_EE: 0.1034 m beyond the flange, turned by -45 degrees.
#pragma once

#include <array>

#include "arms/arm.hpp"

namespace rti {

struct LinkGeometry {
    double a_m;               // along x of the frame before
    int alpha_quarter_turns;  // about it
    double d_m;               // along z of the joint's own frame
};

inline constexpr std::array<LinkGeometry, 7> kFr3Links = {{
    {.a_m = 0.0, .alpha_quarter_turns = 0, .d_m = 0.333},
    {.a_m = 0.0, .alpha_quarter_turns = -1, .d_m = 0.0},
    {.a_m = 0.0, .alpha_quarter_turns = 1, .d_m = 0.316},
    {.a_m = 0.0825, .alpha_quarter_turns = 1, .d_m = 0.0},
    {.a_m = -0.0825, .alpha_quarter_turns = -1, .d_m = 0.384},
    {.a_m = 0.0, .alpha_quarter_turns = 1, .d_m = 0.0},
    {.a_m = 0.088, .alpha_quarter_turns = 1, .d_m = 0.0},
}};
inline constexpr double kFr3Flange_m = 0.107;  // along z of the last joint's frame

// Franka's "ready" pose: elbow up, hand pointing down [rad].
inline constexpr JointArray kReadyPose_rad = {
    0.0, -0.7853981633974483, 0.0, -2.356194490192345, 0.0, 1.5707963267948966, 0.7853981633974483};

}  // namespace rti
