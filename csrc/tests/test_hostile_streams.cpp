// A million cycles of the worst that a policy and a network can do, in seeded worlds
// (hostile_world.hpp), and that every ingredient was among it.
//
// For more than a million, from a seed of your own:
//   RTI_SOAK_SEED=1000000 RTI_SOAK_CYCLES=300000000 rt_infer_tests -ns -tc="a soak*"
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "tests/hostile_world.hpp"

namespace rti {
namespace {

using test::Tally;
using test::World;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kCycles = 300'000;
constexpr std::uint64_t kBandCycles = 100'000;
#else
constexpr std::uint64_t kCycles = 1'000'000;
constexpr std::uint64_t kBandCycles = 400'000;
#endif

Tally run_worlds(std::uint64_t cycles, bool in_band) {
    Tally sum;
    for (std::uint64_t seed = 1; sum.cycles < cycles; ++seed) {
        CAPTURE(seed);
        World world(seed, in_band);
        const std::string wrong = world.run();
        CAPTURE(world.now());
        REQUIRE(wrong == "");
        sum.add(world.tally(), world.rig().progress());
    }
    return sum;
}

// Each of these counts something that must not have gone missing.
template <class Counts>
void check_each(const std::string& what, const Counts& counts, std::size_t from = 0) {
    CAPTURE(what);
    for (std::size_t i = from; i < counts.size(); ++i) {
        CAPTURE(i);
        CHECK(counts[i] > 0);
    }
}

TEST_CASE("a million cycles of hostile streams break no limit and move nothing without leave") {
    const Tally tally = run_worlds(kCycles, false);
    check_each("ways to be a bad policy", tally.manners);
    check_each("ways to blend", tally.rules);
    CHECK(tally.smoothed_worlds > 0);
    CHECK(tally.narrowed_worlds > 0);
    CHECK(tally.slow_worlds > 0);
    CHECK(tally.fast_worlds > 0);
    CHECK(tally.starts_outside_the_box > 0);
    check_each("chunks by delay", tally.delivered);
    CHECK(tally.dropped > 0);
    CHECK(tally.repeated > 0);
    CHECK(tally.overtaken > 0);
    check_each("silences at every phase of a motion", tally.silences);
    check_each("requests to rest", tally.rests);
    check_each("new epochs", tally.epochs);
    check_each("lost packets", tally.losses);
    check_each("lost in a row", tally.lost_in_a_row, 1);
    CHECK(tally.losses_at_a_splice > 0);
    CHECK(tally.losses_on_the_way_back > 0);
    CHECK(tally.losses_in_a_burst > 0);
    CHECK(tally.losses_outside_the_box > 0);

    const Progress& counts = tally.counts;
    CHECK(counts.splices > kCycles / 1000);
    CHECK(counts.splices_delayed > 0);
    CHECK(counts.bridges_lengthened > 0);
    CHECK(counts.late_steps > 0);
    CHECK(counts.holds > 0);
    CHECK(counts.reseeds > kCycles / 2000);
    CHECK(counts.waypoints_clamped > 0);
    CHECK(counts.fence_stops > 0);
    for (const rti_refusal reason :
         {RTI_REFUSED_EPOCH, RTI_REFUSED_AGE, RTI_REFUSED_ORDER, RTI_REFUSED_NOT_FINITE,
          RTI_REFUSED_START, RTI_REFUSED_LATE, RTI_REFUSED_STOPPING}) {
        CAPTURE(reason);
        CHECK(counts.refused[reason] > 0);
    }
}

TEST_CASE("hostile streams break no limit from a start inside the closing band") {
    const Tally tally = run_worlds(kBandCycles, true);
    CHECK(tally.starts_in_band == tally.worlds);
    CHECK(tally.losses_in_the_band > 0);
    check_each("lost packets", tally.losses);
    CHECK(tally.counts.splices > kBandCycles / 1000);
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Goes on after what is wrong, so that it tells how often.
TEST_CASE("a soak of hostile streams over fresh seeds" * doctest::skip()) {
    const std::uint64_t cycles = from_environment("RTI_SOAK_CYCLES", 10'000'000);
    Tally sum;
    std::uint64_t wrong_worlds = 0;
    for (std::uint64_t seed = from_environment("RTI_SOAK_SEED", 1'000'000); sum.cycles < cycles;
         ++seed) {
        const bool in_band = seed % 4 == 0;
        World world(seed, in_band);
        const std::string wrong = world.run();
        CAPTURE(seed);
        CAPTURE(in_band);
        CAPTURE(world.now());
        CHECK(wrong == "");
        wrong_worlds += wrong.empty() ? 0 : 1;
        sum.add(world.tally(), world.rig().progress());
    }
    MESSAGE(sum.cycles << " cycles in " << sum.worlds << " worlds, " << sum.counts.reseeds
                       << " reseeds, " << sum.interventions << " interventions, " << wrong_worlds
                       << " worlds went wrong");
}

}  // namespace
}  // namespace rti
