// One seeded world: an arm somewhere, a policy that is bad in one way, and a network that delays,
// drops, repeats and overtakes, on both sides of the loop; until a finish request ends the motion.
//
// Three judges, none of which shares code with the motion: SimFr3 refuses the first command that
// breaks one of FCI's rules, FciJudge was written once more from the documents and must agree with
// it to the last bit, and the ledger keeps whether the arm may move at all. What occurred is
// counted, so that nothing a world should be made of can go missing unseen.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/fci_judge.hpp"
#include "tests/hostile_streams.hpp"
#include "tests/motion_ledger.hpp"
#include "tests/motion_rig.hpp"

namespace rti::test {

// Of a motion, when something happens to it.
enum class Phase { kResting, kSpeedingUp, kAtPace, kSlowing };
inline constexpr std::size_t kPhases = 4;

struct Tally {
    std::uint64_t worlds = 0;
    std::uint64_t cycles = 0;  // that were answered
    std::uint64_t interventions = 0;
    std::array<std::uint64_t, kManners> manners{};
    std::array<std::uint64_t, kAggregates> rules{};  // of blending
    std::uint64_t smoothed_worlds = 0;
    std::uint64_t narrowed_worlds = 0;
    std::uint64_t slow_worlds = 0;  // below 10 fps
    std::uint64_t fast_worlds = 0;  // above 100
    std::uint64_t starts_in_band = 0;
    std::uint64_t starts_outside_the_box = 0;
    std::array<std::uint64_t, 6> delivered{};  // chunks, by 10 steps on their way
    std::uint64_t dropped = 0;
    std::uint64_t repeated = 0;
    std::uint64_t overtaken = 0;
    std::array<std::uint64_t, kPhases> silences{};
    std::array<std::uint64_t, kPhases> rests{};   // requests to rest
    std::array<std::uint64_t, kPhases> epochs{};  // new ones
    std::array<std::uint64_t, kPhases> losses{};
    std::array<std::uint64_t, 20> lost_in_a_row{};
    std::uint64_t losses_at_a_splice = 0;
    std::uint64_t losses_on_the_way_back = 0;  // from the one before
    std::uint64_t losses_in_a_burst = 0;       // at most 5 good cycles after the one before
    std::uint64_t losses_in_the_band = 0;
    std::uint64_t losses_outside_the_box = 0;
    Progress counts{};

    void add(const Tally& world, const Progress& run) {
        const auto sum = [](auto& into, const auto& from) {
            for (std::size_t i = 0; i < into.size(); ++i) into[i] += from[i];
        };
        worlds += 1;
        cycles += world.cycles;
        sum(rules, world.rules);
        smoothed_worlds += world.smoothed_worlds;
        narrowed_worlds += world.narrowed_worlds;
        slow_worlds += world.slow_worlds;
        fast_worlds += world.fast_worlds;
        starts_in_band += world.starts_in_band;
        starts_outside_the_box += world.starts_outside_the_box;
        dropped += world.dropped;
        repeated += world.repeated;
        overtaken += world.overtaken;
        losses_at_a_splice += world.losses_at_a_splice;
        losses_on_the_way_back += world.losses_on_the_way_back;
        losses_in_a_burst += world.losses_in_a_burst;
        losses_in_the_band += world.losses_in_the_band;
        losses_outside_the_box += world.losses_outside_the_box;
        sum(manners, world.manners);
        sum(delivered, world.delivered);
        sum(silences, world.silences);
        sum(rests, world.rests);
        sum(epochs, world.epochs);
        sum(losses, world.losses);
        sum(lost_in_a_row, world.lost_in_a_row);
        interventions += run.limiter_interventions;
        counts.splices += run.splices;
        counts.splices_delayed += run.splices_delayed;
        counts.bridges_lengthened += run.bridges_lengthened;
        counts.late_steps += run.late_steps;
        counts.holds += run.holds;
        counts.reseeds += run.reseeds;
        counts.fence_stops += run.fence_stops;
        counts.waypoints_clamped += run.waypoints_clamped;
        sum(counts.refused, run.refused);
    }
};

class World {
  public:
    World(std::uint64_t seed, bool in_band)
        : dice_(seed),
          start_(start_pose(dice_, in_band)),
          rig_(motion_config(dice_), standing_at(start_)),
          judge_(start_, rig_.config.limits.q_min_rad, rig_.config.limits.q_max_rad),
          loss_chance_(dice_.chance(0.6) ? 1.0 / dice_.between(30.0, 500.0) : 0.0),
          ledger_(rig_.config, loss_chance_ > 0.0),
          manner_(static_cast<Manner>(dice_.below(kManners))),
          policy_(stream(dice_, start_, manner_)),
          count_(1 + static_cast<std::uint32_t>(dice_.below(80))),
          threshold_(dice_.between(0.0, 1.0)),
          slowest_steps_(dice_.chance(0.6) ? dice_.between(0.0, 60.0) : 2.0),
          length_(static_cast<std::size_t>(2000 + dice_.below(6000))) {
        length_ += 2 * cycles_for(slowest_steps_);
        ledger_.begin_epoch();
        ++tally_.manners[static_cast<std::size_t>(manner_)];
        const MotionLimits whole = MotionLimits::fr3();
        const MotionLimits& limits = rig_.config.limits;
        const bool narrowed =
            limits.q_min_rad != whole.q_min_rad || limits.q_max_rad != whole.q_max_rad;
        ++tally_.rules[static_cast<std::size_t>(rig_.config.aggregate)];
        tally_.smoothed_worlds = rig_.config.tolerance_rad > 0.0 ? 1 : 0;
        tally_.narrowed_worlds = narrowed ? 1 : 0;
        tally_.slow_worlds = rig_.config.fps < 10.0 ? 1 : 0;
        tally_.fast_worlds = rig_.config.fps > 100.0 ? 1 : 0;
        tally_.starts_in_band = somewhere_in_band(start_) ? 1 : 0;
        tally_.starts_outside_the_box = outside_the_box(start_) ? 1 : 0;
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
            wrong = now() < length_ + 2 * kLongestStop_cycles + kLongestWayBack_cycles
                        ? cycle()
                        : "the motion has no end";
        }
        tally_.cycles = now();
        return wrong;
    }

    [[nodiscard]] const Rig& rig() const { return rig_; }
    [[nodiscard]] const Tally& tally() const { return tally_; }
    [[nodiscard]] std::size_t now() const { return rig_.commands.size(); }

  private:
    // A tenth of a microradian a second, in a cycle: less is the tail of an approach along the
    // closing envelope.
    static constexpr double kStill_rad = 1e-10;

    struct Delivery {
        std::size_t cycle;
        std::size_t sent;  // the cycle of its observation
        std::vector<rti_action> chunk;
    };

    std::string cycle() {
        const JointArray before = now() == 0 ? start_ : rig_.commands.back();
        std::erase_if(in_flight_, [&](const Delivery& delivery) {
            if (delivery.cycle > now()) return false;
            deliver(delivery, before);
            return true;
        });
        // Behind the chunks of the same cycle: those are void too.
        if (dice_.chance(1.0 / 3000.0)) {
            rig_.new_epoch();
            ledger_.begin_epoch();
            ++tally_.epochs[phase()];
        }
        ledger_.request(rig_.request);
        const std::size_t commands = now();
        const double rate = rig_.progress().policy_rate;
        const bool runs = rig_.cycle();
        rate_change_ = rig_.progress().policy_rate - rate;
        const std::string wrong = now() > commands ? judged() : "";
        if (!wrong.empty()) return wrong;
        if (!runs && !rig_.progress().finished) return std::string(reflex_name(rig_.state.reflex));
        if (rig_.progress().epoch != ledger_.epoch()) return "an epoch that nobody asked for";
        const bool moved = distance(rig_.commands.back(), before) > kStill_rad;
        return ledger_.allows(moved, rig_.state.time_ns) ? "" : "a motion without leave";
    }

    std::string judged() {
        for (std::uint32_t i = 0; i < lost_cycles(rig_.state); ++i) {
            const std::string wrong = judge_.lost();
            if (!wrong.empty()) return wrong;
        }
        if (judge_.q() != rig_.state.q_d) return "the judges do not agree where the arm is";
        return judge_.commanded(rig_.commands.back());
    }

    void deliver(const Delivery& delivery, const JointArray& command) {
        const double steps = static_cast<double>(now() - delivery.sent) * rig_.config.fps / 1000.0;
        ++tally_.delivered[std::min<std::size_t>(static_cast<std::size_t>(steps / 10.0), 5)];
        const std::uint64_t id = delivery.chunk.front().chunk_id;
        if (id < newest_id_) ++tally_.overtaken;
        newest_id_ = std::max(newest_id_, id);
        ledger_.deliver(delivery.chunk, rig_.state.time_ns, command);
        rig_.deliver(delivery.chunk);
    }

    void disturb() {
        if (now() == 0) return;
        if (dice_.chance(loss_chance())) lose();
        if (rest_for_ > 0 && --rest_for_ == 0) rig_.request = Request::kFollow;
        if (rest_for_ == 0 && dice_.chance(1.0 / 4000.0)) {
            rest_for_ = 1 + dice_.below(1000);
            rig_.request = Request::kRest;
            ++tally_.rests[phase()];
        }
        // Silence, at any phase of a motion, until the path has run dry or not.
        if (silent_for_ > 0) {
            --silent_for_;
        } else if (dice_.chance(1.0 / 2500.0)) {
            silent_for_ = 1 + dice_.below(2000);
            ++tally_.silences[phase()];
        } else {
            const bool wants = rig_.progress().steps_queued <= threshold_ * count_;
            if (in_flight_.size() < 6 && dice_.chance(wants ? 0.2 : 0.005)) observe();
        }
    }

    // Where losses lose packets, they come in bursts, and gladly where it hurts.
    [[nodiscard]] double loss_chance() const {
        if (loss_chance_ == 0.0) return 0.0;
        if (now() - lost_at_ <= 5) return 0.1;
        return spliced() ? 0.1 : loss_chance_;
    }

    void lose() {
        const int count = dice_.chance(0.3) ? 19 : 1 + dice_.below(19);
        rig_.arm.lose(static_cast<std::uint64_t>(count));
        ledger_.packets_lost();
        ++tally_.losses[phase()];
        ++tally_.lost_in_a_row[static_cast<std::size_t>(count)];
        if (spliced()) ++tally_.losses_at_a_splice;
        if (now() - lost_at_ <= 5) ++tally_.losses_in_a_burst;
        if (now() - lost_at_ < 100) ++tally_.losses_on_the_way_back;
        if (somewhere_in_band(rig_.commands.back())) ++tally_.losses_in_the_band;
        if (outside_the_box(rig_.commands.back())) ++tally_.losses_outside_the_box;
        lost_at_ = now();
    }

    void observe() {
        const auto shorter = 1 + static_cast<std::uint32_t>(dice_.below(static_cast<int>(count_)));
        std::vector<rti_action> chunk = rig_.observe(policy_, dice_.chance(0.2) ? shorter : count_);
        if (dice_.chance(0.05)) poison(chunk);
        if (dice_.chance(0.02)) {
            for (rti_action& action : chunk)
                action.epoch = static_cast<std::uint32_t>(dice_.below(9));
        }
        if (dice_.chance(0.1)) {
            ++tally_.dropped;
            return;
        }
        // Each on its own way: later ones overtake, and some come twice.
        for (bool again = false;; again = true) {
            if (again) ++tally_.repeated;
            const std::size_t arrives = now() + cycles_for(dice_.between(0.0, slowest_steps_));
            in_flight_.push_back({arrives, now(), chunk});
            if (!dice_.chance(0.1)) break;
        }
    }

    void poison(std::vector<rti_action>& chunk) {
        const int at = dice_.below(static_cast<int>(chunk.size()));
        rti_action& action = chunk[static_cast<std::size_t>(at)];
        action.values[dice_.below(kDof)] = dice_.chance(0.5)
                                               ? std::numeric_limits<double>::quiet_NaN()
                                               : -std::numeric_limits<double>::infinity();
    }

    [[nodiscard]] std::size_t cycles_for(double steps) const {
        return static_cast<std::size_t>(1000.0 * steps / rig_.config.fps);
    }
    [[nodiscard]] std::size_t phase() const {
        const double small = 1e-6 * rig_.config.fps;
        const Phase phase = rig_.progress().phase == RTI_PHASE_HOLD ? Phase::kResting
                            : rate_change_ > small                  ? Phase::kSpeedingUp
                            : rate_change_ < -small                 ? Phase::kSlowing
                                                                    : Phase::kAtPace;
        return static_cast<std::size_t>(phase);
    }
    [[nodiscard]] bool spliced() const { return (rig_.progress().flags & RTI_CYCLE_SPLICED) != 0; }
    [[nodiscard]] bool outside_the_box(const JointArray& q) const {
        for (std::size_t j = 0; j < kDof; ++j) {
            if (q[j] < rig_.config.limits.q_min_rad[j]) return true;
            if (q[j] > rig_.config.limits.q_max_rad[j]) return true;
        }
        return false;
    }

    Dice dice_;
    JointArray start_;
    Rig rig_;
    FciJudge judge_;
    double loss_chance_;  // a cycle
    Ledger ledger_;
    Manner manner_;
    Policy policy_;
    std::uint32_t count_;   // actions a chunk
    double threshold_;      // of a chunk that is left when the next is asked for
    double slowest_steps_;  // the longest way of a chunk
    std::size_t length_;    // in cycles that are answered
    int rest_for_ = 0;
    int silent_for_ = 0;
    double rate_change_ = 0.0;  // of the clock, over the last cycle
    std::size_t lost_at_ = 0;   // cycle of the last loss
    std::uint64_t newest_id_ = 0;
    std::vector<Delivery> in_flight_;
    Tally tally_;
};

}  // namespace rti::test
