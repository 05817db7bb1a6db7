// A million cycles of the worst that a policy and a network can do, in seeded worlds.
//
// Two judges that share no code with the motion: SimFr3 refuses the first command that breaks one
// of FCI's rules, and the ledger below keeps, from what was delivered alone, whether the arm may
// move: after an epoch began it may brake, but once at rest it stays until a chunk that could have
// been admitted has come. Every world ends with a finish request that must end the motion in order.
//
// Lost packets and starts inside the closing band live in separate worlds. While an arm creeps out
// of the band, where the envelope allows no speed inward, the robot's own extrapolation of a
// braking acceleration over lost cycles may lead back inside: no command of ours can prevent that.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/hostile_streams.hpp"
#include "tests/motion_rig.hpp"

namespace rti {
namespace {

using test::Dice;
using test::Rig;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kCycles = 300'000;
constexpr std::uint64_t kBandCycles = 50'000;
#else
constexpr std::uint64_t kCycles = 1'000'000;
constexpr std::uint64_t kBandCycles = 200'000;
#endif
// From full speed along the path, and back onto it where packets were lost meanwhile.
constexpr std::uint64_t kLongestStop_cycles = 1500;
// A tenth of a microradian a second, in a cycle: less is the tail of an approach along the closing
// envelope, or what bisection leaves where the limiter holds an arm.
constexpr double kStill_rad = 1e-10;

// Whether the arm may move, from what was delivered alone.
class Ledger {
  public:
    explicit Ledger(const StepperConfig& config) : config_(config) {}

    [[nodiscard]] std::uint32_t epoch() const { return epoch_; }

    void begin_epoch() {
        ++epoch_;
        since_ns_ = std::numeric_limits<std::int64_t>::max();  // until the cycle has a time
        revoke();
    }
    void request(Request request) {
        const bool stopping = request != Request::kFollow;
        if (stopping && !stopping_) revoke();
        if (!stopping && stopping_) begin_epoch();
        stopping_ = stopping;
    }
    // The robot went on by itself: from there it may have to find back to its path.
    void packets_lost() { stopping_for_ = 0; }
    // A chunk, in the cycle after `now_ns`, when the arm was last told `command`. Less than
    // admission asks for, so that what it refuses beyond that is no concern here.
    void deliver(const std::vector<rti_action>& chunk, std::int64_t now_ns,
                 const JointArray& command) {
        const rti_action& head = chunk.front();
        const auto age_ns = static_cast<double>(now_ns - head.capture_ns);
        bool good = !stopping_ && head.epoch == epoch_ && head.capture_ns >= since_ns_ &&
                    age_ns <= config_.max_age_s * 1e9;
        bool near = false;
        for (const rti_action& action : chunk) {
            JointArray target{};
            std::copy_n(action.values, kDof, target.begin());
            for (const double joint : target) good = good && std::isfinite(joint);
            near = near || test::distance(target, command) <= config_.max_start_distance_rad;
        }
        if (good && near) leave_ = true;
    }
    // After each cycle.
    [[nodiscard]] bool allows(bool moved, std::int64_t now_ns) {
        since_ns_ = std::min(since_ns_, now_ns);
        return leave_ || ++stopping_for_ < kLongestStop_cycles || !moved;
    }

  private:
    void revoke() {
        leave_ = false;
        stopping_for_ = 0;
    }

    StepperConfig config_;
    std::uint32_t epoch_ = 0;
    std::int64_t since_ns_ = 0;
    bool stopping_ = false;
    bool leave_ = false;              // a chunk of this epoch has come that may move the arm
    std::uint64_t stopping_for_ = 0;  // cycles without leave
};

class World {
  public:
    World(std::uint64_t seed, bool in_band)
        : dice_(seed),
          start_(test::start_pose(dice_, in_band)),
          rig_(test::motion_config(dice_), test::standing_at(start_)),
          ledger_(rig_.config),
          policy_(test::stream(dice_, start_)),
          count_(1 + static_cast<std::uint32_t>(dice_.below(80))),
          threshold_(dice_.between(0.0, 1.0)),
          slowest_steps_(dice_.chance(0.6) ? dice_.between(0.0, 60.0) : 2.0),
          loses_packets_(!in_band && dice_.chance(0.6)),
          length_(static_cast<std::size_t>(2000 + dice_.below(6000))) {
        length_ += 2 * cycles_for(slowest_steps_);
        ledger_.begin_epoch();
    }

    // To the end of the motion. Returns what went wrong, or nothing.
    std::string run() {
        std::string wrong;
        while (wrong.empty() && now() < length_) {
            disturb();
            wrong = cycle();
        }
        rig_.request = Request::kFinish;
        while (wrong.empty() && !rig_.progress().finished) {
            wrong = now() < length_ + 2 * kLongestStop_cycles ? cycle() : "the motion has no end";
        }
        return wrong;
    }

    [[nodiscard]] const Rig& rig() const { return rig_; }
    [[nodiscard]] std::size_t now() const { return rig_.commands.size(); }

  private:
    struct Delivery {
        std::size_t cycle;
        std::vector<rti_action> chunk;
    };

    std::string cycle() {
        const JointArray before = now() == 0 ? start_ : rig_.commands.back();
        std::erase_if(in_flight_, [&](const Delivery& delivery) {
            if (delivery.cycle > now()) return false;
            ledger_.deliver(delivery.chunk, rig_.state.time_ns, before);
            rig_.deliver(delivery.chunk);
            return true;
        });
        // Behind the chunks of the same cycle: those are void too.
        if (dice_.chance(1.0 / 3000.0)) {
            rig_.new_epoch();
            ledger_.begin_epoch();
        }
        ledger_.request(rig_.request);
        const bool runs = rig_.cycle();
        if (!runs && !rig_.progress().finished) return std::string(reflex_name(rig_.state.reflex));
        if (rig_.progress().epoch != ledger_.epoch()) return "an epoch that nobody asked for";
        const bool moved = test::distance(rig_.commands.back(), before) > kStill_rad;
        return ledger_.allows(moved, rig_.state.time_ns) ? "" : "a motion without leave";
    }

    void disturb() {
        if (now() == 0) return;
        if (loses_packets_ && dice_.chance(1.0 / 150.0)) {
            rig_.arm.lose(1 + static_cast<std::uint64_t>(dice_.below(19)));
            ledger_.packets_lost();
        }
        if (rest_for_ > 0 && --rest_for_ == 0) rig_.request = Request::kFollow;
        if (rest_for_ == 0 && dice_.chance(1.0 / 4000.0)) {
            rest_for_ = 1 + dice_.below(1000);
            rig_.request = Request::kRest;
        }
        // Silence, at any phase of a motion, until the path has run dry or not.
        if (silent_for_ > 0) {
            --silent_for_;
        } else if (dice_.chance(1.0 / 2500.0)) {
            silent_for_ = 1 + dice_.below(2000);
        } else {
            const bool wants = rig_.progress().steps_queued <= threshold_ * count_;
            if (in_flight_.size() < 6 && dice_.chance(wants ? 0.2 : 0.005)) observe();
        }
    }

    void observe() {
        const auto shorter = 1 + static_cast<std::uint32_t>(dice_.below(static_cast<int>(count_)));
        std::vector<rti_action> chunk = rig_.observe(policy_, dice_.chance(0.2) ? shorter : count_);
        if (dice_.chance(0.05)) poison(chunk);
        if (dice_.chance(0.02)) {
            for (rti_action& action : chunk)
                action.epoch = static_cast<std::uint32_t>(dice_.below(9));
        }
        if (dice_.chance(0.1)) return;  // dropped
        // Each on its own way: later ones overtake, and some come twice.
        do {
            in_flight_.push_back({now() + cycles_for(dice_.between(0.0, slowest_steps_)), chunk});
        } while (dice_.chance(0.1));
    }

    void poison(std::vector<rti_action>& chunk) {
        const int at = dice_.below(static_cast<int>(chunk.size()));
        rti_action& action = chunk[static_cast<std::size_t>(at)];
        action.values[dice_.below(kDof)] = dice_.chance(0.5)
                                               ? std::numeric_limits<double>::quiet_NaN()
                                               : -std::numeric_limits<double>::infinity();
    }

    std::size_t cycles_for(double steps) const {
        return static_cast<std::size_t>(1000.0 * steps / rig_.config.fps);
    }

    Dice dice_;
    JointArray start_;
    Rig rig_;
    Ledger ledger_;
    test::Policy policy_;
    std::uint32_t count_;   // actions a chunk
    double threshold_;      // of a chunk that is left when the next is asked for
    double slowest_steps_;  // the longest way of a chunk
    bool loses_packets_;
    std::size_t length_;  // in cycles that are answered
    int rest_for_ = 0;
    int silent_for_ = 0;
    std::vector<Delivery> in_flight_;
};

// What the worlds were made of: none of it may go missing unseen.
struct Sum {
    std::uint64_t cycles = 0;
    Progress counts{};

    void add(const Rig& rig) {
        const Progress& run = rig.progress();
        cycles += rig.commands.size();
        counts.splices += run.splices;
        counts.splices_delayed += run.splices_delayed;
        counts.bridges_lengthened += run.bridges_lengthened;
        counts.late_steps += run.late_steps;
        counts.holds += run.holds;
        counts.reseeds += run.reseeds;
        counts.waypoints_clamped += run.waypoints_clamped;
        for (std::size_t i = 0; i < counts.refused.size(); ++i) counts.refused[i] += run.refused[i];
    }
};

Sum run_worlds(std::uint64_t cycles, bool in_band) {
    Sum sum;
    for (std::uint64_t seed = 1; sum.cycles < cycles; ++seed) {
        CAPTURE(seed);
        World world(seed, in_band);
        const std::string wrong = world.run();
        CAPTURE(world.now());
        REQUIRE(wrong == "");
        sum.add(world.rig());
    }
    return sum;
}

TEST_CASE("a million cycles of hostile streams break no limit and move nothing without leave") {
    const Progress counts = run_worlds(kCycles, false).counts;
    CHECK(counts.splices > kCycles / 1000);
    CHECK(counts.splices_delayed > 0);
    CHECK(counts.bridges_lengthened > 0);
    CHECK(counts.late_steps > 0);
    CHECK(counts.holds > 0);
    CHECK(counts.reseeds > kCycles / 2000);
    CHECK(counts.waypoints_clamped > 0);
    for (const rti_refusal reason :
         {RTI_REFUSED_EPOCH, RTI_REFUSED_AGE, RTI_REFUSED_ORDER, RTI_REFUSED_NOT_FINITE,
          RTI_REFUSED_START, RTI_REFUSED_LATE, RTI_REFUSED_STOPPING}) {
        CAPTURE(reason);
        CHECK(counts.refused[reason] > 0);
    }
}

TEST_CASE("hostile streams break no limit from a start inside the closing band") {
    const Progress counts = run_worlds(kBandCycles, true).counts;
    CHECK(counts.splices > kBandCycles / 1000);
}

}  // namespace
}  // namespace rti
