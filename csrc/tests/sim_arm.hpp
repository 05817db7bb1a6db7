// Ways to drive a simulated arm in the tests.
#pragma once

#include <algorithm>

#include "arms/sim_fr3.hpp"

namespace rti {

inline SimFr3Config virtual_time() {
    SimFr3Config config;
    config.pacing = Pacing::kVirtual;
    return config;
}

// Reads a state and answers it with the same position: an arm at rest stays at rest.
inline bool hold(SimFr3& arm, ArmState& state) {
    return arm.read(state) && arm.write({state.q_d, false});
}

// Brings joint 1 to `velocity_rad_s` at 2 rad/s², from whatever the arm says it is doing.
inline ArmCommand towards(double velocity_rad_s, const ArmState& state) {
    constexpr double kStep_rad_s = 2.0 * kCycle_s;
    const double change = velocity_rad_s - state.dq_d[0];
    ArmCommand command{state.q_d, false};
    command.q[0] += (state.dq_d[0] + std::clamp(change, -kStep_rad_s, kStep_rad_s)) * kCycle_s;
    return command;
}

inline bool drive(SimFr3& arm, ArmState& state, int cycles, double velocity_rad_s) {
    for (int k = 0; k < cycles; ++k) {
        if (!arm.read(state) || !arm.write(towards(velocity_rad_s, state))) return false;
    }
    return true;
}

}  // namespace rti
