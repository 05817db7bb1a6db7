// The limiter lets go: after something that it could not follow it is back on what is wanted within
// a bounded number of cycles, however that moves meanwhile, without a jump and inside the limits.
//
// What is wanted moves as the planner may ask it to, up to 9.3 rad/s². After every command each
// loss that FCI lets pass is tried out, too.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

#include "motion/limiter.hpp"
#include "tests/fci_judge.hpp"
#include "tests/motion_rig.hpp"

namespace rti {
namespace {

constexpr int kBefore = 2000;  // cycles, of a motion that is followed

// Where every joint is wanted, as displacement [rad] from the start.
using Course = std::function<double(int cycle, std::size_t joint)>;

// A sine of `hz` that swings in smoothly, on every joint as wide as planning may make it.
Course sine(double hz, double phase) {
    return [hz, phase](int cycle, std::size_t j) {
        const double omega = 2.0 * std::numbers::pi * hz;
        const double fastest = 0.9 * MotionLimits::fr3().dq_max[j] / omega;
        // To 9.3 rad/s² at most, and not to the ends of the range: ready is 0.6 rad from one.
        const double swing = std::min({0.3, fastest, 9.3 / (omega * omega)});
        const double x = std::min(1.0, cycle / 1900.0);
        const double in = x * x * x * (10.0 + x * (6.0 * x - 15.0));
        return swing * in * std::sin(omega * cycle * kCycle_s + phase);
    };
}

// There and back again, 0.4 rad as minimum-jerk moves of `for_s`, with rests between them.
Course reaches(double for_s) {
    return [for_s](int cycle, std::size_t) {
        const double t = std::fmod(cycle * kCycle_s, 3.0 * for_s) / for_s;
        const double x = t < 2.0 ? std::min(t, 1.0) : 3.0 - t;
        return 0.4 * x * x * x * (10.0 + x * (6.0 * x - 15.0));
    };
}

struct Joined {
    std::string wrong;         // with the first limit that was broken
    int after = 0;             // limited cycles from the end of the disturbance on
    int at = 0;                // the last of them, counted from there
    double astray_rad = 0.0;   // farthest from the course
    double past_rad = 0.0;     // beyond the course, seen from where it was left
    double jerk_beside = 0.0;  // rad/s³: the most that joining added to the course's own
};

// The course, and from kBefore on for `cycles` what `disturbed` makes of it.
Joined follow(const Course& course, const Course& disturbed, int cycles) {
    SimFr3Config config;
    config.pacing = Pacing::kVirtual;
    config.start_pose_rad = test::ready();
    for (std::size_t j = 0; j < kDof; ++j) config.start_pose_rad[j] += course(0, j);
    SimFr3 arm(config);
    arm.start();
    const MotionLimits limits = MotionLimits::fr3();
    test::FciJudge judge(config.start_pose_rad, limits.q_min_rad, limits.q_max_rad);
    Limiter limiter(limits);
    limiter.seed(config.start_pose_rad, JointArray{}, JointArray{});
    const int end = kBefore + cycles;
    Joined run;
    std::vector<JointArray> gaps;
    ArmState state;
    for (int i = 1; i < end + 3000; ++i) {
        if (!arm.read(state)) break;
        JointArray goal = test::ready();
        JointArray gap;
        const bool calm = i < kBefore || i >= end;
        for (std::size_t j = 0; j < kDof; ++j) goal[j] += (calm ? course : disturbed)(i, j);
        ArmCommand command;
        const bool limited = limiter.limit(goal, command.q);
        for (std::size_t j = 0; j < kDof; ++j) gap[j] = goal[j] - command.q[j];
        gaps.push_back(gap);
        if (i < kBefore && limited) run.wrong = "limited before anything happened";
        if (i >= end && limited) {
            ++run.after;
            run.at = i - end + 1;
        }
        if (run.wrong.empty()) run.wrong = judge.commanded(command.q);
        test::FciJudge lost = judge;
        for (int k = 0; k < 19 && run.wrong.empty(); ++k) run.wrong = lost.lost();
        if (!run.wrong.empty() || !arm.write(command)) break;
    }
    if (run.wrong.empty() && !arm.read(state)) run.wrong = reflex_name(state.reflex);

    const auto first = static_cast<std::size_t>(end - 1);
    for (std::size_t j = 0; j < kDof; ++j) {
        double left = 0.0;
        for (std::size_t i = first; i < gaps.size(); ++i) {
            const double gap = gaps[i][j];
            run.astray_rad = std::max(run.astray_rad, std::abs(gap));
            if (std::abs(gap) > std::abs(left)) left = gap;
            if (left * gap < 0.0) run.past_rad = std::max(run.past_rad, std::abs(gap));
            const bool joined = gap == 0.0 && (gaps[i - 1][j] != 0.0 || gaps[i - 2][j] != 0.0 ||
                                               gaps[i - 3][j] != 0.0);
            if (!joined) continue;
            const double jerk = gap - 3.0 * gaps[i - 1][j] + 3.0 * gaps[i - 2][j] - gaps[i - 3][j];
            run.jerk_beside = std::max(run.jerk_beside, std::abs(jerk) * 1e9);
        }
    }
    return run;
}

void check_joined(const Joined& run, int within) {
    CHECK(run.wrong == "");
    CHECK(run.after > 0);
    CHECK(run.at <= within);
    CHECK(run.jerk_beside <= 2500.0);
}

Course displaced(const Course& course, double by_rad) {
    return [course, by_rad](int cycle, std::size_t j) { return course(cycle, j) + by_rad; };
}

TEST_CASE("one glitch is forgotten in a fifth of a second, however what is wanted moves") {
    for (const double hz : {0.1, 0.25, 0.5, 0.7, 1.0, 1.4, 2.0}) {
        for (const double phase : {0.0, 0.8, 1.6, 2.4, 3.1, 3.9, 4.7, 5.5}) {
            for (const double glitch : {1e-5, 1e-4, 1e-3, -1e-2}) {
                CAPTURE(hz);
                CAPTURE(phase);
                CAPTURE(glitch);
                const Course course = sine(hz, phase);
                const Joined run = follow(course, displaced(course, glitch), 1);
                check_joined(run, 200);
                // Where a motion needs nearly all of the power a kick takes long to undo.
                CHECK(run.astray_rad < 5e-4);
            }
        }
    }
}

TEST_CASE("a glitch in a reach is forgotten before it ends") {
    for (const double for_s : {0.7, 1.0, 1.5, 4.0}) {
        for (const double glitch : {1e-5, 1e-4, 1e-3, 1e-2}) {
            CAPTURE(for_s);
            CAPTURE(glitch);
            const Joined run = follow(reaches(for_s), displaced(reaches(for_s), glitch), 1);
            check_joined(run, 200);
        }
    }
}

TEST_CASE("a course that goes on elsewhere is joined there, without swinging far past it") {
    for (const double hz : {0.1, 0.5, 1.0, 2.0}) {
        for (const double phase : {0.0, 1.0, 2.0, 3.0, 4.0, 5.0}) {
            for (const double away : {1e-4, 1e-3, 1e-2, 0.1}) {
                CAPTURE(hz);
                CAPTURE(phase);
                CAPTURE(away);
                // Seen from its end: it is the displaced course that is being followed.
                const Course course = sine(hz, phase);
                const Joined run = follow(course, displaced(course, away), 2000);
                check_joined(run, 800);
                CHECK(run.past_rad <= 0.2 * away + 1e-4);
            }
        }
    }
}

TEST_CASE("an impossible stretch is left as it was entered") {
    // Shaken by a millimetre, thrown far beyond the range, accelerated beyond what the arm can.
    const Course course = sine(1.0, 0.5);
    const Course shaken = [&](int cycle, std::size_t j) {
        return course(cycle, j) + (cycle % 2 == 0 ? 1e-3 : -1e-3);
    };
    const Course thrown = [](int, std::size_t j) { return j % 2 == 0 ? 5.0 : -5.0; };
    const Course hurried = [&](int cycle, std::size_t j) {
        const double t = (cycle - kBefore) * kCycle_s;
        return course(cycle, j) + 15.0 * t * t;
    };
    for (const Course& stretch : {shaken, thrown, hurried}) {
        for (const int cycles : {20, 100, 300}) {
            CAPTURE(cycles);
            check_joined(follow(course, stretch, cycles), 2500);
        }
    }
}

}  // namespace
}  // namespace rti
