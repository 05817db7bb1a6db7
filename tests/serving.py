"""What the server's tests share: servers with planted policies, robots good and bad."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rt_infer.server import Server, ServerOptions
from rt_infer.wire.addresses import parse_address
from rt_infer.wire.channel import Channel
from rt_infer.wire.client import Client
from rt_infer.wire.frames import SERVER_KINDS, Kind
from rt_infer.wire.handshake import greet
from rt_infer.wire.layout import ObservationLayout
from rt_infer.wire.links import connect
from rt_infer.wire.messages import AuthRequest, ObservationSpec, PolicyRequest
from rt_infer.wire.packer import Packer
from rt_infer.wire.refusals import ErrorBody

TESTS = Path(__file__).parent
PLANTED = (
    "echo", "long_chunks", "looker", "counting", "remembering", "raises", "not_a_number",
    "wrong_shape", "gil_holder", "slow", "slow_to_forget",
    "dies", "slow_to_load", "refuses_to_load",
    "dies_while_loading", "brittle", "gil_keeper", "with_a_child",
)  # fmt: skip
ALLOWED = [f"planted_policies:{name}" for name in PLANTED]
SPEC = ObservationSpec(state=7, images={"front": (48, 64, 3)})
TRIGGER = 100.0
"""planted_policies.TRIGGER: a first joint from which on the planted faults strike."""


@contextlib.contextmanager
def planted_on_path() -> Iterator[dict[str, str]]:
    """Let workers import the planted policies; the environment that does it."""
    before = os.environ.get("PYTHONPATH")
    paths = [str(TESTS.parent), str(TESTS / "policies"), *([before] if before else [])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    try:
        yield dict(os.environ)
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


@contextlib.contextmanager
def serving(**options: Any) -> Iterator[Server]:
    """A server in this process, with planted policies allowed."""
    with planted_on_path():
        with Server(ServerOptions(**{"port": 0, "allow_python": ALLOWED, **options})) as server:
            yield server


class DoorProcess:
    """A server in a process of its own."""

    def __init__(self, **options: Any) -> None:
        with planted_on_path() as environment:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    str(TESTS / "door_main.py"),
                    json.dumps({"port": 0, "allow_python": ALLOWED, **options}),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
            )
        assert self.process.stdout is not None and self.process.stdin is not None
        self.port = int(self.process.stdout.readline())

    def report(self) -> dict[str, Any]:
        """What the door says about itself."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def kill(self) -> None:
        """SIGKILL, and gone when this returns."""
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> DoorProcess:
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(30)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()


def observation(first_joint: float = 0.0, pixel: int = 0, task: str = "") -> dict[str, Any]:
    """One that fits SPEC."""
    state = np.linspace(0.1, 0.7, 7, dtype=np.float32)
    state[0] = first_joint
    return {
        "observation.state": state,
        "observation.images.front": np.full((48, 64, 3), pixel, np.uint8),
        "task": task,
    }


def robot(port: int, policy: str = "hold", spec: ObservationSpec = SPEC, **more: Any) -> Client:
    """A robot: `hold`, a planted policy by its short name, or any other type."""
    address = f"127.0.0.1:{port}"
    if policy in PLANTED:
        more["pretrained_name_or_path"] = f"planted_policies:{policy}"
        policy = "python"
    return Client(address, spec, policy_type=policy, **more)


def page(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    """Status and text of a page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def wait_until(condition: Callable[[], Any]) -> Any:
    """The condition's first true value; pytest's timeout is the watchdog."""
    while not (value := condition()):
        time.sleep(0.02)
    return value


def is_running(pid: int) -> bool:
    """Whether there is such a process, and not only its remains."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class RawRobot:
    """A robot that sends what it is told, frame by frame, and sees every frame that comes back."""

    def __init__(self, port: int, policy: str, chunk_size: int = 50) -> None:
        self.channel = Channel(connect(parse_address(f"127.0.0.1:{port}"), 5.0), SERVER_KINDS)
        path = f"planted_policies:{policy}" if policy in PLANTED else ""
        request = PolicyRequest("python" if path else policy, path, "cpu", chunk_size)
        self.welcome = greet(self.channel, AuthRequest(request, SPEC))
        self.packer = Packer(ObservationLayout.agreed(SPEC, self.welcome))
        self.channel.received.set_limit(Kind.CHUNK, 1 << 26)

    def observe(self, first_joint: float = 0.0, epoch: int = 0, slack_s: float = 0.0) -> int:
        """Send an observation, whatever is outstanding; its sequence."""
        moments = [observation(first_joint)]
        body, length = self.packer.pack(moments, capture_ns=1, slack_us=int(slack_s * 1e6))
        return self.channel.send(Kind.OBSERVE, body, length, head=self.packer.head, epoch=epoch)

    def receive(self) -> tuple[Kind, int, bytes]:
        """The next frame: its kind, what it replies to, its body."""
        header = self.channel.receive_header(60.0)
        kind, reply_to = Kind(header.kind), header.reply_to
        return kind, reply_to, self.channel.receive_body()

    def receive_error(self) -> ErrorBody:
        """The next frame, which must be an ERROR."""
        kind, _, body = self.receive()
        assert kind == Kind.ERROR, kind
        return ErrorBody.decode(body)

    def close(self) -> None:
        """Gone without a word."""
        self.channel.close()

    def __enter__(self) -> RawRobot:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class Bystander:
    """A robot that minds its own business on a thread and notes what happens to it."""

    def __init__(self, port: int, policy: str = "hold") -> None:
        self.chunks = 0
        self.pings = 0
        self.trouble: Exception | None = None
        self._client = robot(port, policy)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            with self._client as client:
                while not self._done.is_set():
                    client.infer(observation(1.0))
                    self.chunks += 1
                    client.ping()
                    self.pings += 1
                    time.sleep(0.01)
        except Exception as error:
            self.trouble = error

    def sees(self, chunks: int) -> None:
        """Return once it got so many more chunks; fail if something happened to it."""
        goal = self.chunks + chunks
        wait_until(lambda: self.chunks >= goal or self.trouble)
        assert self.trouble is None, self.trouble

    def __enter__(self) -> Bystander:
        return self

    def __exit__(self, *exception: object) -> None:
        self._done.set()
        self._thread.join()
        assert self.trouble is None, self.trouble
