"""One connection after WELCOME, seen from the client: who owes whom an answer, and for how long.

Rules (docs/protocol.md, section 7): one OBSERVE outstanding; an answer counts only if it replies to
the newest OBSERVE and carries its epoch; while an answer is awaited a PING goes out each second,
and a link on which nothing comes for three is lost. One thread calls all of it.
"""

from __future__ import annotations

import contextlib
import math
import select
import time
from collections.abc import Sequence
from typing import NoReturn

from rt_infer._frames import CHUNK_HEAD_SIZE, ChunkHead
from rt_infer.wire.channel import Channel
from rt_infer.wire.chunk import BadChunk, Chunk, read_chunk
from rt_infer.wire.frames import SILENCE_S, TEXT_BODY, FrameError, Header, Kind
from rt_infer.wire.layout import Observation, ObservationLayout
from rt_infer.wire.links import LinkLost
from rt_infer.wire.messages import ObservationSpec, Welcome
from rt_infer.wire.packer import Packer
from rt_infer.wire.refusals import ErrorBody, ErrorCode, RemoteError

PING_EVERY_S = 1.0
PONG_WITHIN_S = SILENCE_S - PING_EVERY_S


class Conversation:
    """What was asked on one channel, and what came back. Raises LinkLost once the link is gone."""

    def __init__(self, channel: Channel, spec: ObservationSpec, welcome: Welcome) -> None:
        self.epoch = 0
        self._channel = channel
        self._packer = Packer(ObservationLayout.agreed(spec, welcome))
        self._shape = (welcome.chunk_size, len(welcome.actions))
        chunk_body = CHUNK_HEAD_SIZE + 4 * self._shape[0] * self._shape[1]
        channel.received.set_limit(Kind.CHUNK, chunk_body)
        self._chunk_head = ChunkHead()
        self._body = memoryview(bytearray(max(chunk_body, TEXT_BODY)))
        self._ready: Chunk | None = None
        self._awaited = 0  # sequence of the OBSERVE that is not answered yet; 0: none
        self._stamp = (0, 0.0, 0)  # its epoch, policy_step and capture_ns
        self._confirmed = 0  # sequence of our newest PING or RESET that was answered
        self._ping = 0  # sequence of the newest PING of this waiting; 0: none yet
        self._ping_ns = 0  # when it, or the OBSERVE that is awaited, was sent
        self._readable = select.poll()
        self._readable.register(channel.link.fileno(), select.POLLIN)

    @property
    def awaiting(self) -> bool:
        """Whether an observation is out whose answer has not been handed over yet."""
        return self._awaited != 0 or self._ready is not None

    @property
    def bytes_moved(self) -> tuple[int, int]:
        """Bytes sent and received on this connection."""
        return self._channel.link.bytes_sent, self._channel.link.bytes_received

    def observe(
        self,
        moments: Sequence[Observation],
        *,
        epoch: int,
        policy_step: float,
        capture_ns: int,
        slack_us: int,
    ) -> None:
        """Send an OBSERVE; RuntimeError while one of the same epoch is still awaited."""
        if self.awaiting and epoch == self.epoch:
            raise RuntimeError("An answer is still awaited: poll() until it is there.")
        if not math.isfinite(policy_step):
            raise ValueError(f"policy_step is {policy_step}: give the policy clock at capture.")
        packer = self._packer
        body, body_length = packer.pack(moments, capture_ns=capture_ns, slack_us=slack_us)
        self._begin(epoch)
        self._stamp = (epoch, policy_step, capture_ns)
        try:
            self._awaited = self._channel.send(
                Kind.OBSERVE,
                body,
                body_length,
                head=packer.head,
                epoch=epoch,
                policy_step=policy_step,
            )
        except LinkLost:
            self.close()
            raise
        self._ping = 0  # the first is due in a second
        self._ping_ns = time.monotonic_ns()

    def poll(self, timeout_s: float) -> Chunk | None:
        """The awaited chunk, waiting at most `timeout_s`; None also when it was superseded."""
        until_s = time.monotonic() + timeout_s
        asked = self._awaited
        while True:
            self._take_arrived()
            if self._ready is not None:
                chunk, self._ready = self._ready, None
                return chunk
            left_s = until_s - time.monotonic()
            if left_s <= 0.0 or self._awaited != asked:
                return None
            self._wait(left_s)

    def reset(self, epoch: int) -> None:
        """Begin `epoch` on the server and return once it has said so."""
        self._begin(epoch)
        self._confirm(self._send(Kind.RESET, epoch))

    def ping(self) -> float:
        """The round trip to the server's door, in s."""
        sent_ns = time.monotonic_ns()
        self._confirm(self._send(Kind.PING))
        return (time.monotonic_ns() - sent_ns) * 1e-9

    def say_goodbye(self) -> None:
        """Send BYE, if the link still takes it, and close."""
        with contextlib.suppress(LinkLost):
            self._channel.send(Kind.BYE)
        self.close()

    def close(self) -> None:
        """Close the link; whatever is called afterwards raises LinkLost."""
        self._awaited = 0
        self._ready = None
        self._channel.close()

    def _begin(self, epoch: int) -> None:
        """Nothing asked before counts any more."""
        if epoch < self.epoch:
            raise ValueError(f"Epoch {epoch} is older than {self.epoch}, which was already used.")
        self.epoch = epoch
        self._awaited = 0
        self._ready = None

    def _send(self, kind: Kind, epoch: int = 0) -> int:
        try:
            return self._channel.send(kind, epoch=epoch)
        except LinkLost:
            self.close()
            raise

    def _confirm(self, sequence: int) -> None:
        """Wait until the server has answered our frame `sequence`, which it does at once."""
        until_s = time.monotonic() + SILENCE_S
        while self._confirmed < sequence:
            self._take_arrived()
            left_s = until_s - time.monotonic()
            if self._confirmed < sequence and left_s <= 0.0:
                self._lose(f"{self._channel.link.peer} does not answer: check its machine.")
            if self._confirmed < sequence:
                self._readable.poll(left_s * 1e3)

    def _wait(self, left_s: float) -> None:
        """Sleep until something comes, `left_s` is over, or a ping is due."""
        if self._awaited or self._channel.half_received:
            left_s = min(left_s, self._keep_alive())
        self._readable.poll(left_s * 1e3)

    def _keep_alive(self) -> float:
        """Ping if one is due, and lose the link if a ping stayed unanswered; s until the next.

        Silence is counted from a ping that was really sent and not from the last answer: after
        this process itself stood still for a while, the server gets its time to answer.
        """
        waited_s = (time.monotonic_ns() - self._ping_ns) * 1e-9
        unanswered = self._ping > self._confirmed and self._channel.last_heard_ns < self._ping_ns
        if unanswered:
            if waited_s >= PONG_WITHIN_S:
                self._lose(
                    f"Nothing came from {self._channel.link.peer} for {SILENCE_S:g} s: check its "
                    "machine and the network."
                )
            return PONG_WITHIN_S - waited_s
        if waited_s < PING_EVERY_S:
            return PING_EVERY_S - waited_s
        self._ping_ns = time.monotonic_ns()
        self._ping = self._send(Kind.PING)
        return PING_EVERY_S

    def _take_arrived(self) -> None:
        """Take the frames that have arrived, up to a chunk: it is not kept waiting for more."""
        channel = self._channel
        try:
            while channel.receive_ready(self._body):
                self._take(channel.received)
                if channel.received.kind == Kind.CHUNK:
                    return
        except FrameError as error:
            self._lose(str(error))
        except LinkLost:
            self.close()
            raise

    def _take(self, header: Header) -> None:
        kind = header.kind
        if header.session != self._channel.session and kind != Kind.ERROR:
            self._lose(f"{self._channel.link.peer} sent a frame of another session: reconnect.")
        if kind in (Kind.PONG, Kind.RESET_DONE):
            self._confirmed = max(self._confirmed, header.reply_to)
        elif kind == Kind.CHUNK:
            self._take_chunk(header)
        elif kind == Kind.SUPERSEDED:
            if header.reply_to == self._awaited:
                self._awaited = 0
        elif kind == Kind.ERROR:
            self._take_error(header)
        elif kind == Kind.BYE:
            self._lose(f"{self._channel.link.peer} is stopping: connect again later.")
        else:
            self._lose(f"{self._channel.link.peer} sent {Kind(kind).name} out of turn: reconnect.")

    def _take_chunk(self, header: Header) -> None:
        if header.reply_to != self._awaited or not self._awaited:
            return  # of an observation that was given up, or of none
        self._awaited = 0
        now_ns = time.monotonic_ns()
        try:
            chunk = read_chunk(header, self._body, self._chunk_head, self._shape, now_ns)
            if (chunk.epoch, chunk.policy_step, chunk.capture_ns) != self._stamp:
                raise BadChunk("The server's chunk is not used, since it carries another stamp.")
        except BadChunk as error:
            body = ErrorBody.of(ErrorCode.BAD_ANSWER, str(error))
            raise RemoteError(body) from None
        self._ready = chunk

    def _take_error(self, header: Header) -> None:
        error = ErrorBody.decode(bytes(self._body[: header.body_length]))
        if error.closing:
            self.close()
        elif header.reply_to != self._awaited:
            return  # about an observation that was given up
        self._awaited = 0
        raise RemoteError(error)

    def _lose(self, sentence: str) -> NoReturn:
        self.close()
        raise LinkLost(sentence)
