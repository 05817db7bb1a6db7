"""Runs of a real core that are recorded: chunks, lost packets, new epochs, a stale heartbeat."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
from core_rig import FPS, Robot

from rt_infer.config import RunConfig
from rt_infer.recording import Recording
from rt_infer.recording import open as open_recording
from rt_infer.robot.core_process import CoreConfig, CoreProcess
from rt_infer.robot.recording import RecordingTelemetry, header
from rt_infer.robot.region import CoreRegion, Phase
from rt_infer.robot.result import Ending
from rt_infer.robots.sim_fr3 import SimFr3Config


def swing(robot: Robot) -> None:
    """Two seconds of motion that never go straight on: an arm without commands goes elsewhere."""
    state = robot.state
    actions = np.tile(state.q_command, (60, 1))
    actions[:, 0] += 0.15 * (1 - np.cos(np.arange(60) / 5))
    assert robot.region.push_chunk(
        actions,
        epoch=state.epoch,
        chunk_id=100,
        capture_ns=time.monotonic_ns(),
        origin_step=state.policy_step,
        received_ns=time.monotonic_ns(),
    )


@contextmanager
def recorded(
    file: Path, robot_id: str, faults: Mapping[str, object]
) -> Iterator[tuple[Robot, RecordingTelemetry]]:
    """A core whose run is recorded; it has ended when this is left."""
    run = RunConfig(robot=SimFr3Config(id=robot_id), policy_type="hold")
    arm = {"type": "sim_fr3", "patient": True, "faults": faults}
    config = CoreConfig(arm=arm, fps=FPS, speed=0.9)
    with ExitStack() as parts:
        region = parts.enter_context(CoreRegion.create(robot_id, fps=FPS))
        told: list[str] = []
        recording = RecordingTelemetry(region, str(file), header(run, config), told.append)
        yield Robot(region, parts.enter_context(CoreProcess.start(region, config))), recording
        recording.read()
        kept = recording.finish(Ending(0), region.stats())
        assert (kept.path, kept.bytes, kept.ended) == (str(file), file.stat().st_size, None)
        assert told == []


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a run in which everything happens."""
    file = tmp_path_factory.mktemp("recordings") / "run.rec"
    faults = {"drop_from_cycle": 900, "drop_count": 15}
    with recorded(file, f"test-replay-{time.monotonic_ns()}", faults) as (robot, recording):
        swing(robot)
        robot.until(lambda: robot.state.cycle > 1300)
        recording.read()
        robot.push(-0.2)
        robot.until_cycles_have_passed(300)
        before = robot.state.epoch
        assert robot.region.new_epoch()
        robot.push(0.5, epoch=before)  # too late
        robot.until(lambda: robot.state.epoch > before)
        robot.until(lambda: robot.state.phase == Phase.HOLD)
        robot.push(0.25)
        robot.until_cycles_have_passed(300)
        robot.until(lambda: robot.state.phase == Phase.HOLD, beating=False)
        before = robot.state.epoch
        robot.until(lambda: robot.state.epoch > before)
        robot.push(-0.25)
        robot.until_cycles_have_passed(300)
        robot.core.finish()
        assert robot.status_at_end() == 0
    return file


@pytest.fixture(scope="module")
def recording(path: Path) -> Recording:
    return open_recording(path)
