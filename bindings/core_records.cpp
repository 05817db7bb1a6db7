#include "core_records.hpp"

namespace rti::python {

namespace py = pybind11;

py::dtype cycle_dtype() {
    static const bool known = [] {
        PYBIND11_NUMPY_DTYPE(rti_record, cycle, time_ns, policy_step, policy_rate, chunk_id, epoch,
                             phase, flags, wake_late_ns, response_ns, elapsed_cycles, q_command, q,
                             q_d, dq_d, ddq_d, ring_index, request);
        return true;
    }();
    static_cast<void>(known);
    return py::dtype::of<rti_record>();
}

py::dtype action_dtype() {
    static const bool known = [] {
        PYBIND11_NUMPY_DTYPE(rti_action, kind, epoch, chunk_id, index, count, capture_ns,
                             origin_step, received_ns, dim, flags, values);
        return true;
    }();
    static_cast<void>(known);
    return py::dtype::of<rti_action>();
}

}  // namespace rti::python
