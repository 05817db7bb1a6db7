"""A robot gets its policy: looked up, waited for while it loads, held against what the robot has.

All of it runs on the connection's thread, between AUTH and WELCOME.
"""

from __future__ import annotations

from collections.abc import Sequence

from rt_infer.policies.hold import HoldPolicy
from rt_infer.policies.registry import HOLD, PolicyKey, UnknownPolicy, resolve
from rt_infer.server.agreement import agree, hold_spec
from rt_infer.server.answers import Answers, HoldAnswers, WorkerAnswers
from rt_infer.server.seat import Seat
from rt_infer.server.wakeup import Wakeup
from rt_infer.server.worker_host import State, WorkerHost
from rt_infer.server.workers import Workers
from rt_infer.wire.channel import Channel
from rt_infer.wire.frames import SILENCE_S, Kind
from rt_infer.wire.handshake import ServerHandshake
from rt_infer.wire.layout import ObservationLayout
from rt_infer.wire.links import LinkLost
from rt_infer.wire.messages import AuthRequest, Welcome
from rt_infer.wire.refusals import ErrorBody, ErrorCode, Refusal

LOADING_PERIOD_S = 0.5
"""How often a robot hears that its policy is still loading; the protocol allows a second."""


class Waiting:
    """A robot between its AUTH and its WELCOME."""

    def __init__(self, channel: Channel, handshake: ServerHandshake, wakeup: Wakeup) -> None:
        self._channel = channel
        self._handshake = handshake
        self._wakeup = wakeup

    def join(
        self, seat: Seat, request: AuthRequest, workers: Workers, allow_python: Sequence[str]
    ) -> tuple[Welcome, ObservationLayout, Answers]:
        """What was agreed, and who answers; Refusal if nobody does, LinkLost if the robot left."""
        wanted = request.policy
        if wanted.type == HOLD:
            spec = hold_spec(request)
            welcome, layout = agree(request, spec, seat.session)
            hold = HoldPolicy(spec.state, spec.images, welcome.chunk_size)
            return welcome, layout, HoldAnswers(hold, seat, layout)
        key = PolicyKey(wanted.type, wanted.path, wanted.device)
        try:
            resolve(key, allow_python)
        except UnknownPolicy as error:
            raise Refusal(ErrorBody.of(ErrorCode.UNKNOWN_POLICY, str(error))) from None
        host = workers.acquire(key)
        try:
            self._until_ready(host)
            assert host.spec is not None
            welcome, layout = agree(request, host.spec, seat.session)
            return welcome, layout, WorkerAnswers(workers, host, seat, layout)
        except BaseException:
            workers.release(key)
            raise

    def _until_ready(self, host: WorkerHost) -> None:
        host.watch(self._wakeup)
        try:
            while host.state is State.LOADING:
                self._handshake.loading(host.progress)
                if self._wakeup.wait(LOADING_PERIOD_S):
                    self._answer_while_loading()
            if host.state is State.GONE:
                raise Refusal(host.why_gone())
        finally:
            host.unwatch(self._wakeup)

    def _answer_while_loading(self) -> None:
        header = self._channel.receive_header(SILENCE_S)
        if header.kind == Kind.PING:
            self._channel.send(Kind.PONG, reply_to=header.sequence)
        elif header.kind == Kind.BYE:
            raise LinkLost(f"{self._channel.link.peer} left while its policy was loading.")
        else:
            raise Refusal(
                ErrorBody.of(
                    ErrorCode.OUT_OF_ORDER,
                    f"{Kind(header.kind).name} came before WELCOME: wait until the policy is "
                    "loaded.",
                )
            )
