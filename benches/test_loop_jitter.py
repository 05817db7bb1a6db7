"""How late the 1 kHz loop wakes, beside cyclictest at the same priority.

Ours is the core process as `rt-infer robot` starts it, with the simulated FR3 and nothing to follow
(it holds); its lateness is from its own statistics in the region. cyclictest (rt-tests) sleeps to
absolute times at the same period, with its memory locked and the CPUs kept out of deep sleep, as
the core does. In both rounds this process ticks as the network process does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import machine
import numpy as np

from rt_infer.robot.core_process import HEARTBEAT_PERIOD_S, CoreConfig, CoreProcess
from rt_infer.robot.region import CoreRegion
from rt_infer.robot.statistics import RunStatistics

ROUNDS = 7
CYCLES = 6000
PRIORITY = 80
PERCENTS = (50, 99, 99.9)
LONGEST_US = 20_000  # of cyclictest's histogram; what is later is counted as this late
OURS, RIVAL = "ours: core process, sim_fr3, hold", "cyclictest"


def core_round() -> RunStatistics:
    """CYCLES cycles of a core of its own."""
    config = CoreConfig(arm={"type": "sim_fr3"}, rt_priority=PRIORITY)
    with CoreRegion.create(robot_id=f"bench-{os.getpid()}", fps=30.0) as region:
        with CoreProcess.start(region, config) as core:
            while region.stats().cycles < CYCLES:
                core.heartbeat()
                time.sleep(HEARTBEAT_PERIOD_S)
                assert core.poll() is None, core.new_log_lines()
            core.finish()
            assert core.wait(10.0) == 0, core.new_log_lines()
        return region.stats()


def cyclictest_round(priority: int, report: Path) -> np.ndarray:
    """CYCLES wake-ups of cyclictest: how late each was, in µs, sorted."""
    scheduling = ["--priority", str(priority)] if priority else ["--policy=other"]
    command = ["cyclictest", "--mlockall", "--threads=1", "--interval=1000", *scheduling]
    command += [f"--loops={CYCLES}", f"--histogram={LONGEST_US}", "--quiet"]
    with report.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            while process.poll() is None:
                time.sleep(HEARTBEAT_PERIOD_S)
        finally:
            process.kill()
            process.wait()
    text = report.read_text()
    assert process.returncode == 0, text
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    late_us, counts = np.array([row for row in rows if row[0].isdigit()], np.int64).T
    beyond = [line for line in text.splitlines() if line.startswith("# Histogram Overflows:")]
    overflows = int(beyond[0].split(":")[1])
    return np.repeat([*late_us, LONGEST_US], [*counts, overflows])


def test_lateness_of_the_loop(contest: Callable[..., Any], tmp_path: Path) -> None:
    table = contest(
        "loop jitter: lateness of a 1 kHz wake-up",
        "µs",
        machine.placement("one thread each, one at a time"),
        key="p99.9",
        bars={RIVAL: 1.2},
    )
    if not shutil.which("cyclictest"):
        table.skip(RIVAL, "not installed: apt-get install -y rt-tests")
    for _ in range(ROUNDS):
        stats = core_round()
        late = stats.wake_late
        figures = {f"p{percent:g}": late.percentile_us(percent) for percent in PERCENTS}
        table.add(OURS, {**figures, "max": late.max_us}, late.count)
        if RIVAL not in table.skipped:
            late_us = cyclictest_round(stats.scheduling_priority, tmp_path / "cyclictest.txt")
            values = np.percentile(late_us, [*PERCENTS, 100], method="inverted_cdf")
            names = [*figures, "max"]
            table.add(RIVAL, dict(zip(names, map(float, values), strict=True)), len(late_us))
    memory = "locked" if stats.memory_locked else "not locked"
    table.notes += [
        f"both scheduled as {stats.scheduling_policy}, priority {stats.scheduling_priority}; the "
        f"core's memory is {memory}",
        f"the core, last round: state to command written p50 {stats.response.percentile_us(50):.1f}"
        f", p99.9 {stats.response.percentile_us(99.9):.1f} µs (cold caches, hold); late cycles "
        f"{stats.late_cycles}, page faults {stats.minor_faults} minor, {stats.major_faults} major",
    ]
