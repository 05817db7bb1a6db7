"""The desk before a worker that does not read: nobody may wait for it, nothing may be lost."""

from __future__ import annotations

import os
import socket

import pytest
from serving import observation, robot, serving

from rt_infer.server import memory, worker_wire
from rt_infer.server.desk import MOST_UNSENT, Desk, WorkerGone, WorkerStuck
from rt_infer.server.seat import Answer, Arrived, Refused
from rt_infer.server.slots import Slots
from rt_infer.server.worker_wire import Kind
from rt_infer.wire.refusals import ErrorBody


class Sitter:
    """A session that only sits there."""

    def __init__(self, session: int) -> None:
        self.session = session
        self.slots: Slots[Arrived] = Slots()

    def deliver(self, observation: Arrived, outcome: Answer | Refused) -> None:
        raise AssertionError("nothing was asked")

    def worker_lost(self, body: ErrorBody) -> None:
        raise AssertionError("the desk tells nobody by itself")


def arrived(sequence: int, slack_s: float = 0.0) -> Arrived:
    return Arrived(sequence, 0, 0.0, 0, sequence, slack_s, 100, 0)


@pytest.fixture
def desk():
    """A desk and the worker's end of its channel."""
    desk = Desk()
    ours, theirs = worker_wire.pair()
    desk.connect(ours)
    with ours, theirs:
        yield desk, theirs
        desk.disconnect()


def seat(desk: Desk, session: int, layout: bytes = b"{}") -> Sitter:
    sitter = Sitter(session)
    fd, mapping = memory.create("test", 4096)
    mapping.close()
    desk.open(sitter, layout, 4096, 50, fd)
    return sitter


def received(worker: socket.socket) -> list[tuple[int, int]]:
    """Kind and second word of every message that is there."""
    messages = []
    while True:
        try:
            packet, fd = worker_wire.receive(worker, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return messages
        kind = worker_wire.kind_of(packet)
        assert (fd is not None) == (kind == Kind.OPEN)
        if fd is not None:
            os.close(fd)
        messages.append((kind, worker_wire.CLOSE.unpack_from(packet)[1]))


def test_a_worker_that_does_not_read_makes_nobody_wait_and_later_hears_everything_in_order(desk):
    desk, worker = desk
    layout = bytes(8192)  # the channel is full after some dozen of these
    expected = []
    seated = 0
    with pytest.raises(WorkerStuck):
        while True:
            sitter = seat(desk, seated + 1, layout)
            seated += 1
            desk.close(sitter)
            expected += [(Kind.OPEN, seated), (Kind.CLOSE, seated)]
    assert seated > MOST_UNSENT // 2
    heard: list[tuple[int, int]] = []
    while len(heard) < len(expected):
        heard += received(worker)
        desk.flush()
    assert heard == expected
    seat(desk, seated + 1)
    assert received(worker) == [(Kind.OPEN, seated + 1)]


def test_a_worker_that_reads_again_gets_robots_again_though_nobody_else_says_a_word(desk):
    desk, worker = desk
    with pytest.raises(WorkerStuck):
        for session in range(1, 10_000):
            desk.close(seat(desk, session, bytes(8192)))
    assert received(worker)
    seat(desk, session)


def test_a_robot_is_answered_by_a_worker_whose_channel_was_full_when_it_asked(monkeypatch):
    def narrow() -> tuple[socket.socket, socket.socket]:
        ends = pair()
        ends[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the kernel's least
        return ends

    pair = worker_wire.pair
    monkeypatch.setattr(worker_wire, "pair", narrow)
    with serving() as server:
        with robot(server.port, "slow_to_forget") as first:
            first.infer(observation())
        # The worker forgets it for two seconds, in which it reads nothing.
        for _ in range(MOST_UNSENT // 4):
            robot(server.port, "slow_to_forget").close()
        with robot(server.port, "slow_to_forget") as last:
            last.infer(observation(), timeout_s=30.0)


def test_a_desk_without_a_worker_takes_nobody_and_keeps_no_descriptor(desk):
    desk, _ = desk
    seated = [seat(desk, 1), seat(desk, 2)]
    assert desk.disconnect() == seated
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(WorkerGone):
        seat(desk, 3)
    desk.close(seated[0])
    assert len(os.listdir("/proc/self/fd")) == before
    assert desk.submit(seated[1], arrived(1)) is None, "its session has not heard of it yet"


def test_the_worker_has_one_request_at_a_time_and_then_the_newest_of_the_most_urgent(desk):
    desk, worker = desk
    one, two = seat(desk, 1), seat(desk, 2)
    received(worker)
    assert desk.submit(one, arrived(1)) is None
    assert received(worker) == [(Kind.INFER, 1)]
    assert desk.submit(one, arrived(2, slack_s=5.0)) is None
    assert desk.submit(two, arrived(3, slack_s=1.0)) is None
    assert desk.submit(two, arrived(4, slack_s=1.0)) == arrived(3, slack_s=1.0)
    assert received(worker) == []
    assert desk.answered(1) == (one, arrived(1))
    assert received(worker) == [(Kind.INFER, 2)]
    assert desk.answered(2) == (two, arrived(4, slack_s=1.0))
    assert received(worker) == [(Kind.INFER, 1)]


def test_an_answer_for_a_robot_that_left_goes_to_nobody_and_the_worker_goes_on(desk):
    desk, worker = desk
    one, two = seat(desk, 1), seat(desk, 2)
    desk.submit(one, arrived(1))
    desk.submit(two, arrived(2))
    desk.close(one)
    received(worker)
    assert desk.answered(1) == (None, arrived(1))
    assert received(worker) == [(Kind.INFER, 2)]


def test_an_answer_that_was_not_asked_for_is_an_error(desk):
    desk, _ = desk
    desk.submit(seat(desk, 1), arrived(1))
    with pytest.raises(ValueError, match="not given"):
        desk.answered(7)
