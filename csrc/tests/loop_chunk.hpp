// A chunk from what the mailbox shows: joint 1 moves away by `shift_rad`, the others stay.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "include/rt_infer.h"

namespace rti::test {

// Allocates nothing, so that it can be used where nothing may.
inline void fill_chunk(std::span<rti_action> chunk, const rti_state& seen, std::uint64_t chunk_id,
                       double shift_rad) noexcept {
    const auto count = static_cast<std::uint32_t>(chunk.size());
    for (std::uint32_t i = 0; i < count; ++i) {
        rti_action& action = chunk[i] = {};
        action.kind = RTI_RECORD_ACTION;
        action.epoch = seen.epoch;
        action.chunk_id = chunk_id;
        action.index = i;
        action.count = count;
        action.capture_ns = seen.time_ns;
        action.origin_step = seen.policy_step;
        action.received_ns = seen.time_ns;
        action.dim = RTI_DOF;
        std::copy_n(seen.q_command, RTI_DOF, action.values);
        action.values[0] += shift_rad * (i + 1) / count;
    }
}

}  // namespace rti::test
