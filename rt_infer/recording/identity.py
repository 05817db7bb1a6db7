"""Which build made a recording: bit for bit, a run can only be played again by the same one.

The sources forbid contracted and reordered arithmetic, so that most builds agree; a compiler or a
C library (whose functions choose their code by the processor) may still round otherwise.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rt_infer
from rt_infer import _core

_WORDS = {
    "version": "rt-infer",
    "compiler": "compiler",
    "libc": "C library",
    "processor": "processor",
    "core_sha256": "built core",
}


def identity() -> dict[str, str]:
    """This build on this machine, as a recording's header carries it."""
    return {
        "version": rt_infer.__version__,
        "layout_hash": f"{_core.LAYOUT_HASH:#018x}",
        "core_sha256": hashlib.sha256(Path(_core.__file__).read_bytes()).hexdigest(),
        "compiler": _core.COMPILER,
        "libc": " ".join(platform.libc_ver()),
        "processor": _processor(),
    }


def differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> list[str]:
    """What another build or machine has otherwise, in words; empty if it is this one."""
    found = []
    for key, word in _WORDS.items():
        if theirs.get(key) != ours.get(key):
            shown = "" if key == "core_sha256" else f" {theirs.get(key)} (here {ours.get(key)})"
            found.append(word + shown)
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
