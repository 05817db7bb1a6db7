// The region's layout, pinned: every field's offset is checked while compiling, and all of it goes
// into one hash, so that two programs built from different headers refuse each other instead of
// misreading.
//
// Changing include/rt_infer.h:  1. correct the table of the type you changed, below;  2. put the
// hash that the compiler's message shows as its first number into RTI_LAYOUT_HASH;  3. raise
// RTI_ABI_VERSION if a release has gone out with the old one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>

#include "include/rt_infer.h"

namespace rti {

namespace layout {

// A field that lies elsewhere than the table says does not compile: the throw is the message.
struct FieldAt {
    std::string_view name;
    std::size_t offset;
    consteval FieldAt(std::string_view field, std::size_t actual, std::size_t expected)
        : name(field), offset(actual) {
        if (actual != expected) throw "this field of rt_infer.h is not at the offset of this table";
    }
};

#define RTI_AT(type, field, expected) FieldAt(#type "." #field, offsetof(type, field), expected)

inline constexpr FieldAt kFields[] = {
    RTI_AT(rti_header, magic, 0),
    RTI_AT(rti_header, published, 8),
    RTI_AT(rti_header, header_size, 12),
    RTI_AT(rti_header, layout_hash, 16),
    RTI_AT(rti_header, total_size, 24),
    RTI_AT(rti_header, generation, 32),
    RTI_AT(rti_header, creator_start_ticks, 40),
    RTI_AT(rti_header, creator_pid, 48),
    RTI_AT(rti_header, dof, 52),
    RTI_AT(rti_header, created_ns, 56),
    RTI_AT(rti_header, boot_id, 64),
    RTI_AT(rti_header, fps, 80),
    RTI_AT(rti_header, ring_offset, 88),
    RTI_AT(rti_header, mailbox_offset, 96),
    RTI_AT(rti_header, stats_offset, 104),
    RTI_AT(rti_header, telemetry_offset, 112),
    RTI_AT(rti_header, ring_capacity, 120),
    RTI_AT(rti_header, action_size, 124),
    RTI_AT(rti_header, mailbox_cells, 128),
    RTI_AT(rti_header, mailbox_cell_size, 132),
    RTI_AT(rti_header, telemetry_capacity, 136),
    RTI_AT(rti_header, telemetry_slot_size, 140),
    RTI_AT(rti_header, robot_id, 144),

    RTI_AT(rti_ring, write_index, 0),
    RTI_AT(rti_ring, rejected, 8),
    RTI_AT(rti_ring, read_index, 128),

    RTI_AT(rti_action, kind, 0),
    RTI_AT(rti_action, epoch, 4),
    RTI_AT(rti_action, chunk_id, 8),
    RTI_AT(rti_action, index, 16),
    RTI_AT(rti_action, count, 20),
    RTI_AT(rti_action, capture_ns, 24),
    RTI_AT(rti_action, origin_step, 32),
    RTI_AT(rti_action, received_ns, 40),
    RTI_AT(rti_action, dim, 48),
    RTI_AT(rti_action, flags, 52),
    RTI_AT(rti_action, values, 56),

    RTI_AT(rti_mailbox, count, 0),
    RTI_AT(rti_mailbox_cell, words, 0),

    RTI_AT(rti_state, cycle, 0),
    RTI_AT(rti_state, time_ns, 8),
    RTI_AT(rti_state, policy_step, 16),
    RTI_AT(rti_state, policy_rate, 24),
    RTI_AT(rti_state, steps_queued, 32),
    RTI_AT(rti_state, epoch_since_ns, 40),
    RTI_AT(rti_state, epoch, 48),
    RTI_AT(rti_state, phase, 52),
    RTI_AT(rti_state, reflex, 56),
    RTI_AT(rti_state, last_refusal, 60),
    RTI_AT(rti_state, chunk_id, 64),
    RTI_AT(rti_state, chunks_admitted, 72),
    RTI_AT(rti_state, chunks_refused, 80),
    RTI_AT(rti_state, start_distance_rad, 88),
    RTI_AT(rti_state, q, 96),
    RTI_AT(rti_state, dq, 152),
    RTI_AT(rti_state, q_command, 208),
    RTI_AT(rti_state, tool, 264),
    RTI_AT(rti_state, tool_values, 336),

    RTI_AT(rti_histogram, count, 0),
    RTI_AT(rti_histogram, max_ns, 8),
    RTI_AT(rti_histogram, sum_ns, 16),
    RTI_AT(rti_histogram, buckets, 24),

    RTI_AT(rti_stats, cycles, 0),
    RTI_AT(rti_stats, late_cycles, 8),
    RTI_AT(rti_stats, minor_faults, 16),
    RTI_AT(rti_stats, major_faults, 24),
    RTI_AT(rti_stats, holds, 32),
    RTI_AT(rti_stats, held_ns, 40),
    RTI_AT(rti_stats, chunks_received, 48),
    RTI_AT(rti_stats, refused, 56),
    RTI_AT(rti_stats, late_steps, 136),
    RTI_AT(rti_stats, splices, 144),
    RTI_AT(rti_stats, bridges_lengthened, 152),
    RTI_AT(rti_stats, splices_delayed, 160),
    RTI_AT(rti_stats, waypoints_clamped, 168),
    RTI_AT(rti_stats, reseeds, 176),
    RTI_AT(rti_stats, limiter_interventions, 184),
    RTI_AT(rti_stats, slowed_ns, 192),
    RTI_AT(rti_stats, fence_stops, 200),
    RTI_AT(rti_stats, followed_cycles, 208),
    RTI_AT(rti_stats, steps_executed, 216),
    RTI_AT(rti_stats, splice_jump_max_rad, 224),
    RTI_AT(rti_stats, policy_distance_squared_sum, 232),
    RTI_AT(rti_stats, jerk_squared_sum, 240),
    RTI_AT(rti_stats, lost_to_slowing_s, 248),
    RTI_AT(rti_stats, velocity_ratio_max, 256),
    RTI_AT(rti_stats, acceleration_ratio_max, 264),
    RTI_AT(rti_stats, jerk_ratio_max, 272),
    RTI_AT(rti_stats, scheduling_policy, 280),
    RTI_AT(rti_stats, scheduling_priority, 284),
    RTI_AT(rti_stats, cpu, 288),
    RTI_AT(rti_stats, memory_locked, 292),
    RTI_AT(rti_stats, outcome, 296),
    RTI_AT(rti_stats, reflexes, 300),
    RTI_AT(rti_stats, reflex_code, 304),
    RTI_AT(rti_stats, reflex_cycle, 368),
    RTI_AT(rti_stats, period, 496),
    RTI_AT(rti_stats, wake_late, 10760),
    RTI_AT(rti_stats, response, 21024),
    RTI_AT(rti_stats, step, 31288),
    RTI_AT(rti_stats, splice, 41552),

    RTI_AT(rti_telemetry, count, 0),
    RTI_AT(rti_telemetry_slot, sequence, 0),
    RTI_AT(rti_telemetry_slot, words, 8),

    RTI_AT(rti_record, cycle, 0),
    RTI_AT(rti_record, time_ns, 8),
    RTI_AT(rti_record, policy_step, 16),
    RTI_AT(rti_record, policy_rate, 24),
    RTI_AT(rti_record, chunk_id, 32),
    RTI_AT(rti_record, epoch, 40),
    RTI_AT(rti_record, phase, 44),
    RTI_AT(rti_record, flags, 46),
    RTI_AT(rti_record, wake_late_ns, 48),
    RTI_AT(rti_record, response_ns, 52),
    RTI_AT(rti_record, elapsed_cycles, 56),
    RTI_AT(rti_record, q_command, 64),
    RTI_AT(rti_record, q, 120),
    RTI_AT(rti_record, q_d, 176),
    RTI_AT(rti_record, dq_d, 232),
    RTI_AT(rti_record, ddq_d, 288),
    RTI_AT(rti_record, ring_index, 344),
    RTI_AT(rti_record, request, 352),

    RTI_AT(rti_region, header, 0),
    RTI_AT(rti_region, ring, 256),
    RTI_AT(rti_region, actions, 512),
    RTI_AT(rti_region, mailbox, 197120),
    RTI_AT(rti_region, cells, 197248),
    RTI_AT(rti_region, stats, 198784),
    RTI_AT(rti_region, telemetry, 250624),
    RTI_AT(rti_region, slots, 250752),
};

#undef RTI_AT

inline constexpr std::size_t kSizes[] = {
    sizeof(rti_header),         sizeof(rti_ring),         sizeof(rti_action),
    sizeof(rti_mailbox),        sizeof(rti_mailbox_cell), sizeof(rti_state),
    sizeof(rti_histogram),      sizeof(rti_stats),        sizeof(rti_telemetry),
    sizeof(rti_telemetry_slot), sizeof(rti_record),       sizeof(rti_region),
};

inline constexpr std::size_t kNumbers[] = {
    RTI_ABI_VERSION,  RTI_DOF,           RTI_MAX_VALUES,         RTI_RING_CAPACITY,
    RTI_MAX_CHUNK,    RTI_MAILBOX_CELLS, RTI_TELEMETRY_CAPACITY, RTI_HISTOGRAM_BUCKETS,
    RTI_MAX_REFLEXES, RTI_LINE,          RTI_MAX_TOOL,
};

// FNV-1a, 64 bits, over the names and numbers above in their order.
class Fnv {
  public:
    constexpr void add(std::string_view text) {
        for (const char c : text) add_byte(static_cast<unsigned char>(c));
    }
    constexpr void add(std::size_t number) {
        for (int shift = 0; shift < 64; shift += 8) {
            add_byte(static_cast<unsigned char>(number >> shift));
        }
    }
    [[nodiscard]] constexpr std::uint64_t value() const { return value_; }

  private:
    constexpr void add_byte(unsigned char byte) { value_ = (value_ ^ byte) * 1099511628211u; }
    std::uint64_t value_ = 14695981039346656037u;
};

consteval std::uint64_t hash() {
    Fnv fnv;
    for (const FieldAt& field : kFields) {
        fnv.add(field.name);
        fnv.add(field.offset);
    }
    for (const std::size_t size : kSizes) fnv.add(size);
    for (const std::size_t number : kNumbers) fnv.add(number);
    return fnv.value();
}

template <std::uint64_t computed, std::uint64_t written>
struct LayoutHash {
    static_assert(computed == written, "rt_infer.h has changed: see the top of layout.hpp");
    static constexpr std::uint64_t value = computed;
};

constexpr bool power_of_two(std::size_t n) {
    return n != 0 && (n & (n - 1)) == 0;
}

template <class T>
constexpr bool shareable = std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T>;

}  // namespace layout

inline constexpr std::uint64_t kLayoutHash =
    layout::LayoutHash<layout::hash(), RTI_LAYOUT_HASH>::value;

static_assert(layout::shareable<rti_region> && layout::shareable<rti_state> &&
              layout::shareable<rti_record>);
static_assert(std::atomic_ref<std::uint64_t>::is_always_lock_free &&
              std::atomic_ref<std::uint32_t>::is_always_lock_free &&
              std::atomic_ref<double>::is_always_lock_free);
static_assert(std::numeric_limits<double>::is_iec559 && sizeof(double) == 8);

// The array lengths stand as numerals in the header, for cffi's sake; here they meet their names.
static_assert(std::extent_v<decltype(rti_region::actions)> == RTI_RING_CAPACITY);
static_assert(std::extent_v<decltype(rti_region::cells)> == RTI_MAILBOX_CELLS);
static_assert(std::extent_v<decltype(rti_region::slots)> == RTI_TELEMETRY_CAPACITY);
static_assert(std::extent_v<decltype(rti_histogram::buckets)> == RTI_HISTOGRAM_BUCKETS);
static_assert(std::extent_v<decltype(rti_action::values)> == RTI_MAX_VALUES);
static_assert(std::extent_v<decltype(rti_stats::refused)> == RTI_REFUSALS);
static_assert(std::extent_v<decltype(rti_stats::reflex_code)> == RTI_MAX_REFLEXES);
static_assert(std::extent_v<decltype(rti_state::q)> == RTI_DOF);
static_assert(std::extent_v<decltype(rti_state::tool)> == RTI_MAX_TOOL);
static_assert(RTI_MAX_VALUES == RTI_DOF + RTI_MAX_TOOL);
static_assert(sizeof(rti_mailbox_cell::words) == sizeof(rti_state));
static_assert(sizeof(rti_telemetry_slot::words) == sizeof(rti_record));

static_assert(layout::power_of_two(RTI_RING_CAPACITY) && RTI_MAX_CHUNK * 2 <= RTI_RING_CAPACITY);
static_assert(layout::power_of_two(RTI_MAILBOX_CELLS) && RTI_MAILBOX_CELLS >= 2);
static_assert(layout::power_of_two(RTI_TELEMETRY_CAPACITY));

// What one process writes and another reads lies RTI_LINE apart from what goes the other way.
static_assert(offsetof(rti_ring, read_index) - offsetof(rti_ring, write_index) >= RTI_LINE);
static_assert(sizeof(rti_header) % RTI_LINE == 0 && sizeof(rti_ring) % RTI_LINE == 0 &&
              sizeof(rti_region::actions) % RTI_LINE == 0 && sizeof(rti_mailbox) % RTI_LINE == 0 &&
              sizeof(rti_mailbox_cell) % RTI_LINE == 0 && sizeof(rti_stats) % RTI_LINE == 0 &&
              sizeof(rti_telemetry) % RTI_LINE == 0);

}  // namespace rti
