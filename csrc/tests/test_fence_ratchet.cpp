// However many chunks ask for it, the hand gets no further out than it was at the least so far.
//
// The bound is checked at every cycle, on the commands, by the URDF's own chain of joints.
#include <doctest/doctest.h>

#include <random>
#include <string>

#include "motion/fence.hpp"
#include "tests/fence_rig.hpp"

namespace rti {
namespace {

using test::fenced;
using test::led;
using test::ready;
using test::Rig;

constexpr double kTiny_m = 2e-6;  // one path's end differs from the next one's begin, and rounding
constexpr int kChunks = 10000;

// How far out flange and tool are along each axis, and the furthest that they ever were over what
// they may be.
class Witness {
  public:
    explicit Witness(const Box& box) : kept_(box.shrunk_by(kKeptClear_m)) { least_.fill(1e9); }

    void see(const JointArray& q) {
        const test::Homogeneous flange = test::urdf_flange(q);
        const test::Homogeneous tip = test::urdf_tip(q);
        for (std::size_t i = 0; i < 6; ++i) {
            const test::Homogeneous& pose = i < 3 ? flange : tip;
            const double at = pose[i % 3][3];
            // Below 0: that far inside of what is kept clear.
            const double out = std::max(kept_.min_m[i % 3] - at, at - kept_.max_m[i % 3]);
            least_[i] = std::min(least_[i], std::max(out, -kRipple_m));
            over_m = std::max(over_m, out - least_[i] - kRipple_m);
        }
    }
    double over_m = -1.0;

  private:
    Box kept_;
    std::array<double, 6> least_{};
};

// A policy that wants out, from where the arm is: mostly down, at any speed, now and then to
// anywhere around the ready pose, with a first target that may be anywhere near.
std::vector<rti_action> push_out(Rig& rig, std::mt19937& random, double fps) {
    std::uniform_real_distribution<> unit(-1.0, 1.0);
    const JointArray from = rig.commands.back();
    const double since = rig.progress().policy_step;
    const double speed_rad_s = 0.02 * std::pow(100.0, 0.5 * (1.0 + unit(random)));
    JointArray slope{};
    if (unit(random) < 0.6) {
        slope[1] = speed_rad_s / fps;
        slope[0] = 0.3 * unit(random) * slope[1];
    } else {
        for (std::size_t j = 0; j < kDof; ++j) {
            slope[j] = speed_rad_s / fps * (unit(random) + 2.0 * (ready()[j] - from[j]));
        }
    }
    const double offset_rad = unit(random) < 0.5 ? 0.0 : 0.02 * unit(random);
    const double bend = unit(random) < 0.7 ? 1.0 : unit(random);
    const auto count = static_cast<std::uint32_t>(2.0 + 0.2 * fps * (1.0 + unit(random)));
    return rig.observe(
        [=](double step) {
            JointArray q = from;
            const double way = step - since + 1.0;
            for (std::size_t j = 0; j < kDof; ++j) {
                q[j] += offset_rad + slope[j] * way * (way < 0.2 * fps ? 1.0 : bend);
            }
            return q;
        },
        count);
}

struct Outcome {
    double over_m;
    std::uint64_t refused;
    std::uint64_t stops;
    double left_rad;  // after it was told to come in
};

// `inside`: where the hand comes in again.
Outcome pushed(const Box& box, double fps, int chunks, bool at_rest, const JointArray& inside) {
    CAPTURE(fps);
    StepperConfig config = fenced(box, fps);
    config.aggregate = Aggregate::kLatestOnly;
    Rig rig(config);
    Witness witness(box);
    std::mt19937 random(static_cast<std::uint32_t>(7.0 * fps) + (at_rest ? 1 : 0));
    std::uniform_int_distribution<> pause(5, 150);
    const auto run = [&](int cycles) {
        rig.commands.clear();
        REQUIRE(rig.run(cycles));
        for (const JointArray& q : rig.commands) witness.see(q);
    };
    run(10);
    for (int i = 0; i < chunks; ++i) {
        rig.deliver(push_out(rig, random, fps));
        run(at_rest ? 5 : pause(random));
        while (at_rest && rig.progress().phase != RTI_PHASE_HOLD) run(5);
    }
    const std::uint64_t refused = rig.progress().refused[RTI_REFUSED_FENCE];
    CHECK(rig.progress().chunks_received == static_cast<std::uint64_t>(chunks));
    // And in again: targets that come one after the other from where it is now.
    const JointArray from = rig.commands.back();
    const double since = rig.progress().policy_step;
    for (int i = 0; i < 30; ++i) {
        rig.deliver(rig.observe(
            [&](double step) {
                const double share = std::clamp((step - since) / (3.0 * fps), 0.0, 1.0);
                JointArray q = from;
                for (std::size_t j = 0; j < kDof; ++j) q[j] += share * (inside[j] - from[j]);
                return q;
            },
            50));
        run(200);
    }
    return {witness.over_m, refused, rig.progress().fence_stops,
            distance(rig.commands.back(), inside)};
}

void push_everywhere(bool at_rest) {
    const double home_m = test::height(ready());
    const JointArray up = led({0, 0, 1}, 0.3, 30.0, 0.18)(1e9);
    for (const double fps : {5.0, 30.0, 100.0}) {
        for (const bool starts_inside : {true, false}) {
            CAPTURE(fps);
            CAPTURE(starts_inside);
            Box box = test::floor_at(starts_inside ? home_m - 0.05 : home_m + 0.1);
            box.min_m[1] = -0.2;
            box.max_m[1] = 0.2;
            const Outcome outcome =
                pushed(box, fps, kChunks / 6, at_rest, starts_inside ? ready() : up);
            MESSAGE(fps << " fps, from " << std::string(starts_inside ? "inside" : "outside")
                        << ": " << outcome.stops << " stops, " << outcome.refused << " refused, "
                        << 1e3 * outcome.over_m << " mm over what it may; left after coming in "
                        << outcome.left_rad << " rad");
            CHECK(outcome.over_m < kTiny_m);
            CHECK(outcome.refused > 10);
            CHECK(outcome.left_rad < 0.01);
        }
    }
}

TEST_CASE("ten thousand chunks that lead out, each from rest, wear no fence down") {
    push_everywhere(true);
}

TEST_CASE("ten thousand chunks that lead out, at any moment of a motion, wear no fence down") {
    push_everywhere(false);
}

TEST_CASE("a chunk that leads out from rest is refused, moves nothing, and the next may come in") {
    const double below_m = test::height(ready()) + 0.1;
    Rig rig(fenced(test::floor_at(below_m)));
    REQUIRE(rig.run(10));
    // What fits into the ripple is used up first.
    const auto dive = [&] {
        const JointArray from = rig.commands.back();
        const double since = rig.progress().policy_step;
        rig.deliver(rig.observe(
            [=](double step) {
                JointArray q = from;
                q[1] += 0.02 * (step - since);
                return q;
            },
            30));
        REQUIRE(rig.run(300));
    };
    for (int i = 0; i < 100 && rig.progress().refused[RTI_REFUSED_FENCE] == 0; ++i) dive();
    REQUIRE(rig.progress().refused[RTI_REFUSED_FENCE] == 1);
    CHECK(rig.progress().last_refusal == RTI_REFUSED_FENCE);
    const Progress before = rig.progress();
    const std::size_t since = rig.commands.size() - 1;
    for (int i = 0; i < 10; ++i) dive();
    CHECK(rig.progress().refused[RTI_REFUSED_FENCE] == 11);
    CHECK(rig.progress().fence_stops == before.fence_stops);
    CHECK(rig.progress().splices == before.splices);
    CHECK(rig.progress().chunks_admitted == before.chunks_admitted);
    CHECK(test::moved(rig, since) == 0.0);

    REQUIRE(rig.follow(led({0, 0, 1}, 0.2, 30.0, 0.15), 3000));
    CHECK(test::height(rig.commands.back()) > below_m + 0.04);
    CHECK(rig.progress().refused[RTI_REFUSED_FENCE] == 11);
}

}  // namespace
}  // namespace rti
