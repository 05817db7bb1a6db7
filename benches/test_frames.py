"""Encoding and decoding one observation, 2 × 480×640×3 uint8 + 7 floats, beside other codecs.

Encoding is what stands between an observation and the socket: our client's own way (check, pack,
head; the pixels stay where they are), a bare struct and a list of buffers, or one message of bytes.
Decoding is what stands between the bytes received, already in one piece of memory, and arrays to
compute with. The transport itself is none of this: see test_observation_way.py.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable, Sequence
from typing import Any

import machine
import msgpack
import msgpack_numpy
import numpy as np
from contest import play, sampled
from observation import CAMERAS, SPEC, STATE, STEPS, observation

from rt_infer.wire.channel import Channel
from rt_infer.wire.frames import CLIENT_KINDS, HEADER_SIZE, Header, Kind, raise_for_fault
from rt_infer.wire.layout import ObservationLayout
from rt_infer.wire.packer import Packer

ROUNDS = 21
SAMPLES = 60

Buffers = Sequence[Any]


class Gathered:
    """A link that ends before the socket: it keeps the buffers that would be sent."""

    def __init__(self) -> None:
        self.parts: Buffers = ()

    def send_frame(self, parts: Buffers, length: int) -> None:
        """What `Link.send_frame` is given."""
        self.parts = parts

    def in_one_piece(self) -> bytearray:
        """What the other side receives."""
        return bytearray().join(self.parts)


class Ours:
    """rt_infer.wire: `Conversation.observe` on one side, the door and the worker on the other."""

    def __init__(self, sent: dict[str, Any]) -> None:
        self._sent = [sent]
        self._link = Gathered()
        self._channel = Channel(self._link, {})  # type: ignore[arg-type]
        self._packer = Packer(ObservationLayout(SPEC, 1, STEPS, 7))
        self._layout = ObservationLayout(SPEC, 1, STEPS, 7)
        self._header = Header(CLIENT_KINDS)
        self._header.set_limit(Kind.OBSERVE, self._layout.greatest_body_length)
        self.encode()
        frame = memoryview(self._link.in_one_piece())
        self._head, self._body = frame[:HEADER_SIZE], frame[HEADER_SIZE:]

    def encode(self) -> Buffers:
        body, length = self._packer.pack(self._sent, capture_ns=1, slack_us=2)
        self._channel.send(Kind.OBSERVE, body, length, head=self._packer.head, policy_step=3.0)
        return self._link.parts

    def decode(self) -> Any:
        header = self._header
        raise_for_fault(header.unpack_from(self._head), header)
        self._layout.check(self._body, header.body_length)
        return self._layout.views(self._body)[0]


class Floor:
    """A struct and a list of buffers, nothing checked: what no Python client can do without."""

    HEAD = struct.Struct("<I4xIIQQIfdq12x4Q")  # as many numbers as our header and table hold

    def __init__(self, sent: dict[str, Any]) -> None:
        self._sent = sent
        self._head = bytearray(self.HEAD.size)
        self._body = memoryview(bytearray().join(self.encode()))

    def encode(self) -> Buffers:
        sent = self._sent
        self.HEAD.pack_into(self._head, 0, 1, 2, 3, 4, 5, 6, 0.0, 7.0, 8, 28, 921600, 921600, 0)
        return [self._head, sent[STATE].data, sent[CAMERAS[0]].data, sent[CAMERAS[1]].data]

    def decode(self) -> Any:
        self.HEAD.unpack_from(self._body)
        at, pixels = self.HEAD.size, 480 * 640 * 3
        front, wrist = at + 28, at + 28 + pixels
        return {
            STATE: np.frombuffer(self._body, np.float32, 7, at),
            CAMERAS[0]: np.frombuffer(self._body, np.uint8, pixels, front).reshape(480, 640, 3),
            CAMERAS[1]: np.frombuffer(self._body, np.uint8, pixels, wrist).reshape(480, 640, 3),
        }


class Msgpack:
    """msgpack-numpy, as openpi's protocol does it."""

    def __init__(self, sent: dict[str, Any]) -> None:
        self._sent = sent
        self._message = self.encode()

    def encode(self) -> bytes:
        return msgpack.packb(self._sent, default=msgpack_numpy.encode)

    def decode(self) -> Any:
        return msgpack.unpackb(self._message, object_hook=msgpack_numpy.decode)


class Pickle:
    """pickle protocol 5 into one message, as LeRobot sends its observations."""

    def __init__(self, sent: dict[str, Any]) -> None:
        self._sent = sent
        self._message = self.encode()

    def encode(self) -> bytes:
        return pickle.dumps(self._sent, protocol=5)

    def decode(self) -> Any:
        return pickle.loads(self._message)


class PickleOutOfBand:
    """pickle protocol 5 at its best: the pixels stay outside the message."""

    def __init__(self, sent: dict[str, Any]) -> None:
        self._sent = sent
        self._message, *self._buffers = self.encode()

    def encode(self) -> Buffers:
        buffers: list[pickle.PickleBuffer] = []
        message = pickle.dumps(self._sent, protocol=5, buffer_callback=buffers.append)
        return [message, *buffers]

    def decode(self) -> Any:
        return pickle.loads(self._message, buffers=self._buffers)


CODECS: dict[str, Any] = {
    "rt_infer.wire": Ours,
    "floor: struct + iovec": Floor,
    "pickle 5, out of band": PickleOutOfBand,
    "pickle 5": Pickle,
    "msgpack-numpy": Msgpack,
}
CALLS = {"rt_infer.wire": 20, "floor: struct + iovec": 20, "pickle 5, out of band": 20}


def same(sent: dict[str, Any], received: dict[str, Any]) -> bool:
    """Whether everything has arrived."""
    return all(np.array_equal(sent[key], received[key]) for key in sent)


def test_encode_and_decode(benchmark: Any, contest: Callable[..., Any]) -> None:
    sent = observation()
    codecs = {name: codec(sent) for name, codec in CODECS.items()}
    for name, codec in codecs.items():
        assert same(sent, codec.decode()), name

    def both(codec: Any) -> Callable[[], None]:
        def encode_and_decode() -> None:
            codec.encode()
            codec.decode()

        return encode_and_decode

    def rounds_of(name: str) -> Callable[[], Sequence[float]]:
        operation, calls = both(codecs[name]), CALLS.get(name, 1)
        return lambda: sampled(operation, SAMPLES // (1 if calls > 1 else 4), calls)

    table = contest(
        "frames: encode + decode, 2 × 480×640×3 uint8 + 7 floats",
        "µs",
        machine.placement("one thread"),
        bars={"floor: struct + iovec": 2.0},
    )
    play(benchmark, table, {name: rounds_of(name) for name in CODECS}, ROUNDS)
    for name, codec in codecs.items():
        if name in CALLS:
            encode = percentiles_of(codec.encode, CALLS[name])
            decode = percentiles_of(codec.decode, CALLS[name])
            table.notes.append(f"{name}: encode {encode:.2f} µs, decode {decode:.2f} µs")


def percentiles_of(operation: Callable[[], Any], calls: int) -> float:
    """The median of one half by itself, to see which half it is."""
    return float(np.median(sampled(operation, SAMPLES, calls)))
