"""`rt-infer demo`: the whole way on one machine, told as it happens.

A server process loads the shipped `reach` policy; this process is the robot's side, with the
simulated FR3 in a core process of its own. Everything between them is what a real robot would use:
TCP, the worker, shared memory, the 1 kHz loop.

The server lives as long as its standard input stays open: however the demo ends, nothing of it
remains.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rt_infer.config import DemoConfig
from rt_infer.report.present import run_and_report
from rt_infer.report.terminal import Terminal
from rt_infer.robot.result import EXIT_NO_CONNECTION

POLICY = "reach"
_SERVE = "from rt_infer.demo import serve_while_asked; serve_while_asked()"
_STOP_TIMEOUT_S = 10.0
_STORY = """\
[bold]rt-infer demo[/]: a simulated Franka FR3 reaches for markers, which it knows
from its cameras alone. A torch policy in a server process answers each pair of
images with 50 actions; a C++ loop in a third process follows them at 1 kHz,
inside the arm's limits.
"""


def run_demo(config: DemoConfig) -> int:
    """Server and robot on this machine; answers the exit status."""
    terminal = Terminal(highlight=False)
    tell = terminal.print
    tell(_STORY)
    if config.rt.priority > 0 and not config.patient and not _keeps_time(config.rt.priority):
        tell(
            "This machine refuses realtime scheduling: the simulated arm waits for late commands.\n"
        )
        config = replace(config, patient=True)
    with _server() as port:
        if port is None:
            tell("rt-infer: the server did not start; its reason stands above.")
            return EXIT_NO_CONNECTION
        tell(f"1. The server listens on 127.0.0.1:{port} and loads the policy.")
        tell(f"2. The robot's side connects, and reaches for {config.targets} markers.")
        tell("   Each counts when the fingertip stays within 2 cm of it for 0.2 s.\n")
        status = run_and_report(config.run_config(f"127.0.0.1:{port}"), terminal)
    if status == 0:
        command = _command()
        tell("\nThe same by hand, in two terminals:")
        tell(f"  {command} server", soft_wrap=True)
        robot = f"robot --robot.type=sim_fr3 --robot.id=a --policy_type={POLICY}"
        tell(f"  {command} {robot}", soft_wrap=True)
    return status


def _keeps_time(priority: int) -> bool:
    """Whether this process may ask for SCHED_FIFO; asked in a thread that ends with the answer."""

    def ask() -> bool:
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
        except OSError:
            return False
        return True

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(ask).result()


def _command() -> str:
    """What to type for `rt-infer` in this folder: it need not be on the PATH."""
    ours = Path(sys.executable).parent / "rt-infer"
    found = shutil.which("rt-infer")
    if found is not None and Path(found).resolve() == ours.resolve():
        return "rt-infer"
    words = [str(ours)] if ours.is_file() else [sys.executable, "-m", "rt_infer"]
    if Path(words[0]).is_relative_to(Path.cwd()):
        words[0] = str(Path(words[0]).relative_to(Path.cwd()))
    return shlex.join(words)


@contextmanager
def _server() -> Iterator[int | None]:
    """A server process on a free port; None if it does not come up."""
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C is for the robot's side: it needs the server until the arm is at rest.
        start_new_session=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        line = process.stdout.readline()
        yield int(line) if line.strip().isdigit() else None
    finally:
        process.stdin.close()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def serve_while_asked() -> None:
    """The server process: says its port on standard output, serves until its input ends."""
    from rt_infer.server import Server, ServerOptions

    with Server(ServerOptions(port=0, policy_type=POLICY)) as server:
        print(server.port, flush=True)
        sys.stdin.read()
