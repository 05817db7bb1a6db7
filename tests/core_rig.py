"""A region, with or without its core, and the hand that keeps the core alive in a test."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from rt_infer.robot.core_process import CoreConfig, CoreProcess
from rt_infer.robot.region import CoreRegion, CoreState

SHM = Path("/dev/shm")
FPS = 30.0
_serial = itertools.count()


@pytest.fixture
def robot_id() -> Iterator[str]:
    robot = f"test-core-{os.getpid()}-{next(_serial)}"
    yield robot
    for left in SHM.glob(f"rt-infer.{robot}*"):
        left.unlink()


class Robot:
    """A region with its core, and a hand that keeps the heart beating while a test waits."""

    def __init__(self, region: CoreRegion, core: CoreProcess) -> None:
        self.region = region
        self.core = core
        self._chunks = itertools.count(1)

    @property
    def state(self) -> CoreState:
        state = self.region.state()
        assert state is not None
        return state

    def until(self, holds: Callable[[], bool], *, beating: bool = True) -> None:
        while not holds():
            if beating:
                self.core.heartbeat()
            time.sleep(0.005)

    def until_cycles_have_passed(self, cycles: int) -> None:
        goal = self.state.cycle + cycles
        self.until(lambda: self.state.cycle >= goal)

    def push(
        self, shift_rad: float, *, steps: int = 30, epoch: int | None = None
    ) -> npt.NDArray[np.float64]:
        """A chunk from the latest state that moves joint 1 by so much; returns the last target."""
        state = self.state
        actions = np.tile(state.q_command, (steps, 1))
        actions[:, 0] += shift_rad * np.linspace(0.0, 1.0, steps)
        assert self.region.push_chunk(
            actions,
            epoch=state.epoch if epoch is None else epoch,
            chunk_id=next(self._chunks),
            capture_ns=time.monotonic_ns(),
            origin_step=state.policy_step,
            received_ns=time.monotonic_ns(),
        )
        return actions[-1]

    def status_at_end(self) -> int:
        self.until(lambda: self.core.poll() is not None)
        status = self.core.poll()
        assert status is not None
        return status


@contextmanager
def robot(robot_id: str, **config: object) -> Iterator[Robot]:
    options = {"arm": {"type": "sim_fr3", "patient": True}, "fps": FPS, **config}
    with ExitStack() as parts:
        region = parts.enter_context(CoreRegion.create(robot_id, fps=FPS))
        core = parts.enter_context(CoreProcess.start(region, CoreConfig(**options)))  # type: ignore[arg-type]
        yield Robot(region, core)


def names(robot: str) -> list[str]:
    return sorted(path.name for path in SHM.glob(f"rt-infer.{robot}*"))


def chunk(steps: int = 50) -> np.ndarray:
    return np.zeros((steps, 7), dtype=np.float32)


def push(region: CoreRegion, actions: np.ndarray, chunk_id: int = 1) -> bool:
    return region.push_chunk(
        actions, epoch=1, chunk_id=chunk_id, capture_ns=1, origin_step=0.0, received_ns=2
    )
