// Admission: which chunk may move the arm, and of which epoch it has to be.
//
// A chunk is judged once, when its last record has come: it must be whole and finite, of the
// present epoch, from an observation captured since that epoch began, newer than the one admitted
// before, and young enough; something of it must still lie ahead of the policy clock; and the first
// path of an epoch must begin near the arm. What is admitted does not expire.
//
// Epochs. begin_epoch() makes void whatever was captured until then. The cycle it is called in may
// not have a time yet: until cycle() gives it one, every chunk is too old.
//
// Pure values; the stepper's thread. Nothing allocates or throws.
#pragma once

#include <cstdint>

#include "arms/arm.hpp"
#include "include/rt_infer.h"
#include "motion/chunk.hpp"

namespace rti {

struct AdmissionRules {
    double max_age_s = 2.0;               // older observations are refused, and those as far ahead
    double max_start_distance_rad = 0.5;  // first target of an epoch from the arm, worst joint
};

class Admission {
  public:
    explicit Admission(const AdmissionRules& rules) noexcept : rules_(rules) {}

    // What a chunk is judged against.
    struct Moment {
        std::int64_t now_ns;  // of the newest cycle
        double step;          // the policy clock
        bool stopping;        // the world has asked for rest: nothing is admitted
        JointArray q;         // the last command [rad]
    };

    void begin_epoch() noexcept;
    // Each cycle has a time; an epoch that has begun since the last one begins at it.
    void cycle(std::int64_t now_ns) noexcept;

    // RTI_ADMITTED, or why not.
    [[nodiscard]] rti_refusal judge(const Chunk& chunk, const Moment& moment) noexcept;
    // A path of the present epoch is followed: from now on the start is behind us.
    void started() noexcept { at_the_start_ = false; }

    [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }
    // Observations captured before this are void.
    [[nodiscard]] std::int64_t epoch_since_ns() const noexcept { return epoch_since_ns_; }
    // Of the last chunk refused for RTI_REFUSED_START.
    [[nodiscard]] double start_distance_rad() const noexcept { return start_distance_rad_; }

  private:
    AdmissionRules rules_;
    std::uint32_t epoch_ = 0;
    std::int64_t epoch_since_ns_ = 0;
    std::int64_t last_capture_ns_ = 0;  // of the chunk last admitted
    bool at_the_start_ = true;          // no chunk of this epoch has become the path yet
    double start_distance_rad_ = 0.0;
};

}  // namespace rti
