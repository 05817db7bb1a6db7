"""The public C header of the region, for tools that read a region through cffi.

    ffi = cffi.FFI()
    ffi.cdef(load_cdef())
    numbers = ffi.dlopen(None)                                 # numbers.RTI_ABI_VERSION, …
    region = ffi.cast("rti_region *", ffi.from_buffer(mapped))

Python orders no memory accesses: what a live core writes meanwhile may come out torn. CoreRegion
reads it whole.
"""

from __future__ import annotations

import re
from importlib.resources import files

__all__ = ["load_cdef"]

# What cffi understands of the preprocessor: a name for one integer.
_NUMBER = re.compile(r"#define\s+\w+\s+(0x[0-9a-fA-F]+|\d+)[uUlL]*\s*(/\*|$)")


def load_cdef() -> str:
    """rt_infer.h as ``cffi.FFI.cdef`` takes it: declarations and integer constants.

    Include guards and #include lines are dropped; line numbers stay the header's own.
    """
    text = (files("rt_infer") / "include" / "rt_infer.h").read_text(encoding="utf-8")
    return "\n".join(
        "" if line.startswith("#") and not _NUMBER.match(line) else line
        for line in text.splitlines()
    )
