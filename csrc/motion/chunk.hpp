// A chunk as the motion sees it: T joint targets, and tool values beside them, that belong to
// consecutive policy steps.
//
// Action i belongs to step `origin_step + i` and is held for one step; the last one is where the
// arm rests when nothing follows. Fixed size, plain values: lives in the stepper, filled record by
// record.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "arms/arm.hpp"
#include "include/rt_infer.h"

namespace rti {

// What an action says beside the joints: a gripper and the like. Nobody here knows what they mean,
// so nobody averages or interpolates them.
using ToolArray = std::array<double, RTI_MAX_TOOL>;

struct Chunk {
    std::uint64_t id = 0;
    std::uint32_t epoch = 0;
    std::uint32_t count = 0;
    std::int64_t capture_ns = 0;
    std::int64_t received_ns = 0;
    double origin_step = 0.0;
    bool well_formed = false;  // begun, of a size there is, and every record fitted the first one
    bool finite = true;
    std::uint32_t tool_values = 0;  // of each action, beside the joints
    std::array<JointArray, RTI_MAX_CHUNK> targets{};
    std::array<ToolArray, RTI_MAX_CHUNK> tools{};

    // Takes the records of a chunk in ring order. True once the last one is in.
    bool take(const rti_action& record) noexcept {
        if (record.index == 0) begin(record);
        // What is not well formed is not kept, for its count may be beyond the arrays.
        well_formed = well_formed && record.chunk_id == id && record.count == count &&
                      record.index < count && record.index == next_ &&
                      record.dim == RTI_DOF + tool_values;
        if (well_formed) {
            for (std::size_t j = 0; j < kDof; ++j) {
                targets[record.index][j] = record.values[j];
                finite = finite && std::isfinite(record.values[j]);
            }
            for (std::size_t k = 0; k < tool_values; ++k) {
                tools[record.index][k] = record.values[kDof + k];
                finite = finite && std::isfinite(record.values[kDof + k]);
            }
        }
        ++next_;
        return record.index + 1 == record.count;
    }

    [[nodiscard]] double last_step() const noexcept { return origin_step + count - 1.0; }
    // The action in force when the clock is at `step`, which is not before the chunk's origin.
    [[nodiscard]] std::size_t in_force(double step) const noexcept {
        const double passed = std::clamp(std::floor(step - origin_step), 0.0, count - 1.0);
        return static_cast<std::size_t>(passed);
    }
    // The joint targets at `step`, joined by straight lines; outside the chunk the nearest end's.
    [[nodiscard]] JointArray between(double step) const noexcept {
        const double local = std::clamp(step - origin_step, 0.0, count - 1.0);
        const auto before = static_cast<std::size_t>(local);
        const std::size_t after = std::min<std::size_t>(before + 1, count - 1);
        const double share = local - static_cast<double>(before);
        JointArray q;
        for (std::size_t j = 0; j < kDof; ++j) {
            q[j] = targets[before][j] + share * (targets[after][j] - targets[before][j]);
        }
        return q;
    }

  private:
    void begin(const rti_action& record) noexcept {
        id = record.chunk_id;
        epoch = record.epoch;
        count = record.count;
        capture_ns = record.capture_ns;
        received_ns = record.received_ns;
        origin_step = record.origin_step;
        well_formed = record.count >= 1 && record.count <= RTI_MAX_CHUNK && record.dim >= RTI_DOF &&
                      record.dim <= RTI_MAX_VALUES;
        tool_values = well_formed ? record.dim - RTI_DOF : 0;
        finite = std::isfinite(record.origin_step);
        next_ = 0;
    }

    std::uint32_t next_ = 0;
};

}  // namespace rti
