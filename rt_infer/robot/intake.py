"""One answer of the server becomes waypoints in the core's ring: time, judge, convert, push.

Nothing of an answer is kept but where its waypoints lead, in case the core refuses them as too far
from the arm. What an answer is good for is the caller's rule's to know (chunks.py): it is told that
a chunk goes to the core, or why none does.

The uplink's thread calls everything here; the main thread reads `timings` at any time and `actions`
when that thread has ended.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rt_infer.actions.convert import ActionCounts, BadActions, Converter
from rt_infer.actions.inverse import Inverse
from rt_infer.robot.agreement import Unfit, agree, other_rate
from rt_infer.robot.chunks import AskRule, Verdict, judge
from rt_infer.robot.notices import Notices
from rt_infer.robot.observe import Observation
from rt_infer.robot.region import MAX_CHUNK, CoreRegion, CoreState
from rt_infer.robot.result import EXIT_REFUSED, RunEnds
from rt_infer.robot.timings import Timings
from rt_infer.wire.chunk import Chunk
from rt_infer.wire.messages import Welcome


class Question(NamedTuple):
    """What a chunk is the answer to."""

    observation: Observation
    ready_ns: int  # when the observation could be sent, and
    sent_ns: int  # when it had been


class Intake:
    """Takes the answers of one run; what it counts adds up over all connections."""

    def __init__(
        self,
        region: CoreRegion,
        inverse: Inverse,
        tools: Sequence[str],
        chunk_ids: Iterator[int],
        notices: Notices,
        *,
        fps: float,
        max_age_s: float,
    ) -> None:
        self.timings = Timings()
        self.actions = ActionCounts()
        self._region = region
        self._inverse = inverse
        self._tools = tools
        self._chunk_ids = chunk_ids
        self._notices = notices
        self._fps = fps
        self._max_age_s = max_age_s
        self._first_step = 0.0  # of the newest chunk that was pushed, and
        self._pushed = np.zeros((1, 7), np.float32)  # its waypoints

    def converter(self, welcome: Welcome) -> Converter:
        """For the actions that a server agreed to; RunEnds if they may not move this robot."""
        try:
            layout = agree(welcome, self._tools)
        except Unfit as error:
            raise RunEnds(EXIT_REFUSED, str(error)) from None
        notice = other_rate(welcome, layout.kind, self._fps)
        if notice is not None:
            self._notices.once("rate", notice)
        return Converter(layout, self._inverse, self._fps, self.actions, MAX_CHUNK)

    def take(
        self,
        chunk: Chunk,
        question: Question,
        converter: Converter,
        rule: AskRule,
        state: CoreState,
    ) -> None:
        """Push what the chunk means, or tell the rule why not. `state` is the core's latest.

        RunEnds: the policy does not keep to what was agreed.
        """
        chunk_id = next(self._chunk_ids)
        self.timings.received(
            chunk_id=chunk_id,
            capture_ns=chunk.capture_ns,
            ready_ns=question.ready_ns,
            sent_ns=question.sent_ns,
            received_ns=chunk.received_ns,
            server_ms=chunk.timing_ms,
        )
        verdict = self._judge(chunk, converter.layout.size, state.epoch)
        if verdict is Verdict.GOOD:
            verdict, waypoints = self._convert(chunk, question, converter)
        if verdict is Verdict.GOOD:
            # Told before it is pushed: the core may judge it before we are back.
            rule.pushed(state.chunks_admitted + state.chunks_refused)
            if self._push(chunk, chunk_id, waypoints):
                return
            verdict = Verdict.RING_FULL
        rule.refuse(verdict)

    def target_rad(self, policy_step: float) -> npt.NDArray[np.float64]:
        """Where (7,) the newest chunk that was pushed wanted the arm to be at this step."""
        passed = max(math.ceil(policy_step - self._first_step), 0)
        return self._pushed[min(passed, len(self._pushed) - 1), :7].astype(np.float64)

    def too_old(self, age_s: float) -> None:
        """An answer came so late that it moves nothing, as judged here or by the core."""
        self._notices.once(
            "age",
            f"The answer took {age_s:.1f} s, longer than --max_age_s={self._max_age_s:g}"
            ": the arm rests; raise --max_age_s or use a faster model.",
        )

    def _judge(self, chunk: Chunk, action_size: int, epoch: int) -> Verdict:
        age_s = (time.monotonic_ns() - chunk.capture_ns) / 1e9
        verdict = judge(
            chunk.actions,
            action_size=action_size,
            max_actions=MAX_CHUNK,
            chunk_epoch=chunk.epoch,
            epoch=epoch,
            age_s=age_s,
            max_age_s=self._max_age_s,
        )
        if verdict is Verdict.MALFORMED:
            raise RunEnds(
                EXIT_REFUSED,
                f"The policy answers with chunks of shape {chunk.actions.shape}, and agreed to "
                f"(1 to {MAX_CHUNK}, {action_size}); choose another policy.",
            )
        if verdict is Verdict.TOO_OLD:
            self.too_old(age_s)
        return verdict

    def _convert(
        self, chunk: Chunk, question: Question, converter: Converter
    ) -> tuple[Verdict, npt.NDArray[np.float32]]:
        arm = question.observation.arm
        try:
            waypoints = converter.waypoints(chunk.actions, arm.q_rad, arm.q_command_rad)
        except BadActions as error:
            self._notices.once(error.why, str(error))
            return Verdict(error.why), chunk.actions
        for what, sentence in self.actions.told.items():
            self._notices.once(what, sentence)
        return Verdict.GOOD, waypoints

    def _push(self, chunk: Chunk, chunk_id: int, waypoints: npt.NDArray[np.float32]) -> bool:
        self._pushed, self._first_step = waypoints, chunk.policy_step
        return self._region.push_chunk(
            waypoints,
            epoch=chunk.epoch,
            chunk_id=chunk_id,
            capture_ns=chunk.capture_ns,
            origin_step=chunk.policy_step,
            received_ns=chunk.received_ns,
        )
