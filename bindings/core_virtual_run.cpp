// Runs in virtual time, for property tests and plots: scripts in, arrays out.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "arms/sim_fr3.hpp"
#include "control/virtual_run.hpp"
#include "core.hpp"

namespace rti::python {
namespace {

using Values = py::array_t<double, py::array::c_style | py::array::forcecast>;
// (cycle, actions, origin_step, capture_cycle, epoch)
using ChunkEvent = std::tuple<std::uint64_t, Values, std::optional<double>, std::uint64_t,
                              std::optional<std::uint32_t>>;

VirtualChunk to_chunk(const ChunkEvent& event) {
    const auto& [cycle, actions, origin_step, capture_cycle, epoch] = event;
    if (actions.ndim() != 2 || actions.shape(1) < 1) throw py::value_error("actions are (T, A)");
    return {.cycle = cycle,
            .capture_cycle = capture_cycle,
            .origin_step = origin_step,
            .epoch = epoch,
            .dim = static_cast<std::uint32_t>(actions.shape(1)),
            .values = {actions.data(), actions.data() + actions.size()}};
}

Request to_request(const std::string& name) {
    if (name == "follow") return Request::kFollow;
    if (name == "rest") return Request::kRest;
    if (name == "finish") return Request::kFinish;
    throw py::value_error("a request is follow, rest or finish, not " + name);
}

template <class T, class Get>
py::array_t<T> column(const std::vector<VirtualCycle>& cycles, Get get) {
    py::array_t<T> out(static_cast<py::ssize_t>(cycles.size()));
    auto values = out.template mutable_unchecked<1>();
    for (std::size_t i = 0; i < cycles.size(); ++i) {
        values(static_cast<py::ssize_t>(i)) = static_cast<T>(get(cycles[i]));
    }
    return out;
}

// A row of N values for each cycle.
template <std::size_t N, class Get>
py::array_t<double> rows(const std::vector<VirtualCycle>& cycles, Get get) {
    py::array_t<double> out({static_cast<py::ssize_t>(cycles.size()), static_cast<py::ssize_t>(N)});
    double* to = out.mutable_data();
    for (const VirtualCycle& cycle : cycles) {
        const std::array<double, N>& values = get(cycle);
        to = std::copy(values.begin(), values.end(), to);
    }
    return out;
}

py::dict counts(const Progress& progress) {
    py::dict out;
    out["chunks_received"] = progress.chunks_received;
    out["chunks_admitted"] = progress.chunks_admitted;
    py::dict refused;
    for (std::uint32_t reason = RTI_REFUSED_EPOCH; reason < RTI_REFUSALS; ++reason) {
        refused[py::str(std::string(refusal_name(reason)))] = progress.refused[reason];
    }
    out["refused"] = refused;
    out["start_distance_rad"] = progress.start_distance_rad;
    out["late_steps"] = progress.late_steps;
    out["splices"] = progress.splices;
    out["bridges_lengthened"] = progress.bridges_lengthened;
    out["splices_delayed"] = progress.splices_delayed;
    out["waypoints_clamped"] = progress.waypoints_clamped;
    out["reseeds"] = progress.reseeds;
    out["limiter_interventions"] = progress.limiter_interventions;
    out["holds"] = progress.holds;
    out["held_cycles"] = progress.held_cycles;
    out["slowed_cycles"] = progress.slowed_cycles;
    out["fence_stops"] = progress.fence_stops;
    out["followed_cycles"] = progress.followed_cycles;
    out["steps_executed"] = progress.steps_executed;
    out["splice_jump_max_rad"] = progress.splice_jump_max_rad;
    out["policy_distance_squared_sum"] = progress.policy_distance_squared_sum;
    out["lost_to_slowing_s"] = progress.lost_to_slowing_s;
    return out;
}

py::dict to_dict(const VirtualRun& run) {
    using Cycle = VirtualCycle;
    const std::vector<Cycle>& cycles = run.cycles;
    py::dict out;
    out["time_ns"] = column<std::int64_t>(cycles, [](const Cycle& c) { return c.state.time_ns; });
    out["elapsed_cycles"] =
        column<std::uint32_t>(cycles, [](const Cycle& c) { return c.state.elapsed_cycles; });
    out["q"] = rows<kDof>(cycles, [](const Cycle& c) -> const JointArray& { return c.state.q; });
    out["q_command"] =
        rows<kDof>(cycles, [](const Cycle& c) -> const JointArray& { return c.q_command; });
    out["policy_step"] = column<double>(cycles, [](const Cycle& c) { return c.policy_step; });
    out["policy_rate"] = column<double>(cycles, [](const Cycle& c) { return c.policy_rate; });
    out["phase"] = column<std::uint8_t>(cycles, [](const Cycle& c) { return c.phase; });
    out["flags"] = column<std::uint16_t>(cycles, [](const Cycle& c) { return c.flags; });
    out["epoch"] = column<std::uint32_t>(cycles, [](const Cycle& c) { return c.epoch; });
    out["chunk_id"] = column<std::uint64_t>(cycles, [](const Cycle& c) { return c.chunk_id; });
    out["tool"] =
        rows<RTI_MAX_TOOL>(cycles, [](const Cycle& c) -> const ToolArray& { return c.tool; });
    out["tool_values"] =
        column<std::uint32_t>(cycles, [](const Cycle& c) { return c.tool_values; });
    out["counts"] = counts(run.progress);
    out["velocity_ratio_max"] = run.peaks.velocity_ratio;
    out["acceleration_ratio_max"] = run.peaks.acceleration_ratio;
    out["jerk_ratio_max"] = run.peaks.jerk_ratio;
    out["jerk_squared_sum"] = run.peaks.jerk_squared_sum;
    const bool stopped = run.reflex != Reflex::kNone;
    out["reflex"] =
        stopped ? py::object(py::str(std::string(reflex_name(run.reflex)))) : py::none();
    out["reflex_cycle"] = stopped ? py::object(py::int_(run.reflex_cycle)) : py::none();
    return out;
}

py::dict simulate(const py::dict& config, std::uint64_t cycles,
                  const std::vector<ChunkEvent>& chunks,
                  const std::vector<std::pair<std::uint64_t, std::string>>& requests,
                  const std::vector<std::pair<std::uint64_t, std::uint64_t>>& lost,
                  const std::vector<std::uint64_t>& new_epochs) {
    const CoreOptions options = core_options(config);
    const SimFr3Config arm =
        sim_fr3_config(config.contains("arm") ? py::dict(config["arm"]) : py::dict());
    VirtualScript script;
    script.cycles = cycles;
    for (const ChunkEvent& event : chunks) script.chunks.push_back(to_chunk(event));
    for (const auto& [cycle, name] : requests) script.requests.push_back({cycle, to_request(name)});
    for (const auto& [cycle, count] : lost) script.losses.push_back({cycle, count});
    script.new_epochs = new_epochs;
    VirtualRun run;
    {
        const py::gil_scoped_release no_gil;
        run = play(options.motion, arm, script);
    }
    return to_dict(run);
}

// Cycles from 0 on: how many the arm took, and why it took no more.
using Verdict = std::pair<std::uint64_t, std::optional<std::string>>;

// No stepper, no limiter: the arm alone, given every command as it stands.
Verdict judge(const JointArray& start_pose_rad, const Values& commands,
              const std::vector<std::pair<std::uint64_t, std::uint64_t>>& lost) {
    if (commands.ndim() != 2 || commands.shape(1) != kDof) {
        throw py::value_error("commands are (N, 7)");
    }
    std::vector<std::uint64_t> lost_before(static_cast<std::size_t>(commands.shape(0)));
    for (const auto& [command, cycles] : lost) {
        if (command >= lost_before.size()) {
            throw py::value_error("cycles are lost before command " + std::to_string(command) +
                                  " of " + std::to_string(lost_before.size()));
        }
        lost_before[command] += cycles;
    }
    const double* row = commands.data();

    const py::gil_scoped_release no_gil;
    SimFr3Config config;
    config.pacing = Pacing::kVirtual;
    config.start_pose_rad = start_pose_rad;
    SimFr3 arm(config);
    arm.start();
    ArmState state;
    // ArmState counts from 1. A lost cycle stops the arm at the state that follows it, a command in
    // its own cycle; the reason of the latter stands in the next state only.
    for (const std::uint64_t cycles : lost_before) {
        arm.lose(cycles);
        if (!arm.read(state)) return {state.cycle - 2, std::string(reflex_name(state.reflex))};
        ArmCommand command;
        std::copy_n(row, kDof, command.q.begin());
        row += kDof;
        if (arm.write(command)) continue;
        const std::uint64_t refused = state.cycle - 1;
        static_cast<void>(arm.read(state));
        return {refused, std::string(reflex_name(state.reflex))};
    }
    return {state.cycle, std::nullopt};
}

}  // namespace

void bind_virtual_run(py::module_& module) {
    module.def("simulate", &simulate, py::arg("config"), py::arg("cycles"),
               py::arg("chunks") = py::list(), py::arg("requests") = py::list(),
               py::arg("lost") = py::list(), py::arg("new_epochs") = py::list());
    module.def("judge", &judge, py::arg("start_pose_rad"), py::arg("commands"),
               py::arg("lost") = py::list());
}

}  // namespace rti::python
