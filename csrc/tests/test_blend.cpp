// Blending: what each rule makes of targets on which an old path and a new chunk disagree.
//
// Expected values are written out here from the formulas of docs/motion.md.
#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include "motion/blend.hpp"
#include "tests/motion_rig.hpp"

namespace rti {
namespace {

using test::Rig;

constexpr std::uint32_t kOldCount = 40;
constexpr double kOldLast = 39.0;

// An old path from step 0 on and a new chunk from step 20.4 on, with nothing in common.
struct Disagreement {
    explicit Disagreement(std::uint32_t new_count) : chunk(std::make_unique<Chunk>()) {
        std::mt19937 generator(31);
        std::uniform_real_distribution<double> anywhere(-0.5, 0.5);
        std::vector<JointArray> waypoints(kOldCount);
        for (JointArray& q : waypoints) {
            for (double& joint : q) joint = anywhere(generator);
        }
        old.set_waypoints(0.0, waypoints.data(), kOldCount);
        rti_action action{};
        action.kind = RTI_RECORD_ACTION;
        action.count = new_count;
        action.origin_step = 20.4;
        action.dim = RTI_DOF;
        for (action.index = 0; action.index < new_count; ++action.index) {
            for (std::size_t j = 0; j < kDof; ++j) action.values[j] = anywhere(generator);
            chunk->take(action);
        }
    }

    [[nodiscard]] std::vector<JointArray> blended(const Blend& blend, double from_step) const {
        std::vector<JointArray> targets(chunk->targets.begin(),
                                        chunk->targets.begin() + chunk->count);
        blend_targets(blend, *chunk, old, from_step, targets.data());
        return targets;
    }
    [[nodiscard]] double step(std::size_t i) const { return 20.4 + static_cast<double>(i); }

    Path old;
    std::unique_ptr<Chunk> chunk;
};

double smoothstep(double x) {
    return x <= 0.0 ? 0.0 : x >= 1.0 ? 1.0 : 3.0 * x * x - 2.0 * x * x * x;
}

TEST_CASE("LeRobot's weights hold at the splice and fade to the old path's last target") {
    const Disagreement of(50);
    const double from = 23.0;
    for (const auto& [rule, weight] : {std::pair{Aggregate::kWeightedAverage, 0.3},
                                       {Aggregate::kAverage, 0.5},
                                       {Aggregate::kConservative, 0.7},
                                       {Aggregate::kLatestOnly, 0.0}}) {
        CAPTURE(weight);
        const auto targets = of.blended({.rule = rule}, from);
        for (std::size_t i = 0; i < targets.size(); ++i) {
            CAPTURE(i);
            const double share =
                weight * (1.0 - smoothstep((of.step(i) - from) / (kOldLast - from)));
            for (std::size_t j = 0; j < kDof; ++j) {
                const double before = of.old.at(of.step(i)).q[j];
                const double now = of.chunk->targets[i][j];
                CHECK(targets[i][j] ==
                      doctest::Approx(share * before + (1.0 - share) * now).epsilon(1e-12));
            }
        }
    }
}

TEST_CASE("a crossfade is the old path at the splice and the new chunk its length later") {
    const Disagreement of(50);
    // On a target, so that it can be seen there; the second one is cut to the overlap.
    const double from = of.step(4);
    for (const auto& [asked, length] : {std::pair{10.0, 10.0}, {100.0, kOldLast - from}}) {
        CAPTURE(asked);
        const auto targets =
            of.blended({.rule = Aggregate::kCrossfade, .crossfade_steps = asked}, from);
        CHECK(distance(targets[4], of.old.at(from).q) < 1e-12);
        for (std::size_t i = 4; i < targets.size(); ++i) {
            CAPTURE(i);
            const double share = 1.0 - smoothstep((of.step(i) - from) / length);
            for (std::size_t j = 0; j < kDof; ++j) {
                const double before = of.old.at(of.step(i)).q[j];
                const double now = of.chunk->targets[i][j];
                CHECK(targets[i][j] ==
                      doctest::Approx(share * before + (1.0 - share) * now).epsilon(1e-12));
            }
        }
        const auto new_from = static_cast<std::size_t>(std::ceil(4.0 + length));
        for (std::size_t i = new_from; i < targets.size(); ++i) {
            CHECK(targets[i] == of.chunk->targets[i]);
        }
    }
}

TEST_CASE("offset decay keeps the new chunk's shape while its offset decays") {
    const Disagreement of(50);
    const double from = 25.6;  // 5.2 actions into the chunk
    const double tau = 6.0;
    const auto targets =
        of.blended({.rule = Aggregate::kOffsetDecay, .offset_decay_steps = tau}, from);
    JointArray offset;
    for (std::size_t j = 0; j < kDof; ++j) {
        const auto& actions = of.chunk->targets;
        offset[j] = of.old.at(from).q[j] - (0.8 * actions[5][j] + 0.2 * actions[6][j]);
    }
    // The new chunk begins where the old path is: 0.2 steps on, 0.8 of a step is still to decay.
    const double remains = std::exp(-(69.4 - from) / tau);
    for (std::size_t i = 6; i < targets.size(); ++i) {
        CAPTURE(i);
        const double left = (std::exp(-(of.step(i) - from) / tau) - remains) / (1.0 - remains);
        for (std::size_t j = 0; j < kDof; ++j) {
            CHECK(targets[i][j] - of.chunk->targets[i][j] ==
                  doctest::Approx(left * offset[j]).epsilon(1e-9));
        }
    }
    // From one action to the next it is the chunk's own difference, but for what has decayed.
    for (std::size_t i = 6; i + 1 < targets.size(); ++i) {
        for (std::size_t j = 0; j < kDof; ++j) {
            const double own = of.chunk->targets[i + 1][j] - of.chunk->targets[i][j];
            CHECK(std::abs(targets[i + 1][j] - targets[i][j] - own) <=
                  std::abs(offset[j]) * (1.0 / tau) * 1.01);
        }
    }
}

TEST_CASE("a chunk's last target is the policy's own under every rule, however short it is") {
    for (int rule = 0; rule < kAggregates; ++rule) {
        for (const std::uint32_t count : {1U, 2U, 5U, 50U}) {
            for (const double from : {20.4, 20.9, 24.0}) {
                CAPTURE(rule);
                CAPTURE(count);
                CAPTURE(from);
                const Disagreement of(count);
                Blend blend{.rule = static_cast<Aggregate>(rule)};
                const auto targets = of.blended(blend, from);
                for (const JointArray& q : targets) {
                    for (const double joint : q) REQUIRE(std::isfinite(joint));
                }
                // A chunk that ends before the old path is blended up to its end by the share
                // rules: there both have an opinion.
                const bool shared = rule != static_cast<int>(Aggregate::kOffsetDecay) &&
                                    of.step(count - 1) < kOldLast;
                if (!shared) CHECK(targets.back() == of.chunk->targets[count - 1]);
            }
        }
    }
}

TEST_CASE("chunks of one action are followed under every rule") {
    for (int rule = 0; rule < kAggregates; ++rule) {
        CAPTURE(rule);
        StepperConfig config;
        config.aggregate = static_cast<Aggregate>(rule);
        Rig rig(config);
        const test::Policy policy = [](double step) {
            JointArray q = test::ready();
            q[0] += std::min(0.004 * step, 0.2);
            return q;
        };
        REQUIRE(rig.follow(policy, 10'000, 1, 1.0, 5));
        CHECK(rig.commands.back()[0] == doctest::Approx(test::ready()[0] + 0.2).epsilon(1e-3));
    }
}

TEST_CASE("where the arm rests there is nothing to blend: all rules give the same motion") {
    std::vector<JointArray> first;
    for (int rule = 0; rule < kAggregates; ++rule) {
        CAPTURE(rule);
        StepperConfig config;
        config.aggregate = static_cast<Aggregate>(rule);
        Rig rig(config);
        REQUIRE(rig.run(5));
        rig.deliver(rig.observe(test::reach_out(), 30));
        REQUIRE(rig.run(2500));
        REQUIRE(rig.progress().holds == 1);
        // From where it rests back to the beginning, 0.58 rad away.
        rig.deliver(rig.observe([](double) { return test::ready(); }, 30));
        REQUIRE(rig.run(2500));
        REQUIRE(rig.progress().holds == 2);
        if (rule == 0) first = rig.commands;
        CHECK(rig.commands == first);
    }
}

}  // namespace
}  // namespace rti
