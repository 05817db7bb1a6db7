// numpy's view of the region's records. Made on first use: making it imports numpy.
#pragma once

#include <pybind11/numpy.h>

#include "include/rt_infer.h"

namespace rti::python {

pybind11::dtype cycle_dtype();   // rti_record
pybind11::dtype action_dtype();  // rti_action

}  // namespace rti::python
