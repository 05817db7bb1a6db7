"""The scheduler and the slots: pure logic, driven with made-up times."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rt_infer.server.scheduler import MAX_SLACK_S, Scheduler
from rt_infer.server.slots import SLOT_COUNT, Slots

MS = 1_000_000


def test_the_robot_that_runs_dry_first_is_served_first():
    scheduler = Scheduler()
    scheduler.offer(1, arrival_ns=0, slack_s=0.5)
    scheduler.offer(2, arrival_ns=100 * MS, slack_s=0.1)
    scheduler.offer(3, arrival_ns=0, slack_s=0.3)
    assert [scheduler.take() for _ in range(4)] == [2, 3, 1, None]


def test_slack_counts_from_arrival_and_not_from_the_moment_of_choice():
    scheduler = Scheduler()
    scheduler.offer(1, arrival_ns=0, slack_s=0.2)
    scheduler.offer(2, arrival_ns=150 * MS, slack_s=0.1)
    assert scheduler.take() == 1


def test_of_equally_urgent_robots_the_one_served_longest_ago_comes_first():
    scheduler = Scheduler()
    for session in (1, 2, 1):
        scheduler.offer(session, arrival_ns=0, slack_s=0.0)
        scheduler.take()
    scheduler.offer(1, arrival_ns=0, slack_s=0.0)
    scheduler.offer(2, arrival_ns=0, slack_s=0.0)
    assert scheduler.take() == 2


def test_a_newer_observation_never_moves_its_robot_back_in_the_line():
    scheduler = Scheduler()
    scheduler.offer(1, arrival_ns=0, slack_s=0.1)
    scheduler.offer(2, arrival_ns=50 * MS, slack_s=0.1)
    scheduler.offer(1, arrival_ns=90 * MS, slack_s=5.0)
    assert scheduler.take() == 1


def test_a_robot_that_always_claims_no_slack_cannot_starve_a_patient_one():
    scheduler = Scheduler()
    scheduler.offer(1, arrival_ns=0, slack_s=1e9)
    for turn in range(10_000):
        scheduler.offer(2, arrival_ns=turn * 10 * MS, slack_s=-1e9)
        if scheduler.take() == 1:
            break
    assert turn * 10 * MS / 1e9 <= MAX_SLACK_S + 0.01


def test_a_slack_that_is_no_number_counts_as_none_at_all():
    scheduler = Scheduler()
    scheduler.offer(1, arrival_ns=1, slack_s=0.0)
    scheduler.offer(2, arrival_ns=0, slack_s=float("nan"))
    assert scheduler.take() == 2


def test_a_withdrawn_observation_is_not_served():
    scheduler = Scheduler()
    scheduler.offer(1, arrival_ns=0, slack_s=0.0)
    scheduler.withdraw(1)
    assert scheduler.take() is None
    assert len(scheduler) == 0


def test_nothing_of_a_robot_that_left_is_kept():
    scheduler = Scheduler()
    scheduler.offer(1, arrival_ns=0, slack_s=0.0)
    scheduler.take()
    scheduler.offer(1, arrival_ns=0, slack_s=0.0)
    scheduler.forget(1)
    assert scheduler.take() is None
    assert not scheduler._last_turn


@given(st.lists(st.sampled_from(["complete", "lease", "release", "drop"]), max_size=60))
def test_no_slot_is_ever_two_things_at_once_and_no_observation_is_lost(steps: list[str]):
    slots: Slots[int] = Slots()
    made = served = 0
    settled: set[int] = set()
    for step in steps:
        if step == "complete":
            made += 1
            superseded = slots.complete(made)
            settled |= {superseded} if superseded is not None else set()
            assert slots.newest == made
        elif step == "lease" and slots.leased is None:
            lease = slots.lease()
            if lease is not None:
                assert lease[0] == slots.leased != slots.receiving
                assert lease[1] > served, "an older observation was served after a newer one"
                served = lease[1]
                settled.add(served)
        elif step == "release":
            slots.release()
        elif step == "drop":
            dropped = slots.drop()
            settled |= {dropped} if dropped is not None else set()
        assert slots.receiving in range(SLOT_COUNT)
        assert slots.receiving != slots.leased
        if slots._newest is not None:
            assert slots._newest[0] not in (slots.receiving, slots.leased)
    waiting = set() if slots.newest is None else {slots.newest}
    assert settled | waiting == set(range(1, made + 1))
    assert not settled & waiting
