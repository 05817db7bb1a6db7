"""The two judges, and where they differ."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from command_stream import ACCEPTED, Stream, Verdict, save

from rt_infer import _core

PEER = Path(__file__).with_name("peer.py")


def sim_fr3(streams: Sequence[Stream]) -> list[Verdict]:
    """The simulated FR3's verdicts, in virtual time."""
    verdicts = []
    for stream in streams:
        cycles, reflex = _core.judge(stream.start_pose_rad, stream.commands, stream.lost)
        verdicts.append(Verdict(cycles, ACCEPTED if reflex is None else reflex))
    return verdicts


def franka_sim(
    python: Path, streams: Sequence[Stream], *, plant: str | None = None
) -> list[Verdict]:
    """franka_sim's verdicts, from its own environment.

    ``plant`` is NAME=FACTOR: one of its limits, changed (peer.py).
    """
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder, "streams.npz"), Path(folder, "verdicts.json")
        save(asked, streams)
        command = [str(python), str(PEER), str(asked), str(answered)]
        subprocess.run([*command, *(["--plant", plant] if plant else [])], check=True)
        return [Verdict(cycles, reflex) for cycles, reflex in json.loads(answered.read_text())]


def disagreements(
    streams: Sequence[Stream], ours: Sequence[Verdict], theirs: Sequence[Verdict]
) -> list[str]:
    """One line for each stream whose reflex or first failing cycle differs."""
    return [
        f"{stream.name}: sim_fr3 {describe(our)}, franka_sim {describe(their)}"
        for stream, our, their in zip(streams, ours, theirs, strict=True)
        if our != their
    ]


def describe(verdict: Verdict) -> str:
    if verdict.reflex == ACCEPTED:
        return f"accepted {verdict.cycles} cycles"
    return f"stopped at cycle {verdict.cycles} with {verdict.reflex}"
