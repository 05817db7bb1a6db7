"""The desk before one worker: sessions hand in observations, the worker takes one at a time.

One lock guards the desk: the scheduler, the slots of every seated session, the messages still to
be sent and the one request the worker has. It is held for microseconds and never over anything
that may block: messages go out without waiting, and what the channel does not take now goes when
the worker has read some. A worker that holds the GIL for ten seconds reads nothing, and still no
thread of the door waits for it.

Which observation comes next is decided when the worker is free and not before, so that it always
gets the newest one of the most urgent robot. Any thread may call anything here.
"""

from __future__ import annotations

import os
import socket
import threading
from collections import deque

from rt_infer.server import worker_wire
from rt_infer.server.scheduler import Scheduler
from rt_infer.server.seat import Arrived, Seat
from rt_infer.server.worker_wire import Kind

MOST_UNSENT = 64
"""Messages that a worker may leave unread beyond what its channel holds; then no robot is seated
any more. Each robot's memory stays until the worker has heard of its coming and going."""


class WorkerGone(Exception):
    """There is no worker at the other end any more."""


class WorkerStuck(Exception):
    """The worker has not read its messages for so long that no robot can be added."""


class Desk:
    """Sessions on one side, the channel to a ready worker on the other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channel: socket.socket | None = None
        self._seats: dict[int, Seat] = {}
        self._scheduler = Scheduler()
        self._outbox: deque[tuple[bytes, int | None]] = deque()
        self._requests = 0
        self._working_on: tuple[int, int, Arrived] | None = None  # request, session, observation

    def __len__(self) -> int:
        """How many sessions are seated."""
        return len(self._seats)

    def connect(self, worker: socket.socket) -> None:
        """The worker is ready and listens at the other end of this channel."""
        with self._lock:
            self._channel = worker

    def disconnect(self) -> list[Seat]:
        """The worker is gone. Nothing touches the channel after this; returns who was seated."""
        with self._lock:
            self._channel = None
            seats, self._seats = list(self._seats.values()), {}
            self._scheduler = Scheduler()
            self._working_on = None
            while self._outbox:
                _, fd = self._outbox.popleft()
                if fd is not None:
                    os.close(fd)
        return seats

    def open(self, seat: Seat, layout: bytes, stride: int, chunk_size: int, memory_fd: int) -> None:
        """Seat a session. Takes over `memory_fd`. Raises WorkerGone or WorkerStuck."""
        packet = worker_wire.OPEN.pack(Kind.OPEN, seat.session, stride, chunk_size) + layout
        with self._lock:
            self._flush()
            if self._channel is None or len(self._outbox) >= MOST_UNSENT:
                os.close(memory_fd)
                raise WorkerStuck if self._channel is not None else WorkerGone
            self._seats[seat.session] = seat
            self._post(packet, memory_fd)

    def submit(self, seat: Seat, observation: Arrived) -> Arrived | None:
        """The seat's receiving slot holds `observation`; returns the one that it supersedes."""
        with self._lock:
            superseded = seat.slots.complete(observation)
            if seat.session in self._seats:  # else worker_lost is on its way to it
                self._scheduler.offer(
                    seat.session, arrival_ns=observation.arrival_ns, slack_s=observation.slack_s
                )
                self._dispatch()
        return superseded

    def void(self, seat: Seat) -> Arrived | None:
        """Forget the seat's waiting observation (a reset); returns it."""
        with self._lock:
            self._scheduler.withdraw(seat.session)
            return seat.slots.drop()

    def close(self, seat: Seat) -> None:
        """The session is over: the worker is told to unmap its memory. May be called twice."""
        with self._lock:
            if self._seats.pop(seat.session, None) is not None:
                self._scheduler.forget(seat.session)
                self._post(worker_wire.CLOSE.pack(Kind.CLOSE, seat.session))

    def answered(self, request: int) -> tuple[Seat | None, Arrived]:
        """The worker is done with `request` and goes on with the next one at once.

        Returns whom the answer is for: None instead of a seat if the robot has left meanwhile.
        ValueError if the worker was not given this request.
        """
        with self._lock:
            if self._working_on is None or self._working_on[0] != request:
                raise ValueError(f"an answer to request {request}, which it was not given")
            _, session, observation = self._working_on
            self._working_on = None
            seat = self._seats.get(session)
            if seat is not None:
                seat.slots.release()
            self._flush()
            self._dispatch()
        return seat, observation

    def flush(self) -> None:
        """The worker has read some: send what its channel has not taken so far."""
        with self._lock:
            self._flush()

    # ---- under the lock -----------------------------------------------------------------------

    def _dispatch(self) -> None:
        """Hand the worker the most urgent observation, if it is free and there is one."""
        if self._working_on is not None:
            return
        session = self._scheduler.take()
        if session is None:
            return
        lease = self._seats[session].slots.lease()
        assert lease is not None, "who is in the scheduler has an observation"
        slot, observation = lease
        self._requests += 1
        self._working_on = self._requests, session, observation
        where = session, slot, observation.length, observation.generation
        self._post(worker_wire.INFER.pack(Kind.INFER, *where, 0, self._requests))

    def _post(self, packet: bytes, fd: int | None = None) -> None:
        self._outbox.append((packet, fd))
        self._flush()

    def _flush(self) -> None:
        while self._outbox and self._channel is not None:
            packet, fd = self._outbox[0]
            try:
                worker_wire.send(self._channel, packet, fd, socket.MSG_DONTWAIT)
            except OSError:
                return  # full: later; gone: the host's thread sees that too and disconnects
            self._outbox.popleft()
            if fd is not None:
                os.close(fd)
