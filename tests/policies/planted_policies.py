"""Policies with a planted fault, served through `--allow_python=planted_policies:<factory>`.

Each behaves until the first joint of the state is `TRIGGER` or above, so that a test decides when
the fault strikes and warm-up passes. Numpy only: they start fast.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping

import numpy as np

from rt_infer.policies.base import STATE_KEY, PolicySpec

TRIGGER = 100.0
STATE = tuple(f"joint_{i}.pos" for i in range(1, 8))
STEPS = 50


class Echo:
    """Answers with the state, step after step; `seen` counts since the last reset."""

    def __init__(self, chunk_size: int = STEPS, history: int = 1) -> None:
        self.spec = PolicySpec(
            state=STATE,
            images={"front": (48, 64, 3)},
            actions=STATE,
            chunk_size=chunk_size,
            history=history,
        )
        self.seen: dict[int, int] = {}
        self.session = 0

    def reset(self, session: int) -> None:
        self.seen[session] = 0

    def prepare(self, observation: Mapping[str, np.ndarray | str]) -> np.ndarray:
        self.pixels = observation["observation.images.front"].copy()
        self.task = observation.get("task", "")
        return np.array(observation[STATE_KEY], np.float32)

    def infer(self, batch: np.ndarray) -> np.ndarray:
        if batch.flat[0] >= TRIGGER:
            return self.fault(batch)
        return batch

    def fault(self, batch: np.ndarray) -> np.ndarray:
        return batch

    def finish(self, output: np.ndarray) -> np.ndarray:
        if output.ndim == 2 and len(output) == self.spec.chunk_size:
            return output
        return np.tile(output.reshape(-1, len(STATE))[-1], (self.spec.chunk_size, 1))


def echo(device: str) -> Echo:
    """Behaves."""
    return Echo()


def long_chunks(device: str) -> Echo:
    """Behaves, with answers of 4096 × 7 × 4 bytes: more than fit into a message."""
    return Echo(chunk_size=4096)


class _WithTask(Echo):
    def finish(self, output: np.ndarray) -> np.ndarray:
        chunk = np.zeros((STEPS, len(STATE)), np.float32)
        chunk[:, 0] = len(self.task)
        chunk[:, 1] = self.pixels.sum()
        return chunk


def looker(device: str) -> Echo:
    """Answers with what it saw: the length of the task and the sum of the pixels."""
    return _WithTask()


class _Stateful(Echo):
    def reset(self, session: int) -> None:
        self.count = 0

    def infer(self, batch: np.ndarray) -> np.ndarray:
        self.count = getattr(self, "count", 0) + 1
        return np.full_like(batch, self.count)


def counting(device: str) -> Echo:
    """Answers with how many observations it has seen since it was reset."""
    return _Stateful()


def remembering(device: str) -> Echo:
    """Wants three successive observations at once and answers with the oldest."""

    class Remembering(Echo):
        def prepare(self, observation: Mapping[str, np.ndarray | str]) -> np.ndarray:
            assert observation["observation.images.front"].shape == (3, 48, 64, 3)
            return np.array(observation[STATE_KEY], np.float32)[0]

    return Remembering(history=3)


def raises(device: str) -> Echo:
    """Raises an error with a secret in its traceback."""

    class Raises(Echo):
        def fault(self, batch: np.ndarray) -> np.ndarray:
            secret_of_the_server = "hunter2"  # noqa: F841
            raise RuntimeError("the tensors do not fit\nsecond line")

    return Raises()


def not_a_number(device: str) -> Echo:
    """Answers with one NaN among the actions."""

    class NotANumber(Echo):
        def fault(self, batch: np.ndarray) -> np.ndarray:
            chunk = np.zeros((STEPS, len(STATE)), np.float32)
            chunk[STEPS // 2, 3] = np.nan
            return chunk

    return NotANumber()


def wrong_shape(device: str) -> Echo:
    """Answers with actions of one joint too few."""

    class WrongShape(Echo):
        def finish(self, output: np.ndarray) -> np.ndarray:
            chunk = super().finish(output)
            return chunk[:, :-1] if output.flat[0] >= TRIGGER else chunk

    return WrongShape()


def gil_holder(device: str) -> Echo:
    """Holds the GIL for ten seconds: no other thread of its process runs meanwhile."""

    class GilHolder(Echo):
        def fault(self, batch: np.ndarray) -> np.ndarray:
            ctypes.PyDLL(None).sleep(10)  # PyDLL, unlike CDLL, keeps the GIL
            return batch

    return GilHolder()


def gil_keeper(device: str) -> Echo:
    """Holds the GIL for five minutes: only a signal that the kernel itself obeys ends it."""

    class GilKeeper(Echo):
        def fault(self, batch: np.ndarray) -> np.ndarray:
            ctypes.PyDLL(None).sleep(300)
            return batch

    return GilKeeper()


def slow(device: str) -> Echo:
    """Takes a second."""

    class Slow(Echo):
        def fault(self, batch: np.ndarray) -> np.ndarray:
            time.sleep(1.0)
            return batch

    return Slow()


def slow_to_forget(device: str) -> Echo:
    """Takes two seconds to forget a robot that has left."""

    class SlowToForget(Echo):
        def reset(self, session: int) -> None:
            if session and session in self.seen:
                time.sleep(2.0)
            super().reset(session)

    return SlowToForget()


def dies(device: str) -> Echo:
    """Kills its own process."""

    class Dies(Echo):
        def fault(self, batch: np.ndarray) -> np.ndarray:
            os.kill(os.getpid(), signal.SIGKILL)
            return batch

    return Dies()


def slow_to_load(device: str) -> Echo:
    """Takes three seconds to load, holding the GIL."""
    ctypes.PyDLL(None).sleep(3)
    return Echo()


def refuses_to_load(device: str) -> Echo:
    """Raises while it loads."""
    raise FileNotFoundError("there is no checkpoint at the end of the rainbow")


def dies_while_loading(device: str) -> Echo:
    """Ends its process while it loads, after a last word."""
    print("out of patience", file=sys.stderr, flush=True)
    os._exit(3)


def brittle(device: str) -> Echo:
    """Refuses the observation in `prepare`, as a policy does that lacks an entry."""

    class Brittle(Echo):
        def prepare(self, observation: Mapping[str, np.ndarray | str]) -> np.ndarray:
            state = super().prepare(observation)
            if state[0] >= TRIGGER:
                raise ValueError("The gripper's state is out of range: calibrate it.")
            return state

    return Brittle()


def with_a_child(device: str) -> Echo:
    """Starts a process of its own, as data loaders do, and says its number in every action."""
    child = subprocess.Popen(["sleep", "300"])

    class WithAChild(Echo):
        def finish(self, output: np.ndarray) -> np.ndarray:
            return np.full((STEPS, len(STATE)), child.pid, np.float32)

    return WithAChild()
