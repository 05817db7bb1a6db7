"""Keeps the core supplied with chunks over one connection: the order in which things happen.

    the arm is to stand still   ask nothing, keep the link; at rest, carry out a reset
    it may move again           begin a new epoch: nothing from before moves the arm
    an answer is out            wait for it; intake.py makes waypoints of it
    the core refused a start    go there first, if that is wanted (approach.py)
    the queue runs low          ask (chunks.py knows when, observe.py what)

The uplink's thread calls `over`, once a connection. What ends a connection comes out as LinkLost or
RemoteError, what ends the run as RunEnds. A policy that fails at an observation ends neither.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence

from rt_infer.actions.convert import Converter
from rt_infer.actions.inverse import Inverse
from rt_infer.config import RunConfig
from rt_infer.robot.approach import Approach
from rt_infer.robot.chunks import AskRule, Verdict
from rt_infer.robot.intake import Intake, Question
from rt_infer.robot.notices import Notices
from rt_infer.robot.observe import Observation, Observer
from rt_infer.robot.policy_errors import PolicyErrors
from rt_infer.robot.region import CoreRegion, CoreState, Phase
from rt_infer.robot.timings import LinkCounts
from rt_infer.robot.wishes import Wishes
from rt_infer.wire.addresses import parse_address
from rt_infer.wire.client import Client
from rt_infer.wire.refusals import RemoteError

POLL_S = 0.05  # how long a stop may go unnoticed
KEEP_LINK_EVERY_S = 1.0  # a ping, where nothing else is on its way


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
        self.counts = LinkCounts(transport=parse_address(config.server_address).scheme)
        self.refused: dict[Verdict, int] = {}
        self.errors = PolicyErrors(say)
        self._notices = Notices(say)
        chunk_ids = itertools.count(1)
        self.intake = Intake(
            region,
            inverse,
            tools,
            chunk_ids,
            self._notices,
            fps=config.fps,
            max_age_s=config.max_age_s,
        )
        self.approach = Approach(config, region, target_range_rad, chunk_ids, wishes, say)
        self._config = config
        self._region = region
        self._observer = observer
        self._wishes = wishes
        self._holds = 0  # standstills that have been dealt with
        self._seen = self.state()  # what the core told that has been dealt with
        self._question: Question | None = None  # the one that is out, or was last
        self._kept_link_s = 0.0  # when the newest ping was answered

    def over(self, client: Client, stop: threading.Event) -> None:
        """Supply the core over this connection until `stop` is set."""
        converter = self.intake.converter(client.welcome)
        rule = AskRule(
            actions_per_chunk=client.welcome.chunk_size,
            threshold=self._config.chunk_size_threshold,
            fps=self._config.fps,
            refused=self.refused,
        )
        self._seen = self.state()
        while not stop.is_set():
            if self._wishes.held and self._wishes.resetting:
                self._reset_at_rest(client, rule)
            if rule.awaiting:
                self._await_answer(client, converter, rule, stop)
            elif self._wishes.held:
                self._keep_link(client)
                stop.wait(POLL_S)
            else:
                if self._holds != self._wishes.holds:
                    self._go_on(rule, stop)
                state = self._heed_the_core(client, rule, stop)
                self._ask_if_due(client, rule, state, stop)

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

    # ---- while the arm stands still, and when it may move again -------------------------------

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

    def _go_on(self, rule: AskRule, stop: threading.Event) -> None:
        """A standstill is over."""
        self._holds = self._wishes.holds
        # The core begins one by itself, if it ever saw so short a standstill.
        self.begin_new_epoch(stop)
        rule.new_epoch()
        self._seen = self.state()  # what it refused before is of no interest any more

    # ---- what the core made of what it was given ----------------------------------------------

    def _heed_the_core(self, client: Client, rule: AskRule, stop: threading.Event) -> CoreState:
        """Act on what is new in the core's state, which is returned."""
        seen, state = self._seen, self.state()
        if state.epoch != seen.epoch:
            rule.new_epoch()
        if state.chunks_admitted > seen.chunks_admitted:
            self.approach.begun()
        if state.chunks_refused > seen.chunks_refused:
            if state.last_refusal == "age":
                self.intake.too_old(self.intake.timings.answer_ms / 1e3)
            elif state.last_refusal == "start":
                self._go_to_start(state, client, stop)
                rule.new_epoch()
                state = self.state()
            elif state.last_refusal == "fence":
                self._notices.once(
                    "fence",
                    "The policy asks the hand out of --motion.box, or further out of it: the arm "
                    "rests until it asks for a way in; check the policy, or widen the box.",
                )
        self._seen = state
        return state

    def _go_to_start(self, refused: CoreState, client: Client, stop: threading.Event) -> None:
        """Bring the arm to the first target that the core has just refused, if that is wanted."""
        target_rad = self.intake.target_rad(refused.policy_step)
        self.approach.go_to(target_rad, refused, stop, lambda: self._keep_link(client))
        if not self._wishes.held:  # then one begins at its end
            self.begin_new_epoch(stop)

    # ---- question and answer ------------------------------------------------------------------

    def _ask_if_due(
        self, client: Client, rule: AskRule, state: CoreState, stop: threading.Event
    ) -> None:
        """Ask for the next chunk, or wait a while."""
        observation = None
        judged = state.chunks_admitted + state.chunks_refused
        if rule.due(steps_queued=state.steps_queued, judged=judged):
            observation = self._observer.build(state.epoch, state.epoch_since_ns)
            self._notices.trouble(self._observer.trouble)
        if observation is None:
            stop.wait(rule.wait_s(state.steps_queued))
        else:
            self._ask(client, observation, rule.slack_s(state.steps_queued))
            rule.asked()

    def _ask(self, client: Client, observation: Observation, slack_s: float) -> None:
        ready_ns = time.monotonic_ns()
        client.submit(
            observation.values,
            policy_step=observation.policy_step,
            epoch=observation.epoch,
            capture_ns=observation.capture_ns,
            slack_s=slack_s,
        )
        self._question = Question(observation, ready_ns, time.monotonic_ns())

    def _await_answer(
        self, client: Client, converter: Converter, rule: AskRule, stop: threading.Event
    ) -> None:
        """Wait a while for the answer that is out, and take it if it comes."""
        try:
            chunk = client.poll(timeout_s=POLL_S)
        except RemoteError as error:
            if error.closing or not error.retryable:
                raise
            rule.failed()
            stop.wait(self.errors.failed(error))
            return
        if chunk is not None:
            assert self._question is not None  # the client lets no answer through but the one to it
            self.counts.chunks_received += 1
            self.errors.answered()
            self.intake.take(chunk, self._question, converter, rule, self.state())
        elif not client.awaiting:
            rule.refuse(Verdict.SUPERSEDED)
