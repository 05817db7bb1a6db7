#include "control/replay.hpp"

#include <cmath>
#include <stdexcept>
#include <string>

#include "control/cycle_record.hpp"

namespace rti {
namespace {

// The planner takes an arm at its word: what an arm cannot report must not come before it.
void check(const rti_record& record) {
    bool finite = true;
    for (std::size_t j = 0; j < RTI_DOF; ++j) {
        finite = finite && std::isfinite(record.q_d[j]) && std::isfinite(record.dq_d[j]) &&
                 std::isfinite(record.ddq_d[j]);
    }
    if (!finite) {
        throw std::invalid_argument("in cycle " + std::to_string(record.cycle) +
                                    " the arm reports what is no number");
    }
}

}  // namespace

Replay::Replay(const StepperConfig& config) : stepper_(std::make_unique<Stepper>(config)) {}

void Replay::push(std::span<const rti_action> records) {
    ring_.erase(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(taken_));
    taken_ = 0;
    ring_.insert(ring_.end(), records.begin(), records.end());
}

rti_record Replay::play(const rti_record& recorded) {
    check(recorded);
    const ArmState state = state_of(recorded);
    if (!started_) stepper_->start(state);
    // What came before the loop attached was never executed: its first cycle takes no record.
    take_until(recorded.ring_index, started_);
    started_ = true;
    const ArmCommand command = stepper_->step(state, static_cast<Request>(recorded.request));
    stepper_->plan();
    rti_record played = recorded;
    put_outputs(command, stepper_->progress(), played);
    return played;
}

void Replay::take_until(std::uint64_t ring_index, bool offered) {
    if (ring_index < ring_index_ || ring_index - ring_index_ > ring_.size() - taken_) {
        throw std::invalid_argument(
            "a cycle has drained " + std::to_string(ring_index) + " records of the ring, but " +
            std::to_string(ring_index_ + ring_.size() - taken_) + " were pushed");
    }
    for (; ring_index_ < ring_index; ++ring_index_, ++taken_) {
        if (offered) stepper_->offer(ring_[taken_]);
    }
}

}  // namespace rti
