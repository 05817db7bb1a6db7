#include "arms/sim_fr3.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <ctime>
#include <stdexcept>
#include <string>

namespace rti {
namespace {

constexpr std::int64_t kCycle_ns = 1'000'000;
constexpr std::int64_t kSecond_ns = 1'000'000'000;

std::int64_t monotonic_ns() noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::int64_t>(now.tv_sec) * kSecond_ns + now.tv_nsec;
}

void sleep_until(std::int64_t at_ns) noexcept {
    timespec at{};
    at.tv_sec = static_cast<time_t>(at_ns / kSecond_ns);
    at.tv_nsec = static_cast<long>(at_ns % kSecond_ns);
    // A signal may cut the sleep short; the grid point is absolute, so sleeping again is harmless.
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) == EINTR) {
    }
}

void check(const SimFr3Config& config) {
    for (std::size_t j = 0; j < kDof; ++j) {
        const fci::JointLimits& limits = fci::kJointLimits[j];
        const double q = config.start_pose_rad[j];
        if (!(q >= limits.q_min_rad && q <= limits.q_max_rad)) {
            throw std::runtime_error("the start pose of joint " + std::to_string(j + 1) + " is " +
                                     std::to_string(q) + " rad; it must lie between " +
                                     std::to_string(limits.q_min_rad) + " and " +
                                     std::to_string(limits.q_max_rad) + " rad");
        }
        const double frequency = config.natural_frequency_rad_s[j];
        if (!(frequency > 0.0 && std::isfinite(frequency))) {
            throw std::runtime_error("the natural frequency of joint " + std::to_string(j + 1) +
                                     " is " + std::to_string(frequency) +
                                     " rad/s; it must be positive");
        }
    }
}

}  // namespace

SimFr3::SimFr3(const SimFr3Config& config)
    : config_(config), q_(config.start_pose_rad), fail_pending_(config.faults.fail_at_cycle != 0) {
    check(config_);
    for (std::size_t j = 0; j < kDof; ++j) {
        decay_[j] = std::exp(-config_.natural_frequency_rad_s[j] * kCycle_s);
    }
}

void SimFr3::start() {
    if (moving()) {
        throw std::runtime_error("the simulated FR3 is already in a motion; stop it first");
    }
    if (rules_.finished()) q_ = rules_.reference().q;
    for (std::size_t j = 0; j < kDof; ++j) {
        // Joints that were stopped in full motion may be a hair past where the reference turned
        // back; from outside its range the arm could take no command at all.
        const fci::JointLimits& limits = fci::kJointLimits[j];
        q_[j] = std::clamp(q_[j], limits.q_min_rad, limits.q_max_rad);
    }
    dq_ = {};
    rules_.start(q_);
    phase_ = Phase::kStarting;
    answered_ = true;  // there is no state 0 to answer
    pending_lost_ = 0;
    // Virtual time runs on over a recovery, as the clock does.
    grid_origin_ns_ = grid_ns(cycle_);
    cycle_ = 0;
}

bool SimFr3::read(ArmState& state) noexcept {
    const std::uint64_t previous = cycle_;
    const bool running = moving();
    std::int64_t time_ns = grid_ns(cycle_);
    if (running) {
        time_ns = wait_for_next_state();
        advance_to(newest_cycle(time_ns));
        if (fail_pending_ && cycle_ >= config_.faults.fail_at_cycle) {
            fail_pending_ = false;
            rules_.stop(config_.faults.fail_with);
        }
    }
    fill(state, time_ns, cycle_ - previous);
    return running && rules_.reflex() == Reflex::kNone;
}

bool SimFr3::write(const ArmCommand& command) noexcept {
    if (phase_ != Phase::kRunning || !moving()) return false;
    std::uint64_t newest = cycle_;
    if (config_.pacing != Pacing::kVirtual) {
        const std::int64_t now_ns = monotonic_ns();
        be_patient(now_ns);
        newest = newest_cycle(now_ns);
    }
    if (newest > cycle_ || drops_answer()) {
        if (!command.motion_finished) return true;  // the next read() counts what was lost
        advance_to(newest);
        while (drops_answer() && rules_.reflex() == Reflex::kNone) advance_to(cycle_ + 1);
    }
    if (!answered_) {
        answered_ = true;
        rules_.accept(command.q, command.motion_finished);
    }
    return rules_.reflex() == Reflex::kNone;
}

CommandPeaks SimFr3::peaks() const noexcept {
    const fci::MotionRatios& ratios = rules_.ratios();
    return {ratios.velocity().ratio, ratios.acceleration().ratio, ratios.jerk().ratio,
            ratios.jerk_squared_sum()};
}

void SimFr3::stop() noexcept {
    phase_ = Phase::kIdle;
}

void SimFr3::lose(std::uint64_t cycles) noexcept {
    if (config_.pacing == Pacing::kVirtual) pending_lost_ += cycles;
}

bool SimFr3::moving() const noexcept {
    return phase_ != Phase::kIdle && rules_.reflex() == Reflex::kNone && !rules_.finished();
}

std::int64_t SimFr3::grid_ns(std::uint64_t cycle) const noexcept {
    return grid_origin_ns_ + static_cast<std::int64_t>(cycle) * kCycle_ns;
}

std::uint64_t SimFr3::newest_cycle(std::int64_t at_ns) const noexcept {
    return static_cast<std::uint64_t>((at_ns - grid_origin_ns_) / kCycle_ns);
}

// Returns when a state newer than the last one is out, with the time of its receipt.
std::int64_t SimFr3::wait_for_next_state() noexcept {
    const bool first = phase_ == Phase::kStarting;
    phase_ = Phase::kRunning;
    if (config_.pacing == Pacing::kVirtual) {
        const std::uint64_t next = cycle_ + 1 + pending_lost_;
        pending_lost_ = 0;
        return grid_ns(next);
    }
    if (first) grid_origin_ns_ = monotonic_ns();
    // Behind the grid already? Then the newest state waits in the socket, and the sleep returns at
    // once.
    sleep_until(grid_ns(cycle_ + 1));
    const std::int64_t now_ns = monotonic_ns();
    if (newest_cycle(now_ns) > cycle_ + 1) be_patient(now_ns - kCycle_ns);
    return now_ns;
}

// Moves the grid, where it waits for a late controller, so that cycle_ is the newest one at
// `now_ns`.
void SimFr3::be_patient(std::int64_t now_ns) noexcept {
    if (config_.pacing != Pacing::kPatient) return;
    const std::uint64_t newest = newest_cycle(now_ns);
    if (newest > cycle_) grid_origin_ns_ += static_cast<std::int64_t>(newest - cycle_) * kCycle_ns;
}

// Closes the cycles up to `cycle`: write() has taken in the answered one, all others are lost. Ends
// at the cycle in which the arm stops.
void SimFr3::advance_to(std::uint64_t cycle) noexcept {
    while (cycle_ < cycle && rules_.reflex() == Reflex::kNone) {
        if (!answered_) rules_.lost();
        answered_ = false;
        ++cycle_;
        move_joints();
    }
}

void SimFr3::move_joints() noexcept {
    const JointArray& target = rules_.reference().q;
    for (std::size_t j = 0; j < kDof; ++j) {
        const double omega = config_.natural_frequency_rad_s[j];
        const double error = q_[j] - target[j];
        const double slope = dq_[j] + omega * error;
        q_[j] = target[j] + (error + slope * kCycle_s) * decay_[j];
        dq_[j] = (dq_[j] - omega * slope * kCycle_s) * decay_[j];
    }
}

bool SimFr3::drops_answer() const noexcept {
    const SimFaults& faults = config_.faults;
    return faults.drop_from_cycle != 0 && cycle_ >= faults.drop_from_cycle &&
           cycle_ - faults.drop_from_cycle < faults.drop_count;
}

void SimFr3::fill(ArmState& state, std::int64_t time_ns, std::uint64_t elapsed) const noexcept {
    state.time_ns = time_ns;
    state.due_ns = grid_ns(cycle_);
    state.cycle = cycle_;
    state.elapsed_cycles = static_cast<std::uint32_t>(elapsed);
    state.reflex = rules_.reflex();
    state.q = q_;
    state.dq = dq_;
    state.q_d = rules_.reference().q;
    state.dq_d = rules_.reference().dq;
    state.ddq_d = rules_.reference().ddq;
    state.success_rate = rules_.success_rate();
}

}  // namespace rti
