"""Fixtures that end what a test has started, however the test ends."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from processes import Program, RobotProgram, ServerProgram

_NUMBERS = itertools.count(1)
MOVING = ("--policy_type=python", "--pretrained_name_or_path=moving_policy:make")


@pytest.fixture
def started() -> Iterator[list[Program]]:
    programs: list[Program] = []
    yield programs
    for program in reversed(programs):
        program.end()


@pytest.fixture
def server(tmp_path: Path, started: list[Program]) -> ServerProgram:
    """A running server on a free port."""
    program = ServerProgram(tmp_path)
    started.append(program)
    return program


@pytest.fixture
def start_robot(tmp_path: Path, started: list[Program]) -> Callable[..., RobotProgram]:
    """Start a robot: port, then flags; `robot_id=` names it, `stdout=`, `stdin=`: a terminal."""

    def start(
        port: int,
        *words: str,
        robot_id: str = "",
        stdout: int | None = None,
        stdin: int | None = None,
    ) -> RobotProgram:
        name = robot_id or f"e2e-{os.getpid()}-{next(_NUMBERS)}"
        program = RobotProgram(tmp_path, name, port, *(words or MOVING), stdout=stdout, stdin=stdin)
        started.append(program)
        return program

    return start
