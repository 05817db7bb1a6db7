#include "control/admission.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rti {
namespace {

constexpr std::int64_t kNotYet_ns = std::numeric_limits<std::int64_t>::max();

}  // namespace

void Admission::begin_epoch() noexcept {
    ++epoch_;
    epoch_since_ns_ = kNotYet_ns;
    at_the_start_ = true;
}

void Admission::cycle(std::int64_t now_ns) noexcept {
    if (epoch_since_ns_ == kNotYet_ns) epoch_since_ns_ = now_ns;
}

rti_refusal Admission::judge(const Chunk& chunk, const Moment& moment) noexcept {
    if (!chunk.well_formed) return RTI_REFUSED_MALFORMED;
    if (!chunk.finite) return RTI_REFUSED_NOT_FINITE;
    if (moment.stopping) return RTI_REFUSED_STOPPING;
    if (chunk.epoch != epoch_ || chunk.capture_ns < epoch_since_ns_) return RTI_REFUSED_EPOCH;
    // As far in the future it is of another clock; admitted, it would make every later one old.
    const auto age_ns = static_cast<double>(moment.now_ns - chunk.capture_ns);
    if (std::abs(age_ns) > rules_.max_age_s * 1e9) return RTI_REFUSED_AGE;
    if (chunk.capture_ns <= last_capture_ns_) return RTI_REFUSED_ORDER;
    // A clock that stands where the chunk begins has consumed nothing of it.
    const double consumed = moment.step - chunk.origin_step;
    if (consumed >= chunk.count || consumed < 0.0) return RTI_REFUSED_LATE;
    if (at_the_start_) {
        const auto first = static_cast<std::size_t>(std::ceil(consumed));
        const JointArray& target = chunk.targets[std::min<std::size_t>(first, chunk.count - 1)];
        const double away_rad = distance(target, moment.q);
        if (away_rad > rules_.max_start_distance_rad) {
            start_distance_rad_ = away_rad;
            return RTI_REFUSED_START;
        }
    }
    last_capture_ns_ = chunk.capture_ns;
    return RTI_ADMITTED;
}

}  // namespace rti
