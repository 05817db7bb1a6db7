"""Lists the two native extensions; everything else about the package stands in pyproject.toml.

Switches, read from the environment:

``RT_INFER_SANITIZE=address|thread``  AddressSanitizer with UBSan, or ThreadSanitizer
``RT_INFER_DEBUG=1``                  -O0, symbols, assertions on
``RT_INFER_NATIVE=1``                 -march=native; never in a wheel that leaves this machine
``RT_INFER_NO_EXTENSIONS=1``          the Python files alone; the Makefile's editable install, which
                                      builds the extensions in place afterwards
``RT_INFER_BUILD_JOBS=n``             compilers at once (default: one a core)

Each combination of switches keeps its objects in a folder of its own, so going back and forth
rebuilds nothing. Only objects older than their source or than any header are compiled again.
"""

import os
from glob import glob

from Cython.Build import cythonize
from pybind11.setup_helpers import ParallelCompile, Pybind11Extension
from setuptools import Extension, setup

ROOMS = ("memory", "arms", "kinematics", "motion", "control")
SANITIZERS = {"address": "address,undefined", "thread": "thread"}

core_sources = ["bindings/core.cpp", *sorted(glob("bindings/core_*.cpp"))] + [
    source for room in ROOMS for source in sorted(glob(f"csrc/{room}/*.cpp"))
]
headers = sorted(
    glob("csrc/**/*.hpp", recursive=True)
    + glob("csrc/**/*.h", recursive=True)
    + glob("bindings/*.hpp")
)

sanitizer = os.environ.get("RT_INFER_SANITIZE", "")
debug = os.environ.get("RT_INFER_DEBUG", "") == "1"
native = os.environ.get("RT_INFER_NATIVE", "") == "1"
if sanitizer and sanitizer not in SANITIZERS:
    raise SystemExit(f"RT_INFER_SANITIZE={sanitizer} is unknown: use address or thread.")

# A recorded run replays bit for bit: no fast-math, and no fused multiply-add where the source has
# none, whatever the processor offers.
compile_args = ["-Wall", "-Wextra", "-ffp-contract=off", "-fno-math-errno"]
link_args = []
compile_args += ["-O0", "-g", "-UNDEBUG"] if debug else ["-O2"]
if native:
    compile_args += ["-march=native"]
if sanitizer:
    compile_args += [f"-fsanitize={SANITIZERS[sanitizer]}", "-fno-omit-frame-pointer", "-g"]
    link_args += [f"-fsanitize={SANITIZERS[sanitizer]}"]

flavour = "-".join(
    name for name, on in ((sanitizer, sanitizer), ("debug", debug), ("native", native)) if on
)
build_base = os.path.join("build", flavour or "plain")


def is_stale(obj: str, source: str) -> bool:
    """Whether an object must be compiled again: its source or any header is newer."""
    if not os.path.exists(obj):
        return True
    built = os.path.getmtime(obj)
    return any(os.path.getmtime(path) > built for path in (source, *headers))


core = Pybind11Extension(
    "rt_infer._core",
    core_sources,
    cxx_std=20,
    include_dirs=["csrc", "csrc/include"],
    depends=headers,
    libraries=["rt"],
    extra_compile_args=[*compile_args],
    extra_link_args=[*link_args],
)
frames = Extension(
    "rt_infer._frames",
    ["bindings/frames.pyx"],
    include_dirs=["csrc/include"],
    depends=headers,
    extra_compile_args=[*compile_args],
    extra_link_args=[*link_args],
)
extensions = []
if os.environ.get("RT_INFER_NO_EXTENSIONS", "") != "1":
    generated = os.path.join(build_base, "cython")
    extensions = [core, *cythonize([frames], build_dir=generated, language_level=3)]

ParallelCompile("RT_INFER_BUILD_JOBS", needs_recompile=is_stale).install()
setup(
    ext_modules=extensions,
    # force: link and copy in place each time, since the file there may be of another flavour.
    options={"build": {"build_base": build_base}, "build_ext": {"force": True}},
)
