"""The bench programs of csrc/benches: built when they are older than their sources, then run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
NS_TO_US = 1e-3

Round = dict[str, dict[str, float]]
"""One round of a program: its contenders' figures, in ns, and "n" beside them."""


def play(name: str, *arguments: int) -> list[Round]:
    """Build and run csrc/benches/NAME; its rounds. What it complains about fails the bench."""
    return lines(name, *arguments)


def lines(name: str, *arguments: int | str) -> list[dict[str, Any]]:
    """The same for a program whose lines of JSON are not rounds."""
    subprocess.run(["make", "-j2", "-C", str(ROOT / "csrc/benches")], check=True, text=True)
    program = ROOT / "csrc/build/benches" / name
    command = [program, *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def figures(contender: dict[str, float], scale: float = 1.0) -> tuple[dict[str, float], int]:
    """A contender's figures of one round in ns × `scale`, and how many samples they are from."""
    return {key: value * scale for key, value in contender.items() if key != "n"}, int(
        contender["n"]
    )
