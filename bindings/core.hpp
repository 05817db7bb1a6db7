// The parts of rt_infer._core, one file each, and the configuration that two of them read.
//
// Everything here runs with the GIL held, but for run(), which lets go of it for the whole motion,
// and what plays a motion in virtual time. Nothing may import numpy before it is asked for an
// array: the core process never is.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <string_view>

#include "arms/arm.hpp"
#include "arms/sim_fr3.hpp"
#include "control/core.hpp"
#include "include/rt_infer.h"

namespace rti::python {

namespace py = pybind11;

void bind_region(py::module_& module);
void bind_statistics(py::module_& module);
void bind_run(py::module_& module);
void bind_virtual_run(py::module_& module);
void bind_kinematics(py::module_& module);
void bind_replay(py::module_& module);

// From the dict that CoreConfig (rt_infer/robot/core_process.py) becomes. ValueError for a key that
// is unknown, or a value that is not what it should be: one sentence that names it.
CoreOptions core_options(const py::dict& config);
SimFr3Config sim_fr3_config(const py::dict& arm);
std::unique_ptr<Arm> make_arm(const py::dict& config);

// "epoch", "age", …: what Python calls an rti_refusal; empty for RTI_ADMITTED.
std::string_view refusal_name(std::uint32_t refusal) noexcept;

// A copy of statistics that the core may be writing: a dict, histograms as dicts of their own.
py::dict statistics_of(const rti_stats& stats);

}  // namespace rti::python
