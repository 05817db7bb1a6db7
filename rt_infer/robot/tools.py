"""Hands what the policy wants of the gripper to the gripper, when the core says that it is time.

The core publishes the tool values of the newest action whose step its policy clock has passed, not
averaged with anything, and none of an old epoch. This watches them in a thread of its own, 200
times a second, and passes a value on only
- while the arm follows its path, or
- at the one look after that, if the arm has come to rest in the same epoch meanwhile: the value of
  the path's last steps.

So nothing that stops an arm moves a gripper. While the arm brakes, rests, waits for a server or has
stopped by itself, the gripper keeps what it holds; a process that was asleep while all that
happened does not catch up on it.
"""

from __future__ import annotations

import threading
from typing import Protocol

from rt_infer.robot.region import CoreState, Phase

WATCH_S = 0.005
GAP_NS = 250_000_000  # looks further apart may have missed a stop: heartbeats go stale in 500 ms


class StateSource(Protocol):
    """Where the core's state comes from: rt_infer.robot.region.CoreRegion."""

    def state(self) -> CoreState | None: ...


class Tool(Protocol):
    """What takes the values: rt_infer.grippers.driver.GripperDriver."""

    def command(self, value: float) -> None:
        """Must return at once."""
        ...


class ToolWatch:
    """One tool that follows the core's tool values, from `start` to `stop`."""

    def __init__(self, source: StateSource, tool: Tool) -> None:
        self._source = source
        self._tool = tool
        self._followed: CoreState | None = None  # at the last look, if the arm was on its path
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._main, name="tools", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def look(self) -> None:
        """One look at the core's state; the thread does nothing else."""
        state = self._source.state()
        if state is None:
            return
        following = state.phase is Phase.FOLLOW
        if len(state.tool) and (following or self._has_just_arrived(state)):
            self._tool.command(float(state.tool[0]))
        self._followed = state if following else None

    def _has_just_arrived(self, state: CoreState) -> bool:
        before = self._followed
        return (
            before is not None
            and state.phase is Phase.HOLD
            and state.epoch == before.epoch
            and state.time_ns - before.time_ns <= GAP_NS
        )

    def _main(self) -> None:
        while not self._stop.wait(WATCH_S):
            self.look()
