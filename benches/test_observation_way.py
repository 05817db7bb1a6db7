"""The whole way of one observation over TCP: 2 × VGA + 7 floats out, 50 × 7 back, policy `hold`.

Ours is `Client.infer` against `rt-infer server` in a process of its own. The floor is the same
number of bytes each way between two processes with plain blocking sockets: one sendmsg, recv_into
memory made once, one send. It checks nothing, knows no frames, and serves one robot.

Where the scheduler puts the two processes decides more than either does: on one CPU they copy one
after the other out of the same cache, on two at the same time through each other's. So there are
two tables: a CPU for each, as where robot and server are two machines, and as the scheduler likes.
Only the first has a bar: the second may give ours the better places for a whole run, or the floor.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import floor_server
import machine
import numpy as np
import pytest
from contest import play, sampled
from observation import CAMERAS, SPEC, STATE, STEPS, observation

from rt_infer import Client

ROUNDS = 25
SAMPLES = 80
HERE = Path(__file__).parent
OURS, FLOOR = "Client.infer, rt-infer server", "floor: sendmsg, recv_into"


@contextlib.contextmanager
def started(command: list[str], output: str) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """A process of Python that says on `output` where it listens; ended at the end."""
    process = subprocess.Popen([sys.executable, *command], text=True, **{output: subprocess.PIPE})
    try:
        with getattr(process, output) as said:
            yield process, said
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def client() -> Iterator[Client]:
    """A robot at a server of its own."""
    command = ["-m", "rt_infer.server", "--host=127.0.0.1", "--port=0"]
    with started(command, "stderr") as (_, said):
        ports = (re.search(r"listening on \S+:(\d+)", line) for line in said)
        port = next(found[1] for found in ports if found)
        with Client(
            f"127.0.0.1:{port}", SPEC, policy_type="hold", actions_per_chunk=STEPS
        ) as robot:
            yield robot


class Floor:
    """The floor's robot."""

    def __init__(self, port: int, sent: dict[str, Any], request_bytes: int, reply_bytes: int):
        fields = [sent[STATE].data, *(sent[name].data for name in CAMERAS)]
        head = bytearray(request_bytes - sum(field.nbytes for field in fields))
        self._parts = [head, *fields]
        self._request_bytes = request_bytes
        self._reply = memoryview(bytearray(reply_bytes))
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def exchange(self) -> None:
        """One observation out, one chunk back."""
        assert self._socket.sendmsg(self._parts) == self._request_bytes
        assert floor_server.receive(self._socket, self._reply)

    def close(self) -> None:
        self._socket.close()


@contextlib.contextmanager
def allowed(cpus: set[int]) -> Iterator[None]:
    """This process, and what it starts, on `cpus` only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


CPUS = sorted(os.sched_getaffinity(0))
EACH_ITS_OWN = pytest.param(
    {CPUS[0]},
    {CPUS[-1]},
    f"robot on CPU {CPUS[0]}, server on CPU {CPUS[-1]}",
    marks=pytest.mark.skipif(len(CPUS) < 2, reason="two processes need two CPUs"),
    id="a CPU each",
)
AS_IT_COMES = pytest.param(
    {*CPUS}, {*CPUS}, machine.placement("robot and server, a process each"), id="not pinned"
)


@pytest.mark.parametrize(("robots", "servers", "placement"), [EACH_ITS_OWN, AS_IT_COMES])
def test_observation_out_and_chunk_back(
    benchmark: Any,
    contest: Callable[..., Any],
    robots: set[int],
    servers: set[int],
    placement: str,
) -> None:
    sent = observation()
    with contextlib.ExitStack() as stack:
        with allowed(servers):
            robot = stack.enter_context(client())
            before = robot.bytes_sent, robot.bytes_received
            chunk = robot.infer(sent)
            assert np.array_equal(chunk.actions, np.tile(sent[STATE], (STEPS, 1)))
            sizes = robot.bytes_sent - before[0], robot.bytes_received - before[1]
            command = [str(HERE / "floor_server.py"), *map(str, sizes)]
            _, said = stack.enter_context(started(command, "stdout"))
        stack.enter_context(allowed(robots))
        floor = Floor(int(said.readline()), sent, *sizes)
        stack.callback(floor.close)

        table = contest(
            "observation way: TCP loopback, 2 × 480×640×3 uint8 + 7 floats out, 50×7 back, hold",
            "µs",
            placement,
            bars={FLOOR: 1.3} if robots != servers else {},
        )
        inside_us: list[float] = []

        def infer() -> None:
            inside_us.append(robot.infer(sent).timing_ms["total"] * 1e3)

        contenders = {
            OURS: lambda: sampled(infer, SAMPLES, warm_up=20),
            FLOOR: lambda: sampled(floor.exchange, SAMPLES, warm_up=20),
        }
        play(benchmark, table, contenders, ROUNDS)
        table.notes.append(
            f"{sizes[0]} bytes out, {sizes[1]} back; inside the server, from the last byte in to "
            f"the first out, p50: {np.median(inside_us):.0f} µs"
        )
