// A recorded run, played again: a fresh stepper is given what the one of the run was given.
//
// No arm is simulated: its states come out of the recording. A cycle is played as the loop plays
// it: the records that the ring had brought by then, step(), plan(). start() comes once, with the
// first state: a stepper that is started again within a run would need a mark in its record.
//
// The same build and the same inputs give the same outputs, bit for bit; what differs was made by
// another build, or is no record of a run.
//
// Any one thread; allocates; throws std::invalid_argument for records that no run leaves behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "control/stepper.hpp"
#include "include/rt_infer.h"

namespace rti {

class Replay {
  public:
    explicit Replay(const StepperConfig& config);

    // What the network process pushed into the ring, next in order; from the ring's first record
    // on, although the core may have attached later.
    void push(std::span<const rti_action> records);

    // The next cycle: `recorded` with every output as the stepper gives it now.
    [[nodiscard]] rti_record play(const rti_record& recorded);

  private:
    void take_until(std::uint64_t ring_index, bool offered);

    std::unique_ptr<Stepper> stepper_;  // its chunks are too big for a stack
    std::vector<rti_action> ring_;      // pushed; those before taken_ have been played
    std::size_t taken_ = 0;
    std::uint64_t ring_index_ = 0;  // records taken since the ring was made
    bool started_ = false;
};

}  // namespace rti
