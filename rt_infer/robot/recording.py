"""The recording of a run (`--record`): its telemetry, on the way to who reads it.

A cursor in the telemetry ring that writes down what it reads, together with what was pushed into
the action ring: the two are all that the core's motion depends on. It is made before the core
starts, so that the first cycle is in it. One thread reads; whoever pushes is not held up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rt_infer import _core
from rt_infer.config import RunConfig
from rt_infer.recording import blocks
from rt_infer.recording.identity import identity
from rt_infer.recording.writer import Writer
from rt_infer.robot.core_process import CoreConfig
from rt_infer.robot.region import CoreRegion
from rt_infer.robot.statistics import RunStatistics

if TYPE_CHECKING:
    from rt_infer.robot.result import Ending


class Kept(NamedTuple):
    """What became of a recording."""

    path: str
    bytes: int
    ended: str | None  # why it ended before the run; None: it is whole


class RecordingTelemetry:
    """Telemetry (region.py) that is written to a file as it is read."""

    def __init__(
        self, region: CoreRegion, path: str, header: Mapping[str, Any], say: Callable[[str], None]
    ) -> None:
        """Begin the file. OSError: it cannot be written."""
        self._region = region
        self._telemetry = region.telemetry()
        self._say = say
        self._told = False
        self._closed = False
        self._writer = Writer(path, header)
        region.keep_pushed()

    def read(self) -> npt.NDArray[np.void]:
        """The records since the last call, as `Telemetry.read` gives them."""
        cycles = self._telemetry.read()
        # Asked after the cycles were read: what they had drained is among it.
        self._writer.add(self._region.pushed(), cycles, self.lost)
        if self._writer.ended is not None and not self._told:
            self._told = True
            self._say(self._writer.ended)
        return cycles

    @property
    def lost(self) -> int:
        return self._telemetry.lost

    def finish(self, ending: Ending, stats: RunStatistics) -> Kept:
        """End the file with how the run ended; nothing is read after that."""
        self._end(
            {
                "exit_code": ending.exit_code,
                "ending": ending.sentence,
                "reflexes": [{"name": each.name, "cycle": each.cycle} for each in stats.reflexes],
                "telemetry_lost": self.lost,
            }
        )
        return Kept(self._writer.path, self._writer.bytes, self._writer.ended)

    def close(self) -> None:
        """End the file of a run that cannot say how it ended: the recording counts as cut off."""
        self._end(None)

    def _end(self, done: Mapping[str, Any] | None) -> None:
        if not self._closed:
            self._closed = True
            self._writer.close(done)


def header(config: RunConfig, core: CoreConfig) -> dict[str, Any]:
    """What was run: the first block of a recording."""
    return {
        "schema": blocks.SCHEMA,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "robot": {"type": core.arm["type"], "id": config.robot.id},
        "policy": {"type": config.policy_type, "path": config.pretrained_name_or_path},
        "build": identity(),
        "core": json.loads(core.to_json()),
        "cycle_record": blocks.dtype_to_json(_core.record_dtype()),
        "ring_record": blocks.dtype_to_json(_core.action_dtype()),
    }
