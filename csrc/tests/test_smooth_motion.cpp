// A policy whose answers tremble, followed: the arm keeps the policy's pace.
#include <doctest/doctest.h>

#include <random>

#include "tests/motion_rig.hpp"

namespace rti {
namespace {

using test::Rig;

// Steps of the policy that 10 s of a slow sine with 1 mrad of noise at 50 Hz get through, and how
// hard the arm worked for them.
struct Outcome {
    double steps;
    double acceleration_ratio;
    std::uint64_t interventions;
    double worst_rad;  // distance to the sine without its noise, from 2 s on
};

Outcome tremble(double tolerance_rad) {
    StepperConfig config;
    config.fps = 50.0;
    config.tolerance_rad = tolerance_rad;
    Rig rig(config);
    std::mt19937 generator(3);
    std::normal_distribution<double> noise(0.0, 1e-3);
    const test::Policy quiet = test::sine(0.3, 0.25, config.fps);
    const test::Policy trembling = [&](double step) {
        JointArray q = quiet(step);
        for (double& joint : q) joint += noise(generator);
        return q;
    };
    double worst_rad = 0.0;
    for (int i = 0; i < 10'000; ++i) {
        REQUIRE(rig.follow(trembling, 1, 50, 0.7));
        if (i < 2000) continue;
        const double away = distance(rig.commands.back(), quiet(rig.progress().policy_step));
        worst_rad = std::max(worst_rad, away);
    }
    return {rig.progress().policy_step, rig.arm.peaks().acceleration_ratio,
            rig.progress().limiter_interventions, worst_rad};
}

TEST_CASE("a policy that trembles by a milliradian is followed at its own pace") {
    const Outcome to_the_letter = tremble(0.0);
    const Outcome smoothed = tremble(0.004);
    CHECK(to_the_letter.steps < 350.0);  // of 500: the noise alone takes what the arm can do
    CHECK(smoothed.steps > 490.0);
    CHECK(smoothed.acceleration_ratio < 0.3);
    CHECK(smoothed.interventions == 0);
    CHECK(smoothed.worst_rad < 4e-3);
}

}  // namespace
}  // namespace rti
