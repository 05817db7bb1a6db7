"""Keeps the core supplied with chunks over one connection: ask, submit, poll, check, push.

The uplink's thread calls `over`, once a connection. What ends a connection comes out as LinkLost or
RemoteError, what ends the run as RunEnds. A policy that fails at an observation ends neither.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from rt_infer.config import RunConfig
from rt_infer.robot.agreement import misfit, other_rate
from rt_infer.robot.chunks import AskRule, Verdict, judge
from rt_infer.robot.observe import Observation, Observer
from rt_infer.robot.policy_errors import PolicyErrors
from rt_infer.robot.region import MAX_CHUNK, CoreRegion, CoreState
from rt_infer.robot.result import EXIT_REFUSED, Ending
from rt_infer.robot.timings import LinkCounts, Timings
from rt_infer.wire.addresses import parse_address
from rt_infer.wire.client import Chunk, Client
from rt_infer.wire.messages import Welcome
from rt_infer.wire.refusals import RemoteError

POLL_S = 0.05  # how long a stop may go unnoticed
TROUBLE_S = 0.5  # a camera's trouble is told when it lasts so long


class RunEnds(Exception):
    """The run cannot go on; `ending` says why."""

    def __init__(self, exit_code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.ending = Ending(exit_code, sentence)


class Supply:
    """Chunks for one core; what it counts adds up over all connections of a run."""

    def __init__(
        self,
        config: RunConfig,
        region: CoreRegion,
        observer: Observer,
        action_names: Sequence[str],
        say: Callable[[str], None],
    ) -> None:
        self.timings = Timings()
        self.counts = LinkCounts(transport=parse_address(config.server_address).scheme)
        self.refused: dict[Verdict, int] = {}
        self.errors = PolicyErrors(say)
        self._config = config
        self._region = region
        self._observer = observer
        self._action_names = action_names
        self._say = say
        self._chunk_id = 0
        self._ready_ns = 0  # of the question that is out: observation ready, and sent
        self._sent_ns = 0
        self._trouble_since_s: float | None = None
        self._rate_told = False
        self._age_told = False

    def over(self, client: Client, stop: threading.Event) -> None:
        """Supply the core over this connection until `stop` is set."""
        self._hold_against_the_robot(client.welcome)
        rule = AskRule(
            actions_per_chunk=client.welcome.chunk_size,
            threshold=self._config.chunk_size_threshold,
            fps=self._config.fps,
            refused=self.refused,
        )
        last = self.state()
        while not stop.is_set():
            if rule.awaiting:
                try:
                    chunk = client.poll(timeout_s=POLL_S)
                except RemoteError as error:
                    if error.closing or not error.retryable:
                        raise
                    rule.failed()
                    stop.wait(self.errors.failed(error))
                    continue
                if chunk is not None:
                    self._take(chunk, rule)
                elif not client.awaiting:
                    rule.refuse(Verdict.SUPERSEDED)
                continue
            state = self.state()
            if state.epoch != last.epoch:
                rule.new_epoch()
            if state.chunks_refused > last.chunks_refused:
                self._look_at_refusal(state)
            last = state
            judged = state.chunks_admitted + state.chunks_refused
            observation = None
            if rule.due(steps_queued=state.steps_queued, judged=judged):
                observation = self._observer.build(state.epoch, state.epoch_since_ns)
                self._tell_trouble()
            if observation is None:
                stop.wait(rule.wait_s(state.steps_queued))
            else:
                self._ask(client, observation, rule.slack_s(state.steps_queued))
                rule.asked()

    def begin_new_epoch(self, stop: threading.Event) -> None:
        """Void what is queued, and wait until the core has done so."""
        before = self.state().epoch
        while not self._region.new_epoch():  # the ring is full: the core has yet to drain it
            if stop.wait(0.005):
                return
        while self.state().epoch == before and not stop.wait(0.005):
            pass

    def state(self) -> CoreState:
        """The core's latest state."""
        state = self._region.state()
        assert state is not None  # CoreProcess.start has waited for the first one
        return state

    def _hold_against_the_robot(self, welcome: Welcome) -> None:
        sentence = misfit(welcome, self._action_names)
        if sentence is not None:
            raise RunEnds(EXIT_REFUSED, sentence)
        notice = other_rate(welcome, self._config.fps)
        if notice is not None and not self._rate_told:
            self._rate_told = True
            self._say(notice)

    def _ask(self, client: Client, observation: Observation, slack_s: float) -> None:
        self._ready_ns = time.monotonic_ns()
        client.submit(
            observation.values,
            policy_step=observation.policy_step,
            epoch=observation.epoch,
            capture_ns=observation.capture_ns,
            slack_s=slack_s,
        )
        self._sent_ns = time.monotonic_ns()

    def _take(self, chunk: Chunk, rule: AskRule) -> None:
        state = self.state()
        self._chunk_id += 1
        self.counts.chunks_received += 1
        self.timings.received(
            chunk_id=self._chunk_id,
            capture_ns=chunk.capture_ns,
            ready_ns=self._ready_ns,
            sent_ns=self._sent_ns,
            received_ns=chunk.received_ns,
            server_ms=chunk.timing_ms,
        )
        self.errors.answered()
        age_s = (time.monotonic_ns() - chunk.capture_ns) / 1e9
        verdict = judge(
            chunk.actions,
            action_size=len(self._action_names),
            max_actions=MAX_CHUNK,
            chunk_epoch=chunk.epoch,
            epoch=state.epoch,
            age_s=age_s,
            max_age_s=self._config.max_age_s,
        )
        if verdict is Verdict.MALFORMED:
            raise RunEnds(
                EXIT_REFUSED,
                f"The policy answers with chunks of shape {chunk.actions.shape}, this robot takes "
                f"(1 to {MAX_CHUNK}, {len(self._action_names)}); choose a policy made for it.",
            )
        if verdict is Verdict.GOOD:
            # Told before it is pushed: the core may judge it before we are back.
            rule.pushed(state.chunks_admitted + state.chunks_refused)
            if self._region.push_chunk(
                chunk.actions,
                epoch=chunk.epoch,
                chunk_id=self._chunk_id,
                capture_ns=chunk.capture_ns,
                origin_step=chunk.policy_step,
                received_ns=chunk.received_ns,
            ):
                return
            verdict = Verdict.RING_FULL
        if verdict is Verdict.TOO_OLD:
            self._tell_age(age_s)
        rule.refuse(verdict)

    def _look_at_refusal(self, state: CoreState) -> None:
        if state.last_refusal == "start":
            raise RunEnds(
                EXIT_REFUSED,
                f"The policy's first target is {state.start_distance_rad:.2f} rad from the arm, "
                f"more than --max_start_distance={self._config.max_start_distance:g}; move the arm "
                "closer to where the policy starts, or raise the limit.",
            )
        if state.last_refusal == "age":
            self._tell_age(self.timings.answer_ms / 1e3)

    def _tell_age(self, age_s: float) -> None:
        if not self._age_told:
            self._age_told = True
            self._say(
                f"The answer took {age_s:.1f} s, longer than --max_age_s={self._config.max_age_s:g}"
                ": the arm rests; raise --max_age_s or use a faster model."
            )

    def _tell_trouble(self) -> None:
        trouble = self._observer.trouble
        if trouble is None:
            self._trouble_since_s = None
        elif self._trouble_since_s is None:
            self._trouble_since_s = time.monotonic()
        elif time.monotonic() - self._trouble_since_s > TROUBLE_S:
            self._trouble_since_s = float("inf")  # told; once is enough
            self._say(trouble)
