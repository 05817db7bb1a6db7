"""What a figure was taken on: nothing here changes anything."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy as np


def describe() -> dict[str, Any]:
    """The machine, its kernel, its load at this moment, and the versions that matter."""
    cpus = sorted(os.sched_getaffinity(0))
    flags = _cpuinfo("flags").split()
    return {
        "cpu": _cpuinfo("model name") or platform.processor() or platform.machine(),
        "cpus": cpus,
        "virtual": "hypervisor" in flags,
        "kernel": platform.release(),
        "realtime_kernel": Path("/sys/kernel/realtime").exists(),
        "governor": _first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "compiler": _compiler(),
    }


def sentences(machine: dict[str, Any]) -> list[str]:
    """The same for people."""
    kind = "virtual machine" if machine["virtual"] else "real machine"
    kernel = "PREEMPT_RT kernel" if machine["realtime_kernel"] else "kernel"
    lines = [
        f"{machine['cpu']}, {kind}, {len(machine['cpus'])} CPUs allowed "
        f"({', '.join(map(str, machine['cpus']))}), governor {machine['governor'] or 'unknown'}, "
        f"{kernel} {machine['kernel']}",
        f"Python {machine['python']}, numpy {machine['numpy']}, {machine['compiler']}; "
        f"load {machine['load']} before the first bench",
    ]
    if machine["load"] > 0.3 * len(machine["cpus"]):
        lines.append("The machine was busy with other work: repeat on a quiet one before quoting.")
    return lines


def placement(what: str) -> str:
    """Where things ran, when nothing was pinned."""
    return f"{what}, not pinned ({len(os.sched_getaffinity(0))} CPUs)"


def _cpuinfo(name: str) -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _compiler() -> str:
    try:
        command = [os.environ.get("CXX", "g++"), "--version"]
        told = subprocess.run(command, check=False, capture_output=True, text=True)
        return told.stdout.splitlines()[0]
    except (OSError, IndexError):
        return "no compiler"
