// What a policy in range may expect: its curve, at its pace, with nothing for the limiter to do.
//
// Sines, minimum-jerk reaches between random poses; 10, 30 and 50 Hz; answers that take always the
// same time or anything up to what the spare steps allow. The ideal curve is the policy's own,
// evaluated here at the time that has passed, less the delay once and for all.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "tests/motion_rig.hpp"

namespace rti {
namespace {

using test::Rig;

// Rest to rest between random poses around ready(), one reach after the other, by the shape of
// Flash & Hogan (1985): 10 u³ - 15 u⁴ + 6 u⁵. Peak velocity 1.875 and acceleration 5.77 of the
// unit reach.
test::Policy reaches(double fps) {
    constexpr int kReaches = 16;
    constexpr double kReach_s = 1.2;
    std::mt19937 generator(23);
    std::uniform_real_distribution<double> offset(-0.4, 0.4);
    std::vector<JointArray> poses(kReaches + 1, test::ready());
    for (std::size_t i = 1; i < poses.size(); ++i) {
        for (double& joint : poses[i]) joint += offset(generator);
    }
    return [=](double step) {
        const double reach = std::clamp(step / fps / kReach_s, 0.0, kReaches - 1e-9);
        const auto i = static_cast<std::size_t>(reach);
        const double u = reach - static_cast<double>(i);
        const double share = u * u * u * (10.0 + u * (6.0 * u - 15.0));
        JointArray q = poses[i];
        for (std::size_t j = 0; j < kDof; ++j) q[j] += share * (poses[i + 1][j] - q[j]);
        return q;
    };
}

struct Followed {
    double rms_rad;
    double delay_steps;
    Progress counts;
};

// Follows `policy` for 15 s of chunks of 50 actions asked for when `threshold` of one is left; an
// answer takes from `least` to `most` cycles.
Followed follow(const test::Policy& policy, double fps, double tolerance_rad, int least, int most) {
    StepperConfig config;
    config.fps = fps;
    config.tolerance_rad = tolerance_rad;
    Rig rig(config);
    std::mt19937 generator(5);
    std::uniform_int_distribution<int> takes(least, most);
    REQUIRE(rig.run(10));
    std::vector<double> time_s;
    std::vector<double> step;
    std::vector<JointArray> command;
    for (int i = 0; i < 15'000; ++i) {
        REQUIRE(rig.follow(policy, 1, 50, 0.5, takes(generator)));
        if (rig.progress().phase != RTI_PHASE_FOLLOW) continue;
        time_s.push_back(1e-3 * i);
        step.push_back(rig.progress().policy_step);
        command.push_back(rig.commands.back());
    }
    REQUIRE(time_s.size() > 14'000);
    // Once it is at its pace the clock is this far behind one that had run from the first cycle.
    const double delay = (time_s.back() - time_s.front()) * fps - (step.back() - step.front());
    double squares = 0.0;
    for (std::size_t i = 0; i < command.size(); ++i) {
        const double ideal = step.front() + (time_s[i] - time_s.front()) * fps - delay;
        const double away = distance(command[i], policy(std::max(ideal, 0.0)));
        squares += away * away;
    }
    return {std::sqrt(squares / static_cast<double>(command.size())), delay, rig.progress()};
}

TEST_CASE("in-range streams are followed at their pace, within a milliradian, untouched") {
    for (const double fps : {10.0, 30.0, 50.0}) {
        const int step_cycles = static_cast<int>(1000.0 / fps);
        for (const bool reach : {false, true}) {
            const test::Policy policy = reach ? reaches(fps) : test::sine(0.3, 0.5, fps);
            for (const int most : {2, 20}) {  // of 25 spare steps
                for (const double tolerance_rad : {0.0, 0.004}) {
                    CAPTURE(fps);
                    CAPTURE(reach);
                    CAPTURE(most);
                    CAPTURE(tolerance_rad);
                    const Followed run =
                        follow(policy, fps, tolerance_rad, 2 * step_cycles, most * step_cycles);
                    CHECK(run.rms_rad < 1e-3);
                    CHECK(run.delay_steps <= 1.0);
                    CHECK(run.counts.limiter_interventions == 0);
                    CHECK(run.counts.slowed_cycles == 0);
                    CHECK(run.counts.holds == 0);
                    CHECK(run.counts.bridges_lengthened + run.counts.splices_delayed == 0);
                }
            }
        }
    }
}

}  // namespace
}  // namespace rti
