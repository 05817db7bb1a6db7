// The run's statistics as plain values and arrays; rt_infer/robot/statistics.py gives them a shape.
#include <pybind11/numpy.h>

#include <array>
#include <cstdint>
#include <string>

#include "core.hpp"
#include "memory/histogram.hpp"
#include "memory/words.hpp"

namespace rti::python {
namespace {

py::dict histogram(const rti_histogram& histogram) {
    const rti_histogram copy = histogram_snapshot(histogram);
    py::dict out;
    out["count"] = copy.count;
    out["max_ns"] = copy.max_ns;
    out["sum_ns"] = copy.sum_ns;
    out["buckets"] = py::array_t<std::uint64_t>(RTI_HISTOGRAM_BUCKETS, copy.buckets);
    return out;
}

std::uint64_t histogram_percentile_ns(
    const py::array_t<std::uint64_t, py::array::c_style | py::array::forcecast>& buckets,
    std::uint64_t max_ns, double percent) {
    if (buckets.size() != RTI_HISTOGRAM_BUCKETS) {
        throw py::value_error("these are not the buckets of a histogram");
    }
    rti_histogram copy{};
    copy.max_ns = max_ns;
    std::copy_n(buckets.data(), RTI_HISTOGRAM_BUCKETS, copy.buckets);
    return percentile_ns(copy, percent);
}

py::object outcome_name(std::uint32_t outcome) {
    if (outcome == RTI_PHASE_FINISHED) return py::str("finished");
    if (outcome == RTI_PHASE_FAULT) return py::str("fault");
    return py::none();
}

}  // namespace

std::string_view refusal_name(std::uint32_t refusal) noexcept {
    constexpr std::array<std::string_view, RTI_REFUSALS> kNames = {
        "",      "epoch", "age",       "order",    "not_finite",
        "start", "late",  "malformed", "stopping", "fence"};
    return refusal < kNames.size() ? kNames[refusal] : "unknown";
}

py::dict statistics_of(const rti_stats& from) {
    py::dict out;
#define RTI_COPY(field) out[#field] = load_relaxed(from.field)
    RTI_COPY(cycles);
    RTI_COPY(late_cycles);
    RTI_COPY(minor_faults);
    RTI_COPY(major_faults);
    RTI_COPY(holds);
    RTI_COPY(held_ns);
    RTI_COPY(chunks_received);
    RTI_COPY(late_steps);
    RTI_COPY(splices);
    RTI_COPY(bridges_lengthened);
    RTI_COPY(splices_delayed);
    RTI_COPY(waypoints_clamped);
    RTI_COPY(reseeds);
    RTI_COPY(limiter_interventions);
    RTI_COPY(slowed_ns);
    RTI_COPY(fence_stops);
    RTI_COPY(followed_cycles);
    RTI_COPY(steps_executed);
    RTI_COPY(splice_jump_max_rad);
    RTI_COPY(policy_distance_squared_sum);
    RTI_COPY(jerk_squared_sum);
    RTI_COPY(lost_to_slowing_s);
    RTI_COPY(velocity_ratio_max);
    RTI_COPY(acceleration_ratio_max);
    RTI_COPY(jerk_ratio_max);
    RTI_COPY(scheduling_priority);
#undef RTI_COPY
    py::dict refused;
    for (std::uint32_t reason = RTI_REFUSED_EPOCH; reason < RTI_REFUSALS; ++reason) {
        refused[py::str(std::string(refusal_name(reason)))] = load_relaxed(from.refused[reason]);
    }
    out["refused"] = refused;
    out["scheduling_policy"] = load_relaxed(from.scheduling_policy) == 1 ? "fifo" : "other";
    const std::int32_t cpu = load_relaxed(from.cpu);
    out["cpu"] = cpu < 0 ? py::object(py::none()) : py::int_(cpu);
    out["memory_locked"] = load_relaxed(from.memory_locked) != 0;
    out["outcome"] = outcome_name(load_relaxed(from.outcome));
    py::list reflexes;
    for (std::uint32_t i = 0; i < load_relaxed(from.reflexes) && i < RTI_MAX_REFLEXES; ++i) {
        const auto code = static_cast<Reflex>(load_relaxed(from.reflex_code[i]));
        reflexes.append(
            py::make_tuple(std::string(reflex_name(code)), load_relaxed(from.reflex_cycle[i])));
    }
    out["reflexes"] = reflexes;
    out["period"] = histogram(from.period);
    out["wake_late"] = histogram(from.wake_late);
    out["response"] = histogram(from.response);
    out["step"] = histogram(from.step);
    out["splice"] = histogram(from.splice);
    return out;
}

void bind_statistics(py::module_& module) {
    module.def("histogram_percentile_ns", &histogram_percentile_ns, py::arg("buckets"),
               py::arg("max_ns"), py::arg("percent"));
}

}  // namespace rti::python
