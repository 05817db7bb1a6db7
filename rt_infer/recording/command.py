"""`rt-infer replay`: a recorded run is played again, and one line says what came of it.

Exit status: 0 every cycle is equal, 1 one is not, 2 the recording cannot be played, or is damaged.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from rt_infer.config import ReplayConfig
from rt_infer.recording.reader import Recording, RecordingError, open_recording
from rt_infer.recording.replay import Difference, Replayed, replay

EXIT_EQUAL = 0
EXIT_DIFFERS = 1
EXIT_UNPLAYABLE = 2

_UNITS = {"q_command": " rad", "policy_step": " steps", "policy_rate": " steps/s"}


def run_replay(config: ReplayConfig) -> int:
    """Replay a file; answers the exit status."""
    try:
        recording = open_recording(config.recording)
        replayed = replay(recording)
    except OSError as error:
        return _complain(f"{config.recording} cannot be read: {error.strerror or error}.")
    except RecordingError as error:
        return _complain(str(error))
    if recording.cut is not None:
        print(f"rt-infer: {recording.cut}", file=sys.stderr)
    if recording.damaged or replayed.cycles == 0:
        return _complain("That is not the run as it was recorded, and proves nothing about it.")
    print(json.dumps(_as_json(recording, replayed)) if config.json else _sentence(replayed))
    if config.plot:
        _draw(recording, config.plot)
    return EXIT_EQUAL if replayed.difference is None else EXIT_DIFFERS


def _sentence(replayed: Replayed) -> str:
    count = f"replayed {replayed.cycles:,} cycles".replace(",", " ")
    if replayed.difference is None:
        return f"{count}: every command equal, bit for bit"
    return f"{count}: {_told(replayed.difference)}\n{_reason(replayed)}"


def _told(found: Difference) -> str:
    what = found.field if found.joint is None else f"the command of joint {found.joint}"
    unit = _UNITS.get(found.field, "")
    return (
        f"cycle {found.cycle} is the first that differs: {what} was {found.recorded!r}{unit} and "
        f"is {found.played!r}{unit} now, {found.played - found.recorded:+.3g}{unit}"
    )


def _reason(replayed: Replayed) -> str:
    if replayed.other_build:
        return (
            "It was recorded by another build, and only the same one is sure to agree in every "
            f"bit: other {', '.join(replayed.other_build)}."
        )
    return (
        "It was recorded by this very build on such a machine: the file was changed since, or the "
        "core depends on something that is not recorded, which is a bug worth a report."
    )


def _as_json(recording: Recording, replayed: Replayed) -> dict[str, Any]:
    found = replayed.difference
    return {
        "recording": recording.path,
        "cycles": replayed.cycles,
        "equal": found is None,
        "difference": None if found is None else found._asdict(),
        "other_build": replayed.other_build,
        "cut": recording.cut,
    }


def _draw(recording: Recording, path: str) -> None:
    import numpy as np

    from rt_infer.report import plot
    from rt_infer.robots.fr3_limits import ratios

    robot, policy = recording.header["robot"], recording.header["policy"]
    cycles = recording.cycles
    try:
        used = ratios(cycles["q_command"], cycles["cycle"])
        greatest = [float(np.nanmax(each, initial=0.0)) for each in used]
        plot.draw(cycles, path, f"{robot['id']}: policy {policy['type']}, recorded", greatest)
        print(f"plot: {path}")
    except (plot.PlotError, OSError) as error:
        print(f"rt-infer: no plot: {error}", file=sys.stderr)


def _complain(sentence: str) -> int:
    print(f"rt-infer: {sentence}", file=sys.stderr)
    return EXIT_UNPLAYABLE
