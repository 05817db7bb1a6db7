"""A server that a test plays by hand, frame by frame, and an observation to send to it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from rt_infer._frames import ChunkHead
from rt_infer.wire.channel import Channel
from rt_infer.wire.client import Client
from rt_infer.wire.frames import CLIENT_KINDS, Kind
from rt_infer.wire.handshake import ServerHandshake
from rt_infer.wire.layout import ObservationLayout
from rt_infer.wire.links import Link
from rt_infer.wire.messages import ObservationSpec, Welcome

SPEC = ObservationSpec(state=3, images={"front": (4, 8, 3), "wrist": (2, 3, 3)})
ACTIONS = np.arange(8, dtype=np.float32).reshape(4, 2)
OBSERVATION: dict[str, Any] = {
    "observation.state": [0.5, -1.0, 2.0],
    "observation.images.front": np.arange(96, dtype=np.uint8).reshape(4, 8, 3),
    "observation.images.wrist": np.arange(18, dtype=np.uint8).reshape(2, 3, 3),
    "task": "reach",
}


class HandServer:
    """One listening socket; `connected` lets one client in and is its other end afterwards."""

    def __init__(self, history: int = 1) -> None:
        self.welcome = Welcome(3, 4, ["a", "b"], history, 30.0)
        self.layout = ObservationLayout.agreed(SPEC, self.welcome)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.channel: Channel | None = None

    @contextmanager
    def expecting(self) -> Iterator[None]:
        """Shake hands with the client that connects meanwhile."""
        thread = threading.Thread(target=self._accept)
        thread.start()
        try:
            yield
        finally:
            thread.join()

    def _accept(self) -> None:
        self.channel = Channel(Link(self.socket.accept()[0], "the client"), CLIENT_KINDS)
        handshake = ServerHandshake(self.channel, None)
        handshake.authenticate()
        handshake.welcome(self.welcome)
        self.channel.received.set_limit(Kind.OBSERVE, self.layout.greatest_body_length)

    def take(self, kind: Kind) -> bytes:
        """The body of the client's next frame, which must be of this kind."""
        assert self.channel is not None
        assert Kind(self.channel.receive_header(5.0).kind) is kind
        return self.channel.receive_body()

    def say(self, kind: Kind, body: bytes = b"", **fields: Any) -> int:
        assert self.channel is not None
        return self.channel.send(kind, [body], len(body), **fields)

    def answer(self, actions: np.ndarray = ACTIONS, **changes: Any) -> None:
        """Answer the OBSERVE taken last with a chunk that carries its stamp."""
        assert self.channel is not None
        asked = self.channel.received
        head = ChunkHead(*actions.shape)
        head.capture_ns = self.layout.head.capture_ns
        head.queue_us, head.total_us = 1500, 4000
        body = bytearray(64)
        head.pack_into(body)
        stamp = {"reply_to": asked.sequence, "epoch": asked.epoch}
        stamp |= {"policy_step": asked.policy_step}
        self.say(Kind.CHUNK, bytes(body) + actions.tobytes(), **(stamp | changes))

    def take_observation(self) -> dict[str, Any]:
        """The newest moment of the client's next frame, an OBSERVE."""
        body = self.take(Kind.OBSERVE)
        self.layout.check(body, len(body))
        return self.layout.views(body)[-1]


@pytest.fixture
def server() -> Iterator[HandServer]:
    made = HandServer()
    yield made
    made.socket.close()
    if made.channel is not None:
        made.channel.close()


@pytest.fixture
def client(server: HandServer) -> Iterator[Client]:
    with server.expecting():
        made = connect(server)
    with made:
        yield made


def connect(server: HandServer) -> Client:
    return Client(server.address, SPEC, policy_type="hold", actions_per_chunk=4)
