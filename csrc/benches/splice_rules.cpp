// What each blend rule makes of one and the same stream of chunks, over networks from good to bad.
//
//   splice_rules STREAM TOLERANCE
//
// STREAM is a file of doubles, as benches/splice_streams.py writes it: policy steps a second, steps
// between two chunks, actions of a chunk, number of chunks, the pose to start from, and the chunks
// action by action [rad]. Chunk k is what the policy says of an observation at step k times the
// spacing: so every rule and network is given the same answers to the same questions.
//
// The robot asks as rt_infer/robot/chunks.py does: one question at a time, when half a chunk is
// left, and at once where it rests. Its observation is the next one that the stream has an answer
// to. The answer comes after the latency; with jitter, after 0.5 to 1.5 of it; with loss, one in
// eleven never comes, two in a row on average, and is asked for again. All in virtual time against
// the simulated FR3; dice are seeded by the network alone, so that all rules meet the same one.
//
// TOLERANCE is what smoothing may move a target by, in microradians.
//
// Prints a line of JSON for each run. A reflex ends the program: there is nothing to compare then.
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <stdexcept>
#include <vector>

#include "arms/sim_fr3.hpp"
#include "control/stepper.hpp"

namespace rti::bench {
namespace {

constexpr std::array kRules = {"weighted_average", "latest_only", "average",
                               "conservative",     "crossfade",   "offset_decay"};
static_assert(kRules.size() == kAggregates);
constexpr std::array kLatencies_ms = {20, 50, 100, 200, 300};
constexpr double kAskAt = 0.5;        // of a chunk
constexpr double kLossBegins = 0.05;  // after an answer that came; and how it goes on after one
constexpr double kLossGoesOn = 0.5;   // that did not: one in eleven is lost

enum class Network { kSteady, kJitter, kLoss };
constexpr std::array kNetworks = {"steady", "jitter", "loss"};

class Stream {
  public:
    explicit Stream(const char* path) {
        std::ifstream file(path, std::ios::binary);
        const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
        values_.resize(bytes.size() / sizeof(double));
        std::copy_n(bytes.begin(), values_.size() * sizeof(double),
                    reinterpret_cast<char*>(values_.data()));
        if (values_.size() < kHeader || values_.size() != kHeader + chunks() * count() * kDof) {
            throw std::runtime_error("this is no stream of chunks");
        }
    }
    [[nodiscard]] double fps() const { return values_[0]; }
    [[nodiscard]] double spacing() const { return values_[1]; }
    [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(values_[2]); }
    [[nodiscard]] std::size_t chunks() const { return static_cast<std::size_t>(values_[3]); }
    [[nodiscard]] JointArray start() const {
        JointArray q;
        std::copy_n(values_.begin() + 4, kDof, q.begin());
        return q;
    }
    [[nodiscard]] const double* action(std::size_t chunk, std::uint32_t i) const {
        return &values_[kHeader + (chunk * count() + i) * kDof];
    }

  private:
    static constexpr std::size_t kHeader = 4 + kDof;
    std::vector<double> values_;
};

// The policy behind a network: asks, and has the answer delivered when it is due.
class Link {
  public:
    Link(const Stream& stream, Network network, int latency_ms)
        : stream_(stream), network_(network), latency_ms_(latency_ms), dice_(17U) {}

    // Once a cycle, before the step. False: the stream is at its end.
    bool cycle(Stepper& stepper, std::int64_t time_ns) {
        const Progress& now = stepper.progress();
        if (asked_ && arrives_in_ms_-- <= 0) {
            asked_ = false;
            if (!lost_) deliver(stepper, now.epoch, time_ns);
        }
        const auto newest = static_cast<std::size_t>(now.policy_step / stream_.spacing() + 1e-9);
        if (newest >= stream_.chunks()) return false;
        const bool at_one = newest != seen_ || now.phase == RTI_PHASE_HOLD;
        seen_ = newest;
        const bool judged = now.chunks_received == delivered_ && now.splices == now.chunks_admitted;
        if (!asked_ && at_one && judged && now.steps_queued <= kAskAt * stream_.count()) {
            ask(newest, time_ns);
        }
        return true;
    }

  private:
    void ask(std::size_t chunk, std::int64_t time_ns) {
        std::uniform_real_distribution<double> share(0.0, 1.0);
        chunk_ = chunk;
        capture_ns_ = time_ns;
        const double stretched = network_ == Network::kSteady ? 1.0 : 0.5 + share(dice_);
        arrives_in_ms_ = static_cast<int>(std::lround(latency_ms_ * stretched));
        lost_ = network_ == Network::kLoss && share(dice_) < (lost_ ? kLossGoesOn : kLossBegins);
        asked_ = true;
    }

    void deliver(Stepper& stepper, std::uint32_t epoch, std::int64_t time_ns) {
        rti_action record{};
        record.kind = RTI_RECORD_ACTION;
        record.epoch = epoch;
        record.chunk_id = ++delivered_;
        record.count = stream_.count();
        record.capture_ns = capture_ns_;
        record.origin_step = stream_.spacing() * static_cast<double>(chunk_);
        record.received_ns = time_ns;
        record.dim = RTI_DOF;
        for (; record.index < record.count; ++record.index) {
            std::copy_n(stream_.action(chunk_, record.index), kDof, record.values);
            stepper.offer(record);
        }
    }

    const Stream& stream_;
    const Network network_;
    const int latency_ms_;
    std::mt19937 dice_;
    std::size_t seen_ = ~std::size_t{0};
    std::size_t chunk_ = 0;
    std::int64_t capture_ns_ = 0;
    std::uint64_t delivered_ = 0;
    int arrives_in_ms_ = 0;
    bool asked_ = false;
    bool lost_ = false;
};

void play(const Stream& stream, double tolerance_rad, int rule, Network network, int latency_ms) {
    SimFr3Config arm_config;
    arm_config.pacing = Pacing::kVirtual;
    arm_config.start_pose_rad = stream.start();
    SimFr3 arm(arm_config);
    StepperConfig config;
    config.fps = stream.fps();
    config.aggregate = static_cast<Aggregate>(rule);
    config.tolerance_rad = tolerance_rad;
    const auto stepper = std::make_unique<Stepper>(config);
    Link link(stream, network, latency_ms);
    arm.start();
    ArmState state;
    bool started = false;
    const auto refuse = [](const ArmState& at) {
        throw std::runtime_error("the arm stopped: " + std::string(reflex_name(at.reflex)));
    };
    do {
        if (!arm.read(state)) refuse(state);
        if (!started) stepper->start(state);
        started = true;
        const ArmCommand command = stepper->step(state, Request::kFollow);
        if (!arm.write(command)) {
            static_cast<void>(arm.read(state));
            refuse(state);
        }
        stepper->plan();
    } while (link.cycle(*stepper, state.time_ns));

    const Progress& told = stepper->progress();
    const CommandPeaks peaks = arm.peaks();
    std::printf("{\"rule\": \"%s\", \"network\": \"%s\", \"latency_ms\": %d", kRules.at(rule),
                kNetworks.at(static_cast<std::size_t>(network)), latency_ms);
    const auto add = [](const char* name, auto value) {
        std::printf(", \"%s\": %.17g", name, static_cast<double>(value));
    };
    add("velocity_ratio_max", peaks.velocity_ratio);
    add("acceleration_ratio_max", peaks.acceleration_ratio);
    add("jerk_ratio_max", peaks.jerk_ratio);
    add("jerk_squared_sum", peaks.jerk_squared_sum);
    add("followed_cycles", told.followed_cycles);
    add("splices", told.splices);
    add("splice_jump_max_rad", told.splice_jump_max_rad);
    add("policy_distance_squared_sum", told.policy_distance_squared_sum);
    add("bends", told.bridges_lengthened + told.splices_delayed);
    add("lost_to_slowing_s", told.lost_to_slowing_s);
    add("holds", told.holds);
    add("limiter_interventions", told.limiter_interventions);
    std::printf("}\n");
}

}  // namespace
}  // namespace rti::bench

int main(int argc, char** argv) try {
    using namespace rti::bench;
    if (argc != 3) throw std::runtime_error("usage: splice_rules STREAM TOLERANCE");
    const Stream stream(argv[1]);
    const double tolerance_rad = 1e-6 * std::atof(argv[2]);
    for (int rule = 0; rule < rti::kAggregates; ++rule) {
        for (const Network network : {Network::kSteady, Network::kJitter, Network::kLoss}) {
            for (const int latency_ms : kLatencies_ms) {
                play(stream, tolerance_rad, rule, network, latency_ms);
            }
        }
    }
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "splice_rules: %s\n", error.what());
    return 1;
}
