"""Frames over a link: numbering, the session's number, receiving at once or in pieces.

Threads: any may send (a lock keeps frames whole and their sequence in order); one receives.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rt_infer.wire.frames import HEADER_SIZE, SILENCE_S, Header, Kind, raise_for_fault
from rt_infer.wire.links import Link

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Channel:
    """One side's end of a connection.

    accepts: kinds that this side takes with their greatest bodies: frames.SERVER_KINDS on a client,
    frames.CLIENT_KINDS on a server. `received` is the header of the frame received last.
    """

    def __init__(self, link: Link, accepts: Mapping[int, int]) -> None:
        self.link = link
        self.session = 0
        self.received = Header(accepts)
        self.last_heard_ns = time.monotonic_ns()
        self._lock = threading.Lock()
        self._sending = Header()
        self._sequence = 0
        self._small_head = bytearray(HEADER_SIZE)
        self._incoming_head = memoryview(bytearray(HEADER_SIZE))
        self._filled = 0  # bytes of the present frame that `receive_ready` has, header included

    def send(
        self,
        kind: Kind,
        body: Sequence[ReadableBuffer] = (),
        body_length: int = 0,
        *,
        head: bytearray | None = None,
        reply_to: int = 0,
        epoch: int = 0,
        policy_step: float = 0.0,
    ) -> int:
        """Send one frame and return its sequence; LinkLost if the link is gone.

        body: the buffers of the body, `body_length` bytes together, sent without a copy.
        head: memory whose first 64 bytes take the header and whose rest starts the body; it saves
        a buffer to gather. The caller must leave it alone until this returns.
        """
        with self._lock:
            self._sequence += 1
            header = self._sending
            header.kind = kind
            header.body_length = body_length
            header.session = self.session
            header.sequence = self._sequence
            header.reply_to = reply_to
            header.epoch = epoch
            header.policy_step = policy_step
            header.send_ns = time.monotonic_ns()
            if head is None:
                head = self._small_head
            header.pack_into(head)
            self.link.send_frame([head, *body], HEADER_SIZE + body_length)
            return self._sequence

    @property
    def sent_head(self) -> bytes:
        """The header of the frame sent last from no `head` of the caller's own: a copy."""
        return bytes(self._small_head)

    @property
    def received_head(self) -> bytes:
        """The bytes of the header received last: a copy."""
        return bytes(self._incoming_head)

    def receive_header(
        self, timeout_s: float | None = None, deadline_s: float | None = None
    ) -> Header:
        """Wait for a header and check it; FrameError, or LinkLost as `Link.recv_exactly_into`."""
        self.link.recv_exactly_into(self._incoming_head, timeout_s, deadline_s)
        self.last_heard_ns = time.monotonic_ns()
        raise_for_fault(self.received.unpack_from(self._incoming_head), self.received)
        return self.received

    def receive_body_into(self, view: memoryview) -> None:
        """Receive the body of `received` into the start of `view`, which must be long enough."""
        self.link.recv_exactly_into(view[: self.received.body_length], SILENCE_S)
        self.last_heard_ns = time.monotonic_ns()

    def receive_body(self, deadline_s: float | None = None) -> bytes:
        """Receive the body of `received` into memory of its own; for small ones."""
        body = bytearray(self.received.body_length)
        self.link.recv_exactly_into(memoryview(body), SILENCE_S, deadline_s)
        self.last_heard_ns = time.monotonic_ns()
        return bytes(body)

    def receive_ready(self, body: memoryview) -> bool:
        """Take what has arrived; True once a whole frame is there: `received`, and in `body`.

        Never waits. `body` must be as long as the greatest body accepted, and the same memory until
        the frame is whole. FrameError and LinkLost as above. Not to be mixed with the waiting
        calls above while a frame is half there.
        """
        while True:
            if self._filled < HEADER_SIZE:
                missing = self._incoming_head[self._filled :]
            else:
                missing = body[self._filled - HEADER_SIZE : self.received.body_length]
            if missing.nbytes:
                count = self.link.recv_some_into(missing)
                if count == 0:
                    return False
                self.last_heard_ns = time.monotonic_ns()
                self._filled += count
                if self._filled == HEADER_SIZE:
                    raise_for_fault(self.received.unpack_from(self._incoming_head), self.received)
                if count < missing.nbytes or self._filled == HEADER_SIZE:
                    continue
            self._filled = 0
            return True

    @property
    def half_received(self) -> bool:
        """Whether `receive_ready` has the beginning of a frame but not its end."""
        return self._filled > 0

    def close(self) -> None:
        """Close the link; see `Link.close`."""
        self.link.close()
