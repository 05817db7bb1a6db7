// The realtime core as a function: it returns when the motion has ended.
#include <chrono>
#include <cstdio>

#include "core.hpp"
#include "memory/region.hpp"

namespace rti::python {
namespace {

// The GIL is let go of once, before anything is set up, and taken again when the arm has stopped:
// between the two the process could as well have no interpreter.
int run(int region_fd, int heartbeat_fd, const py::dict& config) {
    const CoreOptions options = core_options(config);
    const std::unique_ptr<Arm> arm = make_arm(config);
    const py::gil_scoped_release no_gil;
    const Region region = Region::attach(region_fd, Access::kReadWrite, std::chrono::seconds(0));
    return run_core(region.writable(), heartbeat_fd, *arm, options,
                    [](const std::string& sentence) {
                        std::fprintf(stderr, "%s\n", sentence.c_str());
                        std::fflush(stderr);
                    });
}

}  // namespace

void bind_run(py::module_& module) {
    module.def("run", &run, py::arg("region_fd"), py::arg("heartbeat_fd"), py::arg("config"));
}

}  // namespace rti::python
