"""Nothing moves on a chunk of an old epoch: a real core, and a network process that replays one."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import numpy as np
import pytest
from processes import WATCHDOG_S

from rt_infer.robot.core_process import CoreConfig, CoreProcess
from rt_infer.robot.region import CoreRegion, CoreState, Phase


class Pair:
    """A region and its core, with this test as the network process."""

    def __init__(self, region: CoreRegion, core: CoreProcess) -> None:
        self.region = region
        self.core = core
        self._chunk_id = 0

    def state(self) -> CoreState:
        state = self.region.state()
        assert state is not None
        return state

    def beat_until(self, what: str, holds: object, *, paused: bool = False) -> CoreState:
        deadline_s = time.monotonic() + WATCHDOG_S
        while time.monotonic() < deadline_s:
            self.core.heartbeat(paused=paused)
            now = self.state()
            if holds(now):  # type: ignore[operator]
                return now
            time.sleep(0.01)
        raise AssertionError(f"never came: {what}; {self.state()}")

    def chunk(self, seen: CoreState) -> dict[str, object]:
        """A motion of joint 1 by 0.2 rad, asked for when the core was in the state `seen`."""
        self._chunk_id += 1
        actions = np.repeat(seen.q[None], 40, axis=0).astype(np.float32)
        actions[:, 0] += 0.1 * (1 - np.cos(np.pi * np.linspace(0, 1, 40)))
        return {
            "actions": actions,
            "epoch": seen.epoch,
            "chunk_id": self._chunk_id,
            "capture_ns": seen.time_ns,
            "origin_step": seen.policy_step,
            "received_ns": time.monotonic_ns(),
        }

    def push(self, chunk: dict[str, object]) -> None:
        assert self.region.push_chunk(**chunk)  # type: ignore[arg-type]


@pytest.fixture
def pair() -> Iterator[Pair]:
    with CoreRegion.create(f"epochs-{os.getpid()}", fps=30.0) as region:
        with CoreProcess.start(
            region, CoreConfig(arm={"type": "sim_fr3", "patient": True})
        ) as core:
            yield Pair(region, core)


def test_a_replayed_chunk_of_an_old_epoch_moves_nothing(pair: Pair) -> None:
    old = pair.chunk(pair.beat_until("it holds", lambda now: now.phase == Phase.HOLD))
    epoch = pair.state().epoch
    pair.region.new_epoch()
    resting = pair.beat_until(
        "a new epoch", lambda now: now.epoch > epoch and now.phase == Phase.HOLD
    )
    pair.push(old)
    refused = pair.beat_until("it is judged", lambda now: now.chunks_refused == 1)
    assert refused.last_refusal == "epoch"
    # Even with the new epoch's number on it: its observation is older than the epoch.
    pair.push(old | {"epoch": resting.epoch})
    refused = pair.beat_until("it is judged", lambda now: now.chunks_refused == 2)
    assert refused.chunks_admitted == 0
    later = pair.beat_until("half a second", lambda now: now.cycle > refused.cycle + 500)
    np.testing.assert_array_equal(later.q_command, resting.q_command)
    assert later.phase == Phase.HOLD
    # The same motion, asked for in this epoch, does move the arm: the refusals were no accident.
    pair.push(pair.chunk(later))
    pair.beat_until("it moves", lambda now: abs(now.q_command[0] - resting.q_command[0]) > 0.15)


def test_a_new_epoch_in_the_middle_of_a_motion_brings_the_arm_to_rest(pair: Pair) -> None:
    start = pair.beat_until("it holds", lambda now: now.phase == Phase.HOLD)
    pair.push(pair.chunk(start))
    pair.beat_until("it moves", lambda now: abs(now.dq[0]) > 0.05)
    pair.region.new_epoch()
    resting = pair.beat_until(
        "it rests", lambda now: now.epoch > start.epoch and now.phase == Phase.HOLD
    )
    assert start.q[0] < resting.q_command[0] < start.q[0] + 0.2
    later = pair.beat_until("a second", lambda now: now.cycle > resting.cycle + 1000)
    np.testing.assert_array_equal(later.q_command, resting.q_command)
    stats = pair.region.stats()
    assert stats.reflexes == ()
    assert max(stats.velocity_ratio_max, stats.acceleration_ratio_max, stats.jerk_ratio_max) <= 1.0


def test_a_chunk_that_comes_in_a_pause_moves_nothing_and_neither_does_one_from_before(
    pair: Pair,
) -> None:
    start = pair.beat_until("it holds", lambda now: now.phase == Phase.HOLD)
    pair.push(pair.chunk(start))
    pair.beat_until("it moves", lambda now: abs(now.dq[0]) > 0.05)
    resting = pair.beat_until("it rests", lambda now: now.phase == Phase.HOLD, paused=True)
    assert resting.epoch == start.epoch
    assert start.q[0] < resting.q_command[0] < start.q[0] + 0.2
    seen = pair.state()
    pair.push(pair.chunk(seen))  # of this epoch, and fresh
    refused = pair.beat_until("it is judged", lambda now: now.chunks_refused == 1, paused=True)
    assert refused.last_refusal == "stopping"
    later = pair.beat_until("time", lambda now: now.cycle > refused.cycle + 500, paused=True)
    np.testing.assert_array_equal(later.q_command, resting.q_command)
    going_on = pair.beat_until("a new epoch", lambda now: now.epoch > start.epoch)
    pair.push(pair.chunk(seen))
    pair.push(pair.chunk(seen) | {"epoch": going_on.epoch})
    refused = pair.beat_until("they are judged", lambda now: now.chunks_refused == 3)
    assert refused.last_refusal == "epoch"
    later = pair.beat_until("time", lambda now: now.cycle > refused.cycle + 500)
    np.testing.assert_array_equal(later.q_command, resting.q_command)
    pair.push(pair.chunk(later))
    pair.beat_until("it moves", lambda now: abs(now.q_command[0] - resting.q_command[0]) > 0.15)
