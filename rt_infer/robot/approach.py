"""--start=move: brings the arm slowly to where the policy begins, before the policy may move it.

The core refuses a policy whose first target is far away, whole: nothing of that chunk is ever
executed. The arm is then led there by chunks of this process's own, which pass the same admission
and the same limits; the first of their targets is where the arm is. Once it rests there a new epoch
begins: the policy is asked again, and its first target judged again.

Whatever else begins an epoch or asks for rest (a pause, a reset, a lost link) ends the move early;
then too the policy is asked again from where the arm rests.

The uplink's thread calls everything here.
"""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from rt_infer.config import RunConfig
from rt_infer.robot.region import MAX_CHUNK, CoreRegion, CoreState, Phase
from rt_infer.robot.result import EXIT_REFUSED, RunEnds
from rt_infer.robot.start_plan import StartPlan, plan
from rt_infer.robot.wishes import Wishes

LOOK_EVERY_S = 0.05
THERE_RAD = 0.01
BEYOND_RAD = 0.1  # a target this far outside the range is no inaccuracy of a policy's
MOST_MOVES = 3  # in a row: a policy that begins somewhere else each time is not run after for ever


class _Ended(enum.Enum):
    """How a move ended."""

    AT_REST = enum.auto()  # there, or stopped on the way
    REFUSED = enum.auto()  # by the core; not even begun, mostly
    EARLY = enum.auto()  # by a pause, a reset, a new epoch, the end of the run


class Approach:
    """The moves to the start, of one run."""

    def __init__(
        self,
        config: RunConfig,
        region: CoreRegion,
        range_rad: tuple[Sequence[float], Sequence[float]],
        chunk_ids: Iterator[int],
        wishes: Wishes,
        say: Callable[[str], None],
    ) -> None:
        self.moves = 0
        self.under_way = False
        self._in_a_row = 0
        self._wanted = config.start == "move"
        self._max_distance_rad = config.max_start_distance
        self._speed_rad_s = config.motion.start_speed
        # Of the clock: --motion.speed slows the policy, and has no say here.
        self._step_s = 1.0 / (config.fps * config.motion.speed)
        self._region = region
        self._range_rad = np.array(range_rad)  # lowest and highest target, (7,) each
        self._chunk_ids = chunk_ids
        self._wishes = wishes
        self._say = say

    def begun(self) -> None:
        """The policy itself has moved the arm: the next move is a first one again."""
        self._in_a_row = 0

    def go_to(
        self,
        target_rad: npt.NDArray[np.float64],
        refused: CoreState,
        stop: threading.Event,
        keep_link: Callable[[], None],
    ) -> None:
        """Go there, and return when the arm is at rest again.

        `refused` tells of the refusal. RunEnds: no move is wanted, enough were made, or the way
        there is closed. `keep_link` is called all the while; what it raises ends the move.
        """
        too_far = (
            f"The policy's first target is {refused.start_distance_rad:.2f} rad from the arm, more "
            f"than --max_start_distance={self._max_distance_rad:g}"
        )
        self._demand_a_target_of_this_arm(target_rad)
        if not self._wanted:
            raise RunEnds(
                EXIT_REFUSED,
                f"{too_far}; let --start=move bring the arm there slowly, move it closer to where "
                "the policy starts, or raise the limit.",
            )
        if self._in_a_row >= MOST_MOVES:
            raise RunEnds(
                EXIT_REFUSED,
                f"{too_far}, although the arm has gone to the first target {MOST_MOVES} times; "
                "check what the policy makes of where the arm is.",
            )
        rest = self._until_rest(refused, stop)  # a motion of the epoch before may still brake
        if rest is None:
            return
        lowest, highest = self._range_rad
        move = plan(
            rest.q_command,
            target_rad,
            lowest,
            highest,
            speed_rad_s=self._speed_rad_s,
            step_s=self._step_s,
        )
        self._say(_sentence(move, self._speed_rad_s))
        self.moves += 1
        self.under_way = True
        try:
            ended = self._follow(move.actions, rest, stop, keep_link)
        finally:
            self.under_way = False
        self._in_a_row += ended is not _Ended.EARLY
        left_rad = np.abs(self._state().q_command - move.target_rad).max()
        if ended is _Ended.AT_REST and left_rad > THERE_RAD:
            raise RunEnds(
                EXIT_REFUSED,
                f"The arm was stopped {left_rad:.2f} rad before where the policy begins: the "
                "straight way there leads out of --motion.box; bring the arm closer by hand, or "
                "widen the box.",
            )

    def _demand_a_target_of_this_arm(self, target_rad: npt.NDArray[np.float64]) -> None:
        lowest, highest = self._range_rad
        beyond = np.maximum(lowest - target_rad, target_rad - highest)
        worst = int(beyond.argmax())
        if beyond[worst] > BEYOND_RAD:
            raise RunEnds(
                EXIT_REFUSED,
                f"The policy wants joint {worst + 1} at {target_rad[worst]:.2f} rad, and it goes "
                f"from {lowest[worst]:.2f} to {highest[worst]:.2f}: check the units of its actions "
                "(degrees?), their order, and the robot that it was made for.",
            )

    def _until_rest(self, refused: CoreState, stop: threading.Event) -> CoreState | None:
        """The state at rest; None if something else has begun."""
        while not self._something_else(refused, stop):
            state = self._state()
            if state.phase == Phase.HOLD:
                return state
            stop.wait(LOOK_EVERY_S / 10)
        return None

    def _something_else(self, begin: CoreState, stop: threading.Event) -> bool:
        """Whether there is more to do than to go to the start, by now."""
        return stop.is_set() or self._wishes.held or self._state().epoch != begin.epoch

    def _state(self) -> CoreState:
        state = self._region.state()
        assert state is not None  # CoreProcess.start has waited for the first one
        return state

    def _follow(
        self,
        actions: npt.NDArray[np.float32],
        begin: CoreState,
        stop: threading.Event,
        keep_link: Callable[[], None],
    ) -> _Ended:
        """Push the actions as the arm comes along, until it rests at the end of them."""
        chunk_id, covered = 0, 0  # the newest chunk of the move, and the actions up to its end
        followed_since: int | None = None  # the cycle in which that one was first seen followed
        while not self._something_else(begin, stop):
            state = self._state()
            if state.chunks_refused > begin.chunks_refused:
                # From rest the fence refuses what it would stop a little later.
                stopped = state.last_refusal == "fence" and chunk_id != 0
                return _Ended.AT_REST if stopped else _Ended.REFUSED
            # The first cycle may show the chunk, and the rest before it.
            followed = followed_since is not None and state.cycle > followed_since + 1
            passed = int(state.policy_step - begin.policy_step)
            if covered < len(actions) and covered - passed < MAX_CHUNK / 2:
                part = actions[passed : passed + MAX_CHUNK]
                pushed = self._push(part, state, begin.policy_step + passed)
                if pushed is not None:
                    chunk_id, covered, followed_since = pushed, passed + len(part), None
            elif state.chunk_id == chunk_id and followed_since is None:
                followed_since = state.cycle
            elif followed and state.phase == Phase.HOLD:
                return _Ended.AT_REST
            keep_link()
            stop.wait(LOOK_EVERY_S)
        return _Ended.EARLY

    def _push(
        self, actions: npt.NDArray[np.float32], state: CoreState, origin_step: float
    ) -> int | None:
        """Queue actions made from `state`; their chunk id, None while the ring is full."""
        chunk_id = next(self._chunk_ids)
        pushed = self._region.push_chunk(
            actions,
            epoch=state.epoch,
            chunk_id=chunk_id,
            capture_ns=state.time_ns,
            origin_step=origin_step,
            received_ns=time.monotonic_ns(),
        )
        return chunk_id if pushed else None


def _sentence(move: StartPlan, speed_rad_s: float) -> str:
    where = ", ".join(f"{angle:.2f}" for angle in move.target_rad)
    beyond = ", the end of its joints' range," if move.clamped else ""
    return (
        f"The policy begins {move.distance_rad:.2f} rad away (joint {move.worst_joint}): the arm "
        f"first goes to [{where}] rad{beyond} at {speed_rad_s:g} rad/s at most, which takes "
        f"{move.duration_s:.1f} s."
    )
