"""Keeps the core supplied with chunks over one connection: ask, submit, poll, check, push.

The uplink's thread calls `over`, once a connection. What ends a connection comes out as LinkLost or
RemoteError, what ends the run as RunEnds. A policy that fails at an observation ends neither.

While the arm is to stand still (wishes.py) nothing is asked and only the link is kept; afterwards a
new epoch begins, so that nothing from before it moves the arm.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from rt_infer.actions.convert import ActionCounts, BadActions, Converter
from rt_infer.actions.inverse import Inverse
from rt_infer.config import RunConfig
from rt_infer.robot.agreement import Unfit, agree, other_rate
from rt_infer.robot.approach import Approach
from rt_infer.robot.chunks import AskRule, Verdict, judge
from rt_infer.robot.observe import Observation, Observer
from rt_infer.robot.policy_errors import PolicyErrors
from rt_infer.robot.region import MAX_CHUNK, CoreRegion, CoreState, Phase
from rt_infer.robot.result import EXIT_REFUSED, RunEnds
from rt_infer.robot.timings import LinkCounts, Timings
from rt_infer.robot.wishes import Wishes
from rt_infer.wire.addresses import parse_address
from rt_infer.wire.client import Chunk, Client
from rt_infer.wire.messages import Welcome
from rt_infer.wire.refusals import RemoteError

POLL_S = 0.05  # how long a stop may go unnoticed
KEEP_LINK_EVERY_S = 1.0  # a ping, where nothing else is on its way
TROUBLE_S = 0.5  # a camera's trouble is told when it lasts so long


class Supply:
    """Chunks for one core; what it counts adds up over all connections of a run."""

    def __init__(
        self,
        config: RunConfig,
        region: CoreRegion,
        observer: Observer,
        inverse: Inverse,
        tools: Sequence[str],
        target_range_rad: tuple[Sequence[float], Sequence[float]],
        wishes: Wishes,
        say: Callable[[str], None],
    ) -> None:
        self.timings = Timings()
        self.counts = LinkCounts(transport=parse_address(config.server_address).scheme)
        self.refused: dict[Verdict, int] = {}
        self.actions = ActionCounts()
        self.errors = PolicyErrors(say)
        self._config = config
        self._region = region
        self._observer = observer
        self._inverse = inverse
        self._tools = tools
        self._wishes = wishes
        self._say = say
        self._chunk_ids = itertools.count(1)
        self.approach = Approach(config, region, target_range_rad, self._chunk_ids, wishes, say)
        self._first_step = 0.0  # of the newest chunk that was pushed, and
        self._pushed = np.zeros((1, 7), np.float32)  # its waypoints
        self._holds = 0  # standstills that have been dealt with
        self._kept_link_s = 0.0  # when the newest ping was answered
        self._asked: Observation | None = None  # the question that is out, or was last
        self._ready_ns = 0  # when its observation was ready, and sent
        self._sent_ns = 0
        self._trouble_since_s: float | None = None
        self._told: set[str] = set()

    def over(self, client: Client, stop: threading.Event) -> None:
        """Supply the core over this connection until `stop` is set."""
        converter = self._hold_against_the_robot(client.welcome)
        rule = AskRule(
            actions_per_chunk=client.welcome.chunk_size,
            threshold=self._config.chunk_size_threshold,
            fps=self._config.fps,
            refused=self.refused,
        )
        last = self.state()
        while not stop.is_set():
            if self._wishes.held and self._wishes.resetting:
                self._reset_at_rest(client, rule)
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
                    self._take(chunk, converter, rule)
                elif not client.awaiting:
                    rule.refuse(Verdict.SUPERSEDED)
                continue
            if self._wishes.held:
                self._keep_link(client)
                stop.wait(POLL_S)
                continue
            if self._holds != self._wishes.holds:
                self._holds = self._wishes.holds
                # The core begins one by itself, if it ever saw so short a standstill.
                self.begin_new_epoch(stop)
                rule.new_epoch()
                last = self.state()  # what it refused before is of no interest any more
            state = self.state()
            if state.epoch != last.epoch:
                rule.new_epoch()
            if state.chunks_admitted > last.chunks_admitted:
                self.approach.begun()
            if state.chunks_refused > last.chunks_refused:
                self._look_at_refusal(state)
                if state.last_refusal == "start":
                    self._go_to_start(state, client, stop)
                    rule.new_epoch()
                    state = self.state()
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

    def _reset_at_rest(self, client: Client, rule: AskRule) -> None:
        """Let the policy forget, once the arm is at rest; what it was asked is void."""
        state = self.state()
        if state.phase == Phase.HOLD:
            with self._wishes.carrying_out_a_reset():
                client.reset(state.epoch)
            rule.failed()

    def _keep_link(self, client: Client) -> None:
        """Ping now and then while nothing is asked: it is noticed when the link is lost."""
        if time.monotonic() - self._kept_link_s > KEEP_LINK_EVERY_S:
            client.ping()
            self._kept_link_s = time.monotonic()

    def _go_to_start(self, refused: CoreState, client: Client, stop: threading.Event) -> None:
        """Bring the arm to the first target that the core has just refused, if that is wanted."""
        passed = max(math.ceil(refused.policy_step - self._first_step), 0)
        target = self._pushed[min(passed, len(self._pushed) - 1), :7]
        self.approach.go_to(
            target.astype(np.float64), refused, stop, lambda: self._keep_link(client)
        )
        if not self._wishes.held:  # then one begins at its end
            self.begin_new_epoch(stop)

    def state(self) -> CoreState:
        """The core's latest state."""
        state = self._region.state()
        assert state is not None  # CoreProcess.start has waited for the first one
        return state

    def _hold_against_the_robot(self, welcome: Welcome) -> Converter:
        try:
            layout = agree(welcome, self._tools)
        except Unfit as error:
            raise RunEnds(EXIT_REFUSED, str(error)) from None
        notice = other_rate(welcome, self._config.fps)
        if notice is not None:
            self._tell_once("rate", notice)
        return Converter(layout, self._inverse, self._config.fps, self.actions, MAX_CHUNK)

    def _ask(self, client: Client, observation: Observation, slack_s: float) -> None:
        self._asked = observation
        self._ready_ns = time.monotonic_ns()
        client.submit(
            observation.values,
            policy_step=observation.policy_step,
            epoch=observation.epoch,
            capture_ns=observation.capture_ns,
            slack_s=slack_s,
        )
        self._sent_ns = time.monotonic_ns()

    def _take(self, chunk: Chunk, converter: Converter, rule: AskRule) -> None:
        state = self.state()
        chunk_id = next(self._chunk_ids)
        self.counts.chunks_received += 1
        self.timings.received(
            chunk_id=chunk_id,
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
            action_size=converter.layout.size,
            max_actions=MAX_CHUNK,
            chunk_epoch=chunk.epoch,
            epoch=state.epoch,
            age_s=age_s,
            max_age_s=self._config.max_age_s,
        )
        if verdict is Verdict.MALFORMED:
            raise RunEnds(
                EXIT_REFUSED,
                f"The policy answers with chunks of shape {chunk.actions.shape}, and agreed to "
                f"(1 to {MAX_CHUNK}, {converter.layout.size}); choose another policy.",
            )
        if verdict is Verdict.GOOD:
            verdict, waypoints = self._convert(chunk, converter)
        if verdict is Verdict.GOOD:
            # Told before it is pushed: the core may judge it before we are back.
            rule.pushed(state.chunks_admitted + state.chunks_refused)
            self._pushed, self._first_step = waypoints, chunk.policy_step
            if self._region.push_chunk(
                waypoints,
                epoch=chunk.epoch,
                chunk_id=chunk_id,
                capture_ns=chunk.capture_ns,
                origin_step=chunk.policy_step,
                received_ns=chunk.received_ns,
            ):
                return
            verdict = Verdict.RING_FULL
        if verdict is Verdict.TOO_OLD:
            self._tell_age(age_s)
        rule.refuse(verdict)

    def _convert(
        self, chunk: Chunk, converter: Converter
    ) -> tuple[Verdict, npt.NDArray[np.float32]]:
        assert self._asked is not None  # the client lets no answer through but the one to it
        arm = self._asked.arm
        try:
            waypoints = converter.waypoints(chunk.actions, arm.q_rad, arm.q_command_rad)
        except BadActions as error:
            self._tell_once(error.why, str(error))
            return Verdict(error.why), chunk.actions
        for what, sentence in self.actions.told.items():
            self._tell_once(what, sentence)
        return Verdict.GOOD, waypoints

    def _look_at_refusal(self, state: CoreState) -> None:
        if state.last_refusal == "age":
            self._tell_age(self.timings.answer_ms / 1e3)

    def _tell_age(self, age_s: float) -> None:
        self._tell_once(
            "age",
            f"The answer took {age_s:.1f} s, longer than --max_age_s={self._config.max_age_s:g}"
            ": the arm rests; raise --max_age_s or use a faster model.",
        )

    def _tell_once(self, what: str, sentence: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self._say(sentence)

    def _tell_trouble(self) -> None:
        trouble = self._observer.trouble
        if trouble is None:
            self._trouble_since_s = None
        elif self._trouble_since_s is None:
            self._trouble_since_s = time.monotonic()
        elif time.monotonic() - self._trouble_since_s > TROUBLE_S:
            self._trouble_since_s = float("inf")  # told; once is enough
            self._say(trouble)
