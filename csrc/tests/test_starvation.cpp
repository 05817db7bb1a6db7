// How long a stop takes, against the time-optimal one along the same curve (starvation.hpp).
//
// The bar: rest within 1 mrad of the path, and in at most 1.3 times the shortest time, wherever in
// a motion of 0.5 rad/s and more the targets run out. All of it in virtual time, so it may be
// asserted.
#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <string>

#include "tests/starvation.hpp"

namespace rti {
namespace {

using test::Driven;
using test::NaturalSpline;
using test::Rig;
using test::Stop;

constexpr double kBar = 1.3;
constexpr double kFast_rad_s = 0.5;
constexpr std::array kRates = {10.0, 15.0, 30.0, 50.0, 100.0};
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr double kBetweenPhases_s = 0.29;
#else
constexpr double kBetweenPhases_s = 0.083;
#endif

struct Motion {
    std::string name;
    std::function<JointArray(double time_s)> at;  // from rest in ready()
    double until_s;                               // in full motion until then
};

// All joints together, out and back.
Motion swing(double amplitude_rad, double frequency_hz) {
    return {"a sine of " + std::to_string(amplitude_rad) + " rad",
            [=](double time_s) {
                JointArray q = test::ready();
                const double phase = 2.0 * M_PI * frequency_hz * time_s;
                for (double& joint : q) joint += 0.5 * amplitude_rad * (1.0 - std::cos(phase));
                return q;
            },
            2.5};
}

// Each joint at a frequency of its own, none above 3.2 rad/s².
Motion tumble(double first_hz, double between_hz) {
    return {"joints at frequencies of their own, from " + std::to_string(first_hz) + " Hz",
            [=](double time_s) {
                JointArray q = test::ready();
                for (std::size_t j = 0; j < kDof; ++j) {
                    const double turning =
                        2.0 * M_PI * (first_hz + between_hz * static_cast<double>(j));
                    const double amplitude = std::min(0.9, 6.4 / (turning * turning));
                    q[j] += 0.5 * amplitude * (1.0 - std::cos(turning * time_s));
                }
                return q;
            },
            2.5};
}

Motion reach(double distance_rad, double duration_s) {
    return {"a reach in " + std::to_string(duration_s) + " s",
            [=](double time_s) {
                const double u = std::min(time_s / duration_s, 1.0);
                const double share = u * u * u * (10.0 + u * (6.0 * u - 15.0));
                JointArray q = test::ready();
                for (std::size_t j = 0; j < kDof; ++j) {
                    const double way = distance_rad * (1.0 - 0.1 * static_cast<double>(j));
                    q[j] += share * (j == 1 || j == 5 ? -0.6 : 1.0) * way;
                }
                return q;
            },
            duration_s};
}

Motion straight(double speed_rad_s) {
    return {"straight at " + std::to_string(speed_rad_s) + " rad/s",
            [=](double time_s) {
                JointArray q = test::ready();
                for (std::size_t j = 0; j < kDof; ++j) {
                    q[j] += speed_rad_s * time_s * (j == 5 ? 1.0 : j == 1 ? 0.5 : 0.8);
                }
                return q;
            },
            1.6 / speed_rad_s};
}

std::vector<Motion> motions() {
    return {swing(0.8, 0.5),   swing(0.3, 1.0),     swing(0.5, 0.4), swing(1.0, 0.3),
            tumble(0.2, 0.11), tumble(0.75, -0.08), reach(0.8, 1.5), reach(0.6, 1.0),
            reach(1.0, 2.0),   straight(0.51),      straight(0.7),   straight(1.0),
            straight(1.5),     straight(2.0)};
}

std::vector<JointArray> targets_of(const Motion& motion, double fps, double duration_s) {
    std::vector<JointArray> targets;
    for (int i = 0; i < std::lround(duration_s * fps); ++i) targets.push_back(motion.at(i / fps));
    return targets;
}

// One cycle; what was driven in it, the policy's steps counted from `origin` on.
void drive(Rig& rig, double origin, std::vector<Driven>& run) {
    if (!rig.cycle()) FAIL("the arm stopped by a reflex");
    const Progress& now = rig.progress();
    run.push_back({now.policy_step - origin, now.policy_rate, rig.commands.back()});
}

// What the stops of a test have in common.
struct Tally {
    int fast = 0;
    std::vector<double> ratios;

    void add(const Stop& stop, const Rig& rig) {
        CHECK(stop.off_path_rad < 1e-3);
        CHECK(rig.progress().limiter_interventions == 0);
        if (stop.speed_rad_s < kFast_rad_s) return;
        ++fast;
        CAPTURE(stop.speed_rad_s);
        CAPTURE(stop.took_s);
        CAPTURE(stop.shortest_s);
        CHECK(stop.ratio() <= kBar);
        ratios.push_back(stop.ratio());
    }
    [[nodiscard]] double median() {
        std::sort(ratios.begin(), ratios.end());
        return ratios.at(ratios.size() / 2);
    }
};

TEST_CASE("the reference stops a straight move in its speed over 10 rad/s²") {
    const Motion motion = straight(1.0);
    const NaturalSpline curve(targets_of(motion, 30.0, 1.5));
    CHECK(test::shortest_stop_s(curve, 20.0, 30.0) == doctest::Approx(0.1).epsilon(0.02));
}

TEST_CASE("where targets run out, the arm rests on the last in 1.3 of the shortest time") {
    Tally tally;
    for (const Motion& motion : motions()) {
        for (const double fps : kRates) {
            for (double until_s = 0.4; until_s < motion.until_s; until_s += kBetweenPhases_s) {
                CAPTURE(motion.name);
                CAPTURE(fps);
                CAPTURE(until_s);
                const std::vector<JointArray> targets = targets_of(motion, fps, until_s);
                if (targets.size() < 5) continue;
                StepperConfig config;
                config.fps = fps;
                Rig rig(config);
                REQUIRE(rig.run(5));
                rig.deliver(rig.observe(
                    [&](double step) { return targets[static_cast<std::size_t>(step)]; },
                    static_cast<std::uint32_t>(targets.size())));
                std::vector<Driven> run;
                while (rig.progress().holds == 0) drive(rig, 0.0, run);
                run.back().step = static_cast<double>(targets.size() - 1);
                for (int i = 0; i < 20; ++i) drive(rig, 0.0, run);
                const Stop stop = test::measure(run, NaturalSpline(targets), targets.back());
                CHECK(stop.off_target_rad < 1e-12);
                tally.add(stop, rig);
            }
        }
    }
    CHECK(tally.fast > 200);
    CHECK(tally.median() < 1.2);
}

TEST_CASE("a stop request takes 1.3 of the shortest time at any phase of a motion") {
    Tally tally;
    for (const Motion& motion : motions()) {
        for (const double fps : kRates) {
            // Longer than any stop, so that it is the request that is braked for.
            const std::vector<JointArray> targets = targets_of(motion, fps, motion.until_s);
            const double last_s = motion.until_s - 0.7;
            for (double until_s = 0.4; until_s < last_s; until_s += 2.0 * kBetweenPhases_s) {
                CAPTURE(motion.name);
                CAPTURE(fps);
                CAPTURE(until_s);
                StepperConfig config;
                config.fps = fps;
                Rig rig(config);
                REQUIRE(rig.run(5));
                rig.deliver(rig.observe(
                    [&](double step) { return targets[static_cast<std::size_t>(step)]; },
                    static_cast<std::uint32_t>(targets.size())));
                std::vector<Driven> run;
                while (rig.progress().policy_step < until_s * fps) drive(rig, 0.0, run);
                rig.request = Request::kRest;
                while (rig.progress().policy_rate > 0.0) drive(rig, 0.0, run);
                const NaturalSpline curve(targets);
                const JointArray there = curve.at(run.back().step).q;
                for (int i = 0; i < 20; ++i) drive(rig, 0.0, run);
                tally.add(test::measure(run, curve, there), rig);
            }
        }
    }
    CHECK(tally.fast > 100);
    CHECK(tally.median() < 1.2);
}

TEST_CASE("a stream that runs dry rests on its last chunk in 1.3 of the shortest time") {
    Tally tally;
    for (const double fps : {15.0, 30.0, 50.0}) {
        for (const Motion& motion : {swing(0.8, 0.5), swing(1.0, 0.3), tumble(0.2, 0.11)}) {
            for (int phase = 0; phase < 12; ++phase) {
                CAPTURE(motion.name);
                CAPTURE(fps);
                CAPTURE(phase);
                StepperConfig config;
                config.fps = fps;
                Rig rig(config);
                const auto policy = [&](double step) { return motion.at(step / fps); };
                REQUIRE(rig.follow(policy, 1500 + 97 * phase));
                rig.in_flight.clear();
                const std::vector<rti_action> last = rig.observe(policy, 50);
                const double origin = last.front().origin_step;
                std::vector<JointArray> targets;
                for (int i = 0; i < 50; ++i) targets.push_back(policy(origin + i));
                rig.deliver(last);
                std::vector<Driven> run;
                while (rig.progress().holds == 0) drive(rig, origin, run);
                run.back().step = 49.0;
                for (int i = 0; i < 20; ++i) drive(rig, origin, run);
                CHECK(rig.progress().chunk_id == rig.chunk_id);
                tally.add(test::measure(run, NaturalSpline(targets), targets.back()), rig);
            }
        }
    }
    CHECK(tally.fast > 30);
}

}  // namespace
}  // namespace rti
