"""`hold`: stay where you are. The first state after a reset is latched and answered T times.

No model, no cost: for trying a link, for measuring one, and for a robot that should do nothing.
It is numpy only, so the server's door answers it itself, without a worker.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rt_infer.policies.base import STATE_KEY, PolicySpec


class HoldPolicy:
    """The `hold` policy for one robot: as many actions as are asked for, each the latched state."""

    def __init__(
        self,
        state: tuple[str, ...],
        images: dict[str, tuple[int, int, int]],
        chunk_size: int,
    ) -> None:
        self._spec = PolicySpec(state=state, images=images, actions=state, chunk_size=chunk_size)
        self._chunk: np.ndarray | None = None

    @property
    def spec(self) -> PolicySpec:
        """Wants whatever the robot has; an action has the names of the state."""
        return self._spec

    def reset(self, session: int = 0) -> None:
        """Forget the latched state: the next observation's is held from then on."""
        self._chunk = None

    def prepare(self, observation: Mapping[str, np.ndarray | str]) -> np.ndarray:
        """A copy of the state, float32 (S,); ValueError if it is not S finite numbers."""
        state = np.array(observation[STATE_KEY], dtype=np.float32)
        if state.shape != (len(self._spec.state),) or not np.isfinite(state).all():
            raise ValueError(
                f"The state must be {len(self._spec.state)} finite numbers; "
                "check what the robot reports before it is sent."
            )
        return state

    def infer(self, batch: np.ndarray) -> np.ndarray:
        """The chunk to hold, float32 (T, S): made once after a reset, the same from then on."""
        if self._chunk is None:
            self._chunk = np.tile(batch, (self._spec.chunk_size, 1))
            self._chunk.flags.writeable = False
        return self._chunk

    def finish(self, output: np.ndarray) -> np.ndarray:
        """Nothing left to do: `output`, float32 (T, S)."""
        return output
