// What the stepper and the arm count about the beauty of a motion, against sums taken here.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tests/motion_rig.hpp"

namespace rti {
namespace {

using test::Rig;

// Chunks that agree with each other, and from `disagree_at` cycles on are `off` rad elsewhere.
struct Watched {
    explicit Watched(const StepperConfig& config) : rig(config) {}

    // Delivers a chunk captured now in `delay` cycles; the sums are of what the stepper should see.
    void play(const test::Policy& policy, std::uint32_t count, int delay, int length) {
        if (!rig.started) REQUIRE(rig.cycle());
        const std::vector<rti_action> chunk = rig.observe(policy, count);
        for (int i = 0; i < length; ++i) {
            if (i == delay) rig.deliver(chunk);
            REQUIRE(rig.cycle());
            watch();
            // plan() came after the command: from the next cycle on it is the new chunk's.
            if (rig.progress().chunk_id == chunk[0].chunk_id) followed = chunk;
        }
    }

    void watch() {
        if (followed.empty()) return;
        const Progress& now = rig.progress();
        if (now.phase == RTI_PHASE_HOLD && held) return;  // the cycle that comes to rest counts
        held = now.phase == RTI_PHASE_HOLD;
        ++cycles;
        const double local = std::max(0.0, now.policy_step - followed[0].origin_step);
        const std::size_t last = followed.size() - 1;
        const std::size_t i = std::min(static_cast<std::size_t>(local), last);
        const std::size_t k = std::min(i + 1, last);
        const double share = std::min(1.0, local - static_cast<double>(i));
        double worst = 0.0;
        for (std::size_t j = 0; j < kDof; ++j) {
            const double own =
                (1.0 - share) * followed[i].values[j] + share * followed[k].values[j];
            worst = std::max(worst, std::abs(rig.commands.back()[j] - own));
        }
        squares += worst * worst;
        if (!held) lost_s += 0.001 * (1.0 - now.policy_rate / (30.0 * rig.config.speed));
    }

    Rig rig;
    std::vector<rti_action> followed;
    bool held = false;
    std::uint64_t cycles = 0;
    double squares = 0.0;
    double lost_s = 0.0;
};

test::Policy wave_off_by(double off) {
    return [off](double step) {
        JointArray q = test::ready();
        q[2] += 0.2 * (1.0 - std::cos(0.1 * step)) + off;
        q[5] += 0.1 * std::sin(0.1 * step) - 0.5 * off;
        return q;
    };
}

TEST_CASE("the distance from the policy's path is of the worst joint to its own actions") {
    for (int rule = 0; rule < kAggregates; ++rule) {
        CAPTURE(rule);
        StepperConfig config;
        config.aggregate = static_cast<Aggregate>(rule);
        Watched run(config);
        run.play(wave_off_by(0.0), 50, 5, 900);
        run.play(wave_off_by(0.03), 50, 100, 700);
        run.play(wave_off_by(-0.02), 50, 100, 3000);
        const Progress& told = run.rig.progress();
        CHECK(told.holds == 1);
        CHECK(told.followed_cycles == run.cycles);
        CHECK(told.policy_distance_squared_sum == doctest::Approx(run.squares).epsilon(1e-9));
        // Between the millimetre that a curve differs from straight lines and the disagreement.
        const double rms = std::sqrt(run.squares / static_cast<double>(run.cycles));
        CHECK(rms > 0.001);
        CHECK(rms < 0.03);
    }
}

TEST_CASE("time lost to slowing is what the clock is behind its full rate while it goes") {
    for (const double speed : {1.0, 0.5}) {
        StepperConfig config;
        config.speed = speed;
        Watched run(config);
        // Too fast for the arm: 6 rad/s at full rate.
        run.play(
            [](double step) {
                JointArray q = test::ready();
                q[0] += 0.6 * (1.0 - std::cos(0.33 * step));
                return q;
            },
            60, 5, 9000);
        const Progress& told = run.rig.progress();
        CHECK(told.holds == 1);
        CHECK(told.lost_to_slowing_s == doctest::Approx(run.lost_s).epsilon(1e-9));
        // What was lost is what the steps took beyond their time; the last passes at rest, in none.
        const double took_s = 0.001 * static_cast<double>(told.followed_cycles);
        CHECK(told.lost_to_slowing_s ==
              doctest::Approx(took_s - (told.steps_executed - 1.0) / (30.0 * speed)).epsilon(1e-3));
        CHECK(told.lost_to_slowing_s > 0.3);
    }
}

TEST_CASE("a stop request loses no time to slowing") {
    Rig rig;
    REQUIRE(rig.follow(test::sine(0.3, 0.5, 30.0), 1000));
    const double before_s = rig.progress().lost_to_slowing_s;
    rig.request = Request::kRest;
    REQUIRE(rig.run(1000));
    CHECK(rig.progress().phase == RTI_PHASE_HOLD);
    CHECK(rig.progress().lost_to_slowing_s == before_s);
}

TEST_CASE("the jump at a splice is how far the new curve is from where the reference was") {
    for (const auto& [rule, share] : {std::pair{Aggregate::kLatestOnly, 1.0},
                                      {Aggregate::kWeightedAverage, 0.7},
                                      {Aggregate::kAverage, 0.5},
                                      {Aggregate::kConservative, 0.3},
                                      {Aggregate::kCrossfade, 0.0},
                                      {Aggregate::kOffsetDecay, 0.0}}) {
        CAPTURE(share);
        StepperConfig config;
        config.aggregate = rule;
        Rig rig(config);
        REQUIRE(rig.run(5));
        // From rest 0.1 rad to the first target: the policy's wish, no jump.
        rig.deliver(rig.observe(wave_off_by(0.1), 60));
        REQUIRE(rig.run(700));
        CHECK(rig.progress().splices == 1);
        CHECK(rig.progress().splice_jump_max_rad == 0.0);
        const std::vector<rti_action> chunk = rig.observe(wave_off_by(0.14), 60);
        REQUIRE(rig.run(50));
        rig.deliver(chunk);
        REQUIRE(rig.run(100));
        CHECK(rig.progress().splices == 2);
        // Beside it, what straight lines and knots elsewhere make of the wave.
        CHECK(std::abs(rig.progress().splice_jump_max_rad - 0.04 * share) < 1e-3);
        const double jump_rad = rig.progress().splice_jump_max_rad;
        rig.deliver(rig.observe(wave_off_by(0.14), 60));
        REQUIRE(rig.run(100));
        CHECK(rig.progress().splices == 3);
        CHECK(rig.progress().splice_jump_max_rad < jump_rad + 1e-4);
    }
}

TEST_CASE("the arm sums up the jerk of the commands it was given") {
    Rig rig;
    REQUIRE(rig.follow(test::sine(0.4, 0.5, 30.0), 3000));
    double squares = 0.0;
    const std::vector<JointArray>& q = rig.commands;
    for (std::size_t i = 3; i < q.size(); ++i) {
        for (std::size_t j = 0; j < kDof; ++j) {
            const double third = q[i][j] - 3.0 * q[i - 1][j] + 3.0 * q[i - 2][j] - q[i - 3][j];
            squares += third * third * 1e18 / kDof;
        }
    }
    CHECK(rig.arm.peaks().jerk_squared_sum == doctest::Approx(squares).epsilon(1e-6));
    CHECK(squares > 0.0);
}

}  // namespace
}  // namespace rti
