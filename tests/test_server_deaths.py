"""Workers and doors that hang or die: their own robots hear of it, the others notice nothing."""

from __future__ import annotations

import os
import signal

import pytest
from serving import (
    TRIGGER,
    Bystander,
    DoorProcess,
    is_running,
    observation,
    page,
    robot,
    wait_until,
)

from rt_infer.wire.client import LinkLost, RemoteError
from rt_infer.wire.refusals import ErrorCode


@pytest.fixture(scope="module")
def door():
    with DoorProcess() as door:
        yield door


@pytest.mark.timeout(180)
def test_a_worker_that_holds_the_gil_for_ten_seconds_delays_nobody_else(door):
    with robot(door.port, "gil_holder") as stuck, Bystander(door.port, "echo") as other:
        with Bystander(door.port, "hold") as third:
            stuck.infer(observation(0.0))
            before = [other.chunks, other.pings, third.chunks, third.pings]
            stuck.submit(observation(TRIGGER))
            pings = pages = 0
            while (chunk := stuck.poll(0.1)) is None:
                stuck.ping()
                pings += 1
                for path in ("/healthz", "/readyz", "/metrics", "/"):
                    assert page(door.port, path)[0] == 200
                    pages += 1
            after = [other.chunks, other.pings, third.chunks, third.pings]
    assert chunk.timing_ms["infer"] >= 9_900, "the GIL was not held"
    # Ten seconds of robots that ask every 10 ms: one that waited for the worker would count none.
    assert min(now - then for now, then in zip(after, before, strict=True)) >= 50
    assert pings >= 20
    assert pages >= 80


def test_a_killed_worker_ends_its_own_sessions_and_the_next_robot_gets_a_new_one(door):
    with Bystander(door.port, "counting") as other:
        client = robot(door.port, "echo")
        client.infer(observation())
        pid = door.report()["workers"]["planted_policies:echo"]
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(RemoteError, match=r"died .*SIGKILL.*connect again") as lost:
            while True:
                client.infer(observation())
        assert lost.value.code == ErrorCode.WORKER_LOST
        assert lost.value.retryable
        assert lost.value.closing
        client.reconnect()
        assert client.infer(observation(0.5)).actions[0, 0] == 0.5
        client.close()
        assert door.report()["workers"]["planted_policies:echo"] != pid
        other.sees(3)


def test_processes_that_a_policy_started_end_with_its_worker(door):
    with robot(door.port, "with_a_child") as client:
        child = int(client.infer(observation()).actions[0, 0])
        assert is_running(child)
        os.kill(door.report()["workers"]["planted_policies:with_a_child"], signal.SIGKILL)
        with pytest.raises(RemoteError):
            while True:
                client.infer(observation())
    wait_until(lambda: not is_running(child))


def test_a_policy_that_kills_its_own_process_answers_with_an_error(door):
    with robot(door.port, "dies") as client, Bystander(door.port, "echo") as other:
        client.infer(observation())
        with pytest.raises(RemoteError) as lost:
            client.infer(observation(TRIGGER))
        assert lost.value.code == ErrorCode.WORKER_LOST
        other.sees(3)


@pytest.mark.timeout(60)
def test_a_killed_door_takes_its_workers_along_even_one_that_holds_the_gil():
    with DoorProcess() as door:
        idle, stuck = robot(door.port, "echo"), robot(door.port, "gil_keeper")
        idle.infer(observation())
        stuck.infer(observation())
        stuck.submit(observation(TRIGGER))
        workers = door.report()["workers"].values()
        assert all(is_running(pid) for pid in workers)
        door.kill()
        for client in (idle, stuck):
            with pytest.raises(LinkLost):
                while True:
                    client.infer(observation()) if not client.awaiting else client.poll(1.0)
        wait_until(lambda: not any(is_running(pid) for pid in workers))


def test_a_robot_comes_back_to_a_door_that_was_killed_and_started_again():
    first = DoorProcess()
    client = robot(first.port, "echo")
    client.infer(observation())
    first.kill()
    with pytest.raises(LinkLost):
        while True:
            client.infer(observation())
    with DoorProcess(port=first.port):
        client.reconnect()
        assert client.infer(observation(0.5)).actions[0, 0] == 0.5
        client.close()
