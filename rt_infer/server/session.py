"""One robot's session, from its proven request to its end (docs/protocol.md, sections 4 to 8).

Threads: the connection's own thread runs everything here but `deliver` and `worker_lost`, which
the worker's thread calls, and `end`, which anyone may. `_lock` keeps together what must not be torn
apart: an answer is held against the session's generation and sent in one piece, so that no chunk of
an earlier generation follows a RESET_DONE, and nothing is sent once the session is over.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from rt_infer._frames import CHUNK_HEAD_SIZE, ChunkHead, all_finite
from rt_infer.server.answers import Answers
from rt_infer.server.joining import Waiting
from rt_infer.server.metrics import Metrics
from rt_infer.server.seat import Answer, Arrived, Refused
from rt_infer.server.slots import Slots
from rt_infer.server.wakeup import Wakeup
from rt_infer.server.workers import Workers
from rt_infer.wire.channel import Channel
from rt_infer.wire.frames import HEADER_SIZE, NOT_URGENT_US, SILENCE_S, Header, Kind, micros
from rt_infer.wire.handshake import ServerHandshake
from rt_infer.wire.layout import BadObservation, ObservationLayout
from rt_infer.wire.links import LinkLost
from rt_infer.wire.messages import AuthRequest
from rt_infer.wire.refusals import ErrorBody, ErrorCode, Refusal


class Goodbye(Exception):
    """The server ends the session in good order."""


class Session:
    """A seat at a desk, on the robot's side of it. Made by a connection, closed by it."""

    def __init__(self, number: int, channel: Channel, metrics: Metrics) -> None:
        self.session = number
        self.slots: Slots[Arrived] = Slots()
        self._channel = channel
        self._metrics = metrics
        self._wakeup = Wakeup(channel.link.fileno())
        self._lock = threading.Lock()
        self._over = False
        self._reason: Exception | None = None
        self._generation = 0
        self._epoch = 0
        self._answers: Answers | None = None
        self._layout: ObservationLayout
        self._chunk: ChunkHead
        self._chunk_bytes = bytearray(HEADER_SIZE + CHUNK_HEAD_SIZE)

    # ---- the connection's thread --------------------------------------------------------------

    def join(
        self,
        request: AuthRequest,
        handshake: ServerHandshake,
        workers: Workers,
        allow_python: Sequence[str],
    ) -> None:
        """Get the robot its policy and WELCOME it; Refusal if that cannot be."""
        waiting = Waiting(self._channel, handshake, self._wakeup)
        welcome, self._layout, self._answers = waiting.join(self, request, workers, allow_python)
        self._chunk = ChunkHead(welcome.chunk_size, len(welcome.actions))
        self._channel.received.set_limit(Kind.OBSERVE, self._layout.greatest_body_length)
        handshake.welcome(welcome)
        self._metrics.count("sessions_total")

    def serve(self) -> None:
        """Take the robot's frames until its BYE; raises why the session ended otherwise."""
        while True:
            readable = self._wakeup.wait()
            if self._reason is not None:
                raise self._reason
            if not readable:
                continue
            header = self._channel.receive_header(SILENCE_S)
            if header.session != self.session:
                raise _out_of_order(f"a frame of session {header.session} in {self.session}")
            if header.kind == Kind.OBSERVE:
                self._observe(header)
            elif header.kind == Kind.PING:
                self._channel.send(Kind.PONG, reply_to=header.sequence)
            elif header.kind == Kind.RESET:
                self._new_generation(header.epoch)
                self._channel.send(Kind.RESET_DONE, reply_to=header.sequence, epoch=header.epoch)
            elif header.kind == Kind.BYE:
                return
            else:
                raise _out_of_order(f"{Kind(header.kind).name} after WELCOME")

    def close(self) -> None:
        """Nothing is sent or kept any more; may be called twice. The link is the connection's."""
        with self._lock:
            if self._over:
                return
            self._over = True
        if self._answers is not None:
            self._answers.close()
            self._answers = None
        self._wakeup.close()

    def _observe(self, header: Header) -> None:
        assert self._answers is not None
        length, sequence, epoch = header.body_length, header.sequence, header.epoch
        body = self._answers.buffer(length)
        self._channel.receive_body_into(body)
        arrival_ns = time.monotonic_ns()
        self._metrics.count("observations_total")
        try:
            head = self._layout.check(body, length)
        except BadObservation as error:
            self._refuse(sequence, epoch, ErrorCode.BAD_OBSERVATION, str(error))
            return
        if epoch < self._epoch:
            self._supersede(sequence, epoch)
            return
        if epoch > self._epoch:
            self._new_generation(epoch)
        urgent = head.slack_us != NOT_URGENT_US
        superseded = self._answers.submit(
            Arrived(
                sequence=sequence,
                epoch=epoch,
                policy_step=header.policy_step,
                capture_ns=head.capture_ns,
                arrival_ns=arrival_ns,
                slack_s=head.slack_us * 1e-6 if urgent else float("inf"),
                length=length,
                generation=self._generation,
            )
        )
        if superseded is not None:
            self._supersede(superseded.sequence, superseded.epoch)

    def _new_generation(self, epoch: int) -> None:
        """A reset: what is older is void, and the policy forgets before it sees what is newer."""
        assert self._answers is not None
        with self._lock:
            self._generation += 1
        self._epoch = max(self._epoch, epoch)
        void = self._answers.void()
        if void is not None:
            self._supersede(void.sequence, void.epoch)

    # ---- the worker's thread ------------------------------------------------------------------

    def deliver(self, observation: Arrived, outcome: Answer | Refused) -> None:
        """Answer `observation`: CHUNK, ERROR, or SUPERSEDED if there was a reset meanwhile."""
        if isinstance(outcome, Answer):
            outcome = self._checked(outcome)
        with self._lock:
            if self._over:
                self._metrics.count("dropped_answers_total")
                return
            try:
                if observation.generation != self._generation:
                    self._supersede(observation.sequence, observation.epoch)
                elif isinstance(outcome, Refused):
                    code = ErrorCode(outcome.code)
                    self._refuse(observation.sequence, observation.epoch, code, outcome.sentence)
                else:
                    self._send_chunk(observation, outcome)
            except LinkLost as error:
                self.end(error)

    def worker_lost(self, body: ErrorBody) -> None:
        """The worker is gone: so is the session."""
        self.end(Refusal(body))

    def end(self, reason: Exception) -> None:
        """Have `serve` raise `reason`, if it has no earlier one. Any thread."""
        self._reason = self._reason or reason
        self._wakeup.wake()

    # ---- either thread ------------------------------------------------------------------------

    def _checked(self, answer: Answer) -> Answer | Refused:
        """The answer, if a robot may follow it."""
        agreed = self._chunk.steps, self._chunk.width
        if answer.actions.shape != agreed:
            sentence = f"The policy answered with {answer.actions.shape} actions, not {agreed}"
        elif not all_finite(answer.actions.data):
            sentence = "The policy answered with an action that is not a finite number"
        else:
            return answer
        return Refused(ErrorCode.BAD_ANSWER, f"{sentence}: the chunk was withheld.")

    def _send_chunk(self, observation: Arrived, answer: Answer) -> None:
        """Under the lock."""
        chunk, head, arrival_ns = self._chunk, self._chunk_bytes, observation.arrival_ns
        sent_ns = time.monotonic_ns()
        seconds = {
            "queue": (answer.started_ns - arrival_ns) * 1e-9,
            "prepare": (answer.prepared_ns - answer.started_ns) * 1e-9,
            "infer": (answer.inferred_ns - answer.prepared_ns) * 1e-9,
            "finish": (sent_ns - answer.inferred_ns) * 1e-9,
            "total": (sent_ns - arrival_ns) * 1e-9,
        }
        chunk.capture_ns = observation.capture_ns
        chunk.queue_us = micros(seconds["queue"])
        chunk.prepare_us = micros(seconds["prepare"])
        chunk.infer_us = micros(seconds["infer"])
        chunk.finish_us = micros(seconds["finish"])
        chunk.total_us = micros(seconds["total"])
        chunk.pack_into(head, HEADER_SIZE)
        self._channel.send(
            Kind.CHUNK,
            [answer.actions.data],
            CHUNK_HEAD_SIZE + answer.actions.nbytes,
            head=head,
            reply_to=observation.sequence,
            epoch=observation.epoch,
            policy_step=observation.policy_step,
        )
        self._metrics.count("chunks_total")
        self._metrics.observe_stages(seconds)

    def _supersede(self, sequence: int, epoch: int) -> None:
        self._channel.send(Kind.SUPERSEDED, reply_to=sequence, epoch=epoch)
        self._metrics.count("superseded_total")

    def _refuse(self, sequence: int, epoch: int, code: ErrorCode, sentence: str) -> None:
        body = ErrorBody.of(code, sentence).encode()
        self._channel.send(Kind.ERROR, [body], len(body), reply_to=sequence, epoch=epoch)
        self._metrics.count("errors_total", f'code="{code.name.lower()}"')


def _out_of_order(what: str) -> Refusal:
    sentence = f"The server got {what}: run the same version of rt-infer on both sides."
    return Refusal(ErrorBody.of(ErrorCode.OUT_OF_ORDER, sentence))
