"""Makes the golden frames beside this file: `python tests/data/make_golden_frames.py`.

They are made once. A frame that comes out otherwise later is a break of the protocol: that wants a
new version in docs/protocol.md, and new golden frames beside the old ones.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from rt_infer._frames import ChunkHead, Header, ObserveHead
from rt_infer.wire.frames import Kind
from rt_infer.wire.layout import ObservationLayout
from rt_infer.wire.messages import AuthRequest, ObservationSpec, PolicyRequest, Welcome, encode
from rt_infer.wire.packer import Packer
from rt_infer.wire.proofs import Transcript
from rt_infer.wire.refusals import ErrorBody, ErrorCode

TOKEN = "correct horse battery staple"
CLIENT_NONCE = bytes(range(32))
SERVER_NONCE = bytes(range(32, 64))
SPEC = ObservationSpec(
    state=["x", "y", "z"], images={"wrist": (2, 3, 3), "front": (4, 8, 3)}, task=True
)
REQUEST = AuthRequest(PolicyRequest("hold", "", "cpu", 4), SPEC, "arm-a", "rt-infer golden")
WELCOME = Welcome(7, 4, ["x", "y", "z"], 1, 30.0, "rt-infer golden")
STATE = [0.5, -1.25, 3.0]
FRONT = np.arange(96, dtype=np.uint8).reshape(4, 8, 3)
WRIST = np.arange(200, 218, dtype=np.uint8).reshape(2, 3, 3)
TASK = "reach für den Würfel"
ACTIONS = np.arange(12, dtype="<f4").reshape(4, 3) / 8
PREFIX = np.arange(6, dtype="<f4").reshape(2, 3)


def frame(kind: Kind, body: bytes = b"", **fields: int | float) -> bytes:
    """One frame whose header has these fields and a send time of 1 s."""
    header = Header()
    header.kind = kind
    header.body_length = len(body)
    header.send_ns = 1_000_000_000
    for name, value in fields.items():
        setattr(header, name, value)
    head = bytearray(64)
    header.pack_into(head)
    return bytes(head) + body


def observe_body() -> bytes:
    """One moment of SPEC, as the client packs it."""
    packer = Packer(ObservationLayout.agreed(SPEC, WELCOME))
    observation = {
        "observation.state": STATE,
        "observation.images.front": FRONT,
        "observation.images.wrist": WRIST,
        "task": TASK,
    }
    buffers, length = packer.pack([observation], capture_ns=123_456_789_000, slack_us=250_000)
    body = bytes(packer.head[64:]) + b"".join(bytes(part) for part in buffers)
    assert len(body) == length
    return body


def prefixed_body() -> bytes:
    """Two moments of a state alone, and a prefix of two actions for real-time chunking."""
    head = ObserveHead([12], [12], history=2, steps=4, width=3)
    head.capture_ns = 9
    head.slack_us = 0xFFFF_FFFF
    head.delay_steps = 1
    head.prefix_steps = 2
    body = bytearray(64)
    body += bytes(head.pack_into(body) - len(body))
    body[head.prefix_offset : head.prefix_offset + PREFIX.nbytes] = PREFIX.tobytes()
    for i in range(2):
        state = np.asarray(STATE, "<f4") + i
        body[head.offset(i) : head.offset(i) + 12] = state.tobytes()
    return bytes(body)


def chunk_body() -> bytes:
    """ACTIONS with five different times."""
    head = ChunkHead(4, 3)
    head.capture_ns = 123_456_789_000
    head.queue_us, head.prepare_us, head.infer_us = 11, 22, 33
    head.finish_us, head.total_us = 44, 110
    body = bytearray(64)
    head.pack_into(body)
    return bytes(body) + ACTIONS.tobytes()


def golden_frames() -> dict[str, bytes]:
    """Name to bytes: a whole handshake, then one of every other frame."""
    transcript = Transcript(TOKEN)
    hello = frame(Kind.HELLO, CLIENT_NONCE + bytes(4), sequence=1)
    challenge = frame(Kind.CHALLENGE, SERVER_NONCE + bytes([1, 0, 0, 0]), sequence=1, reply_to=1)
    transcript.add(hello[:64], hello[64:])
    transcript.add(challenge[:64], challenge[64:])
    request = encode(REQUEST)
    proof = transcript.client_proof(request)
    auth = frame(Kind.AUTH, proof + struct.pack("<I", len(request)) + request, sequence=2)
    transcript.add(auth[:64], auth[64:])
    answer = encode(WELCOME)
    proof = transcript.server_proof(answer)
    welcome = proof + struct.pack("<I", len(answer)) + answer
    error = ErrorBody.of(ErrorCode.BAD_OBSERVATION, "The state is too short: send three floats.")
    stamp: dict[str, int | float] = {"session": 7, "epoch": 2, "policy_step": 41.25}
    return {
        "hello": hello,
        "challenge": challenge,
        "auth": auth,
        "loading": frame(Kind.LOADING, b"Loading hold", sequence=2, reply_to=2),
        "welcome": frame(Kind.WELCOME, welcome, session=7, sequence=3, reply_to=2),
        "observe": frame(Kind.OBSERVE, observe_body(), sequence=3, **stamp),
        "observe_prefixed": frame(Kind.OBSERVE, prefixed_body(), sequence=4, **stamp),
        "chunk": frame(Kind.CHUNK, chunk_body(), sequence=4, reply_to=3, **stamp),
        "superseded": frame(Kind.SUPERSEDED, session=7, sequence=5, reply_to=4, epoch=2),
        "reset": frame(Kind.RESET, session=7, sequence=5, epoch=3),
        "reset_done": frame(Kind.RESET_DONE, session=7, sequence=6, reply_to=5, epoch=3),
        "ping": frame(Kind.PING, session=7, sequence=6),
        "pong": frame(Kind.PONG, session=7, sequence=7, reply_to=6),
        "error": frame(Kind.ERROR, error.encode(), session=7, sequence=8, reply_to=4),
        "bye": frame(Kind.BYE, session=7, sequence=7),
    }


if __name__ == "__main__":
    for name, data in golden_frames().items():
        Path(__file__).with_name(f"{name}.frame").write_bytes(data)
