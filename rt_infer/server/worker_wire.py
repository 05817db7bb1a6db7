"""What door and worker say to each other: small fixed messages over one SOCK_SEQPACKET pair.

::

    door                                             worker
      OPEN(session, stride, T) + layout + memory ──▶         a robot joined: map its slots
      INFER(request, session, slot, …)           ──▶         one at a time; a generation that
                                                             differs from the last one's resets
                                                 ◀── PROGRESS(text)*, then READY + policy + area
                                                     or FAILED(text): it could not be loaded
                                                 ◀── CHUNK(request, T, A, times) + actions
                                                     or REFUSED(request, code) + text
      CLOSE(session)                             ──▶         unmap, forget
                                                 ◀── READ, after each OPEN and CLOSE
      end of file                                ──▶         the worker ends

READ is for a door whose messages the channel did not take: it sends on as the worker reads. What
fills a channel is OPEN and CLOSE, of INFER there is never more than one.

A message is one packet: a struct, then as much text, JSON or float32 as the packet has left. JSON
travels only when a robot joins and when the worker is ready. Actions travel in the message up to
`INLINE_BYTES`, beyond that in the reply area, which the worker writes again only after the next
INFER. Both sides are ours and of one version; the door still checks what the worker says, because
a model shares the worker's memory.
"""

from __future__ import annotations

import enum
import socket
import struct

import msgspec

from rt_infer.policies.base import PolicySpec

INLINE_BYTES = 64 * 1024
TEXT_BYTES = 1024
PACKET_BYTES = INLINE_BYTES + 4096
"""No packet is longer: the longest are a CHUNK with its actions inside, OPEN and READY."""

KIND = struct.Struct("=I")
OPEN = struct.Struct("=IIII")  # kind, session, stride, chunk size T
CLOSE = struct.Struct("=II")  # kind, session
INFER = struct.Struct("=IIIIIIQ")  # kind, session, slot, body length, generation, 0, request
CHUNK = struct.Struct("=IIIIQqqq")  # kind, T, A, is in the area, request; started, prepared and
#                                     inferred at [ns of CLOCK_MONOTONIC, the same for both]
_DESCRIPTOR = struct.Struct("=i")
REFUSED = struct.Struct("=IIQ")  # kind, code of the ERROR to send, request


class Kind(enum.IntEnum):
    """The first word of every message."""

    OPEN = 1
    CLOSE = 2
    INFER = 3
    PROGRESS = 16
    READY = 17
    FAILED = 18
    CHUNK = 19
    REFUSED = 20
    READ = 21


def pair() -> tuple[socket.socket, socket.socket]:
    """The two ends; neither is inherited by a child that is not told to."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * PACKET_BYTES)
    return ours, theirs


def send(end: socket.socket, packet: bytes, fd: int | None = None, flags: int = 0) -> None:
    """Send one packet, and a copy of `fd` with it; BlockingIOError with MSG_DONTWAIT when full.

    (socket.send_fds and recv_fds leave out the flags they are given, as late as Python 3.11.)
    """
    if fd is None:
        end.send(packet, flags)
    else:
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, _DESCRIPTOR.pack(fd))
        end.sendmsg([packet], [rights], flags)


def receive(end: socket.socket, flags: int = 0) -> tuple[bytes, int | None]:
    """The next packet, b"" at the end, and the descriptor that came with it."""
    packet, ancillary, _, _ = end.recvmsg(
        PACKET_BYTES, socket.CMSG_SPACE(_DESCRIPTOR.size), flags | socket.MSG_CMSG_CLOEXEC
    )
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            return packet, _DESCRIPTOR.unpack_from(data)[0]
    return packet, None


def kind_of(packet: bytes | memoryview) -> int:
    """The kind of a packet; ValueError if it is too short to have one."""
    if len(packet) < KIND.size:
        raise ValueError("a packet without a kind")
    kind: int = KIND.unpack_from(packet)[0]
    return kind


def text_packet(kind: Kind, text: str) -> bytes:
    """PROGRESS or FAILED with a line for the user."""
    return KIND.pack(kind) + text.encode()[:TEXT_BYTES]


def refused_packet(code: int, request: int, text: str) -> bytes:
    """REFUSED: `request` is answered with an ERROR of `code` that says `text`."""
    return REFUSED.pack(Kind.REFUSED, code, request) + text.encode()[:TEXT_BYTES]


def refusal(packet: bytes) -> tuple[int, int, str]:
    """A REFUSED message's request, code and text; ValueError if it is too short."""
    if len(packet) < REFUSED.size:
        raise ValueError("a refusal that is cut off")
    _, code, request = REFUSED.unpack_from(packet)
    return request, code, text_of(packet, REFUSED.size)


def encode_spec(spec: PolicySpec) -> bytes:
    """What READY says about the policy, as JSON."""
    return msgspec.json.encode(spec)


def decode_spec(body: bytes) -> PolicySpec:
    """A READY message's policy; ValueError if it is none."""
    return msgspec.json.decode(body, type=PolicySpec)


def text_of(packet: bytes | memoryview, offset: int) -> str:
    """The text from `offset` on; what is not UTF-8 (a cut character) is replaced."""
    return bytes(packet[offset:]).decode(errors="replace")


def one_line(text: str, limit: int = 300) -> str:
    """The first line of `text` that says something, without control characters, cut to `limit`."""
    for line in text.splitlines():
        printable = "".join(c if c.isprintable() else " " for c in line).strip()
        if printable:
            return printable if len(printable) <= limit else printable[: limit - 1] + "…"
    return ""
