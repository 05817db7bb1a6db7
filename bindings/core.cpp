// rt_infer._core: the C++ core as Python sees it. Signatures and docstrings for users: _core.pyi.
#include "core.hpp"

#include "include/rt_infer.h"

namespace {

// Who made this code: part of what a recording says about the build that made it.
#if defined(__clang__)
constexpr const char* kCompiler = __VERSION__;  // begins with its name
#else
constexpr const char* kCompiler = "g++ " __VERSION__;
#endif

}  // namespace

PYBIND11_MODULE(_core, module) {
    module.doc() =
        "The shared memory region, the realtime core, its kinematics, and runs in virtual time.";
    module.attr("ABI_VERSION") = RTI_ABI_VERSION;
    module.attr("LAYOUT_HASH") = RTI_LAYOUT_HASH;
    module.attr("COMPILER") = kCompiler;
    module.attr("DOF") = RTI_DOF;
    module.attr("MAX_CHUNK") = RTI_MAX_CHUNK;
    module.attr("MAX_VALUES") = RTI_MAX_VALUES;
    rti::python::bind_region(module);
    rti::python::bind_statistics(module);
    rti::python::bind_run(module);
    rti::python::bind_virtual_run(module);
    rti::python::bind_kinematics(module);
    rti::python::bind_replay(module);
}
