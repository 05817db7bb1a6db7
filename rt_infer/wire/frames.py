"""Kinds, limits and refusals of frames; the bytes themselves are packed in `rt_infer._frames`.

A receiver makes one `Header` with the limits of its side and moment, and calls `raise_for_fault`
with what `unpack_from` found: the codec counts in faults, people read sentences.
"""

from __future__ import annotations

from enum import IntEnum

from rt_infer._frames import HEADER_SIZE, PROTOCOL_VERSION, Fault, Header

__all__ = [
    "CLIENT_KINDS",
    "GREATEST_BODY",
    "HANDSHAKE_BODY",
    "HEADER_SIZE",
    "NOT_URGENT_US",
    "PROTOCOL_VERSION",
    "SERVER_KINDS",
    "SILENCE_S",
    "TEXT_BODY",
    "BadFrame",
    "BadVersion",
    "Fault",
    "FrameError",
    "Header",
    "Kind",
    "TooLarge",
    "micros",
    "raise_for_fault",
]

HANDSHAKE_BODY = 65_536
"""Greatest body, in bytes, of a frame before WELCOME."""

GREATEST_BODY = 64 * 1024 * 1024
"""Greatest OBSERVE body, in bytes, that any agreement may lead to."""

TEXT_BODY = 4096
"""Greatest body, in bytes, of an ERROR or a LOADING."""

NOT_URGENT_US = 0xFFFF_FFFF
"""`slack_us` of an observation that nobody waits for; also a time in µs that fits no u32."""

SILENCE_S = 3.0
"""A frame that stops half-way, or a peer that owes a PONG, for this long is lost."""


class Kind(IntEnum):
    """What a frame is (docs/protocol.md, section 3)."""

    HELLO = 1
    CHALLENGE = 2
    AUTH = 3
    LOADING = 4
    WELCOME = 5
    OBSERVE = 16
    CHUNK = 17
    SUPERSEDED = 18
    RESET = 19
    RESET_DONE = 20
    PING = 32
    PONG = 33
    BYE = 34
    ERROR = 35


# What each side takes, with the limits that hold before the agreement. OBSERVE and CHUNK are given
# theirs by `Header.set_limit` once the agreement is known: until then only an empty one would pass.
CLIENT_KINDS: dict[int, int] = {
    Kind.HELLO: HANDSHAKE_BODY,
    Kind.AUTH: HANDSHAKE_BODY,
    Kind.OBSERVE: 0,
    Kind.RESET: 0,
    Kind.PING: 0,
    Kind.BYE: 0,
}
"""Kinds that a client sends and a server takes, with their greatest bodies in bytes."""

SERVER_KINDS: dict[int, int] = {
    Kind.CHALLENGE: HANDSHAKE_BODY,
    Kind.LOADING: TEXT_BODY,
    Kind.WELCOME: HANDSHAKE_BODY,
    Kind.CHUNK: 0,
    Kind.SUPERSEDED: 0,
    Kind.RESET_DONE: 0,
    Kind.PONG: 0,
    Kind.BYE: 0,
    Kind.ERROR: TEXT_BODY,
}
"""Kinds that a server sends and a client takes, with their greatest bodies in bytes."""


class FrameError(Exception):
    """Bytes that are no frame we can go on from: the connection must be closed.

    `fault` names what was found.
    """

    def __init__(self, fault: Fault, sentence: str) -> None:
        super().__init__(sentence)
        self.fault = fault


class BadFrame(FrameError):
    """Not a frame, or one of a kind or with flags that do not belong here."""


class BadVersion(FrameError):
    """A frame of a version of the protocol that is not spoken here."""


class TooLarge(FrameError):
    """A frame whose body is above the limit of this moment; nothing of it was read."""


_SENTENCES = {
    Fault.MAGIC: "The other side does not speak rt-infer's protocol: check the address and the "
    "port.",
    Fault.CHECK: "A frame's header came damaged: check what forwards this connection.",
    Fault.KIND: "The other side sent a frame of a kind that has no place here: check that both "
    "sides run the same version of rt-infer.",
    Fault.FLAGS: "The other side asks for something that this version does not know: run the same "
    "version of rt-infer on both sides.",
    Fault.STEP: "The other side sent a policy step that is not a finite number: run the same "
    "version of rt-infer on both sides.",
}


def raise_for_fault(fault: int, header: Header) -> None:
    """Raise the FrameError for the `fault` that `header.unpack_from` found, if it found one."""
    if fault == Fault.NONE:
        return
    if fault == Fault.VERSION:
        raise BadVersion(
            Fault.VERSION,
            f"The other side speaks version {header.version} of the protocol and this side "
            f"version {PROTOCOL_VERSION}: run the same version of rt-infer on both sides.",
        )
    if fault == Fault.TOO_LARGE:
        raise TooLarge(
            Fault.TOO_LARGE,
            f"The other side announced {header.body_length} bytes in one frame, more than was "
            "agreed: check that both sides describe the same observation.",
        )
    raise BadFrame(Fault(fault), _SENTENCES[Fault(fault)])


def micros(seconds: float | None) -> int:
    """Seconds as a u32 of µs: what does not fit, and None, is NOT_URGENT_US; below zero is 0."""
    if seconds is None or not seconds < NOT_URGENT_US * 1e-6:
        return NOT_URGENT_US
    return max(0, int(seconds * 1e6))
