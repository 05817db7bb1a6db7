"""A second reading of docs/protocol.md: decodes frames with struct and zlib, and none of our code.

It is slow, checks everything that the page says must hold, and raises AssertionError otherwise. The
golden frames in tests/data are decoded with it, so that page and codec cannot drift apart.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import struct
import zlib
from typing import Any

import msgspec

KINDS = {
    1: "HELLO",
    2: "CHALLENGE",
    3: "AUTH",
    4: "LOADING",
    5: "WELCOME",
    16: "OBSERVE",
    17: "CHUNK",
    18: "SUPERSEDED",
    19: "RESET",
    20: "RESET_DONE",
    32: "PING",
    33: "PONG",
    34: "BYE",
    35: "ERROR",
}
EMPTY = {"SUPERSEDED", "RESET", "RESET_DONE", "PING", "PONG", "BYE"}


def decode_header(frame: bytes) -> dict[str, Any]:
    """Section 2."""
    assert frame[0:4] == b"RTIF"
    assert struct.unpack_from("<I", frame, 60)[0] == zlib.crc32(frame[:60])
    assert frame[4] == 1
    header = {
        "kind": KINDS[frame[5]],
        "flags": struct.unpack_from("<H", frame, 6)[0],
        "body_length": struct.unpack_from("<I", frame, 8)[0],
        "session": struct.unpack_from("<I", frame, 12)[0],
        "sequence": struct.unpack_from("<Q", frame, 16)[0],
        "reply_to": struct.unpack_from("<Q", frame, 24)[0],
        "epoch": struct.unpack_from("<I", frame, 32)[0],
        "policy_step": struct.unpack_from("<d", frame, 40)[0],
        "send_ns": struct.unpack_from("<q", frame, 48)[0],
    }
    assert header["flags"] == 0
    assert frame[36:40] == frame[56:60] == bytes(4)
    assert math.isfinite(header["policy_step"])
    assert header["body_length"] == len(frame) - 64
    assert header["kind"] not in EMPTY or header["body_length"] == 0
    return header


def decode_greeting(body: bytes) -> tuple[bytes, bytes]:
    """Sections 4.1 and 4.2: the nonce, and the four bytes after it."""
    assert len(body) == 36
    return body[:32], body[32:]


def decode_proven(body: bytes) -> tuple[bytes, dict[str, Any], bytes]:
    """Sections 4.3 and 4.5: the proof, the map, and the map's bytes."""
    length = struct.unpack_from("<I", body, 32)[0]
    assert length == len(body) - 36
    return body[:32], msgspec.msgpack.decode(body[36:]), body[36:]


def proof(token: str, label: bytes, frames: list[bytes], last: bytes) -> bytes:
    """Section 4.6."""
    message = label + b"".join(frames) + last
    return hmac.new(token.encode(), message, hashlib.sha256).digest()


def decode_observe(
    body: bytes, sizes: list[int | None], history: int, width: int
) -> dict[str, Any]:
    """Section 5.1; sizes: bytes of each field of one moment, None for text."""
    count = history * len(sizes)
    capture_ns, slack_us, flags, given_history, given_count = struct.unpack_from("<qIHHH", body)
    delay_steps, prefix_steps, prefix_width = struct.unpack_from("<HHH", body, 18)
    assert (flags, given_history, given_count) == (0, history, count)
    assert body[24:32] == bytes(8)
    lengths = struct.unpack_from(f"<{count}I", body, 32)
    for i, length in enumerate(lengths):
        size = sizes[i % len(sizes)]
        assert length <= 4096 if size is None else length == size

    covered = 32 + 4 * count
    prefix = []
    place = up(covered)
    if prefix_steps:
        assert prefix_width == width
        values = struct.unpack_from(f"<{prefix_steps * width}f", body, place)
        prefix = [values[row * width : (row + 1) * width] for row in range(prefix_steps)]
        assert body[covered:place] == bytes(place - covered)
        covered = place + 4 * prefix_steps * width
        place = up(covered)
    else:
        assert prefix_width == 0
    fields = []
    for length in lengths:
        assert place % 64 == 0
        assert body[covered:place] == bytes(place - covered)
        fields.append(body[place : place + length])
        covered = place + length
        place = up(covered)
    assert covered == len(body)
    return {
        "capture_ns": capture_ns,
        "slack_us": slack_us,
        "delay_steps": delay_steps,
        "prefix": prefix,
        "fields": fields,
    }


def decode_chunk(body: bytes) -> dict[str, Any]:
    """Section 5.2."""
    steps, width, dtype = struct.unpack_from("<IHB", body)
    assert dtype == 1
    assert len(body) == 64 + 4 * steps * width
    assert body[7] == 0
    assert body[36:64] == bytes(28)
    values = struct.unpack_from(f"<{steps * width}f", body, 64)
    assert all(map(math.isfinite, values))
    return {
        "capture_ns": struct.unpack_from("<q", body, 8)[0],
        "times_us": struct.unpack_from("<5I", body, 16),
        "actions": [list(values[row * width : (row + 1) * width]) for row in range(steps)],
    }


def decode_error(body: bytes) -> dict[str, Any]:
    """Section 6."""
    code, retryable, closing = struct.unpack_from("<HBB", body)
    assert body[4:8] == bytes(4)
    assert len(body) - 8 <= 2048
    return {
        "code": code,
        "retryable": retryable,
        "closing": closing,
        "sentence": body[8:].decode(),
    }


def up(x: int) -> int:
    """x rounded up to a multiple of 64."""
    return -(-x // 64) * 64
