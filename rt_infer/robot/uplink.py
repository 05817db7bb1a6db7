"""The uplink: one thread that keeps the link to the server alive.

    connect -> supply the core -> … -> link lost -> connect -> new epoch -> supply the core -> …

The first connection must come within `connect_timeout_s`. A connection that is lost later is tried
again for ever, with growing, jittered pauses, until the run is stopped. Each later connection
begins a new epoch: what was queued or on its way before it moves nothing any more. Meanwhile the
core brings the arm to rest on its path; nothing here could hurry or delay that.

Refusals that trying again may cure (a worker that died, a server that is stopping) lead to a new
connection, as a lost link does. All others end the run, exit status 4.

Threads: `start`, `stop` and the public attributes belong to the main thread, all else to the
uplink's own. It is a daemon thread: a server that loads for minutes does not keep a stopped run
from ending.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rt_infer.robot.pauses import pauses
from rt_infer.robot.result import (
    EXIT_FAULT,
    EXIT_NO_CONNECTION,
    EXIT_REFUSED,
    EXIT_USAGE,
    Ending,
    RunEnds,
)
from rt_infer.robot.supply import Supply
from rt_infer.wire.client import BadObservation, Client, ConnectFailed, LinkLost, RemoteError

Connect = Callable[[Callable[[str], None]], Client]
"""Makes a connection; what it is given is told what the server says while it loads the policy."""


class Uplink:
    """Chunks for one core from one server."""

    def __init__(
        self,
        supply: Supply,
        connect: Connect,
        connect_timeout_s: float,
        say: Callable[[str], None],
    ) -> None:
        self.supply = supply
        self.status = "connecting"
        self.ready_ns: int | None = None  # when the policy was first ready
        self.ending: Ending | None = None  # set once: the run must end
        self._connect = connect
        self._connect_timeout_s = connect_timeout_s
        self._say = say
        self._chunks_before = 0
        self._pauses = pauses()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._main, name="uplink", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end and give it a second to say goodbye to the server."""
        self._stop.set()
        self._thread.join(timeout=1.0)

    def _main(self) -> None:
        try:
            self._run()
        except RunEnds as error:
            self.ending = error.ending
        except Exception as error:  # a bug of ours must end the run, not silently starve the arm
            self.ending = Ending(EXIT_FAULT, f"The uplink failed: {type(error).__name__}: {error}.")
            raise

    def _run(self) -> None:
        client = self._first_connection()
        while client is not None:
            try:
                self.supply.over(client, self._stop)
                return
            except LinkLost as error:
                lost = "server"
                self._say(f"{_clause(error)}; the arm rests on its path until the server is back.")
            except RemoteError as error:
                lost = "policy"
                sentence = _retryable(error)
                self.supply.errors.count(error)
                self._say(f"{sentence}; the arm rests on its path until the policy is back.")
            except BadObservation as error:
                raise RunEnds(EXIT_REFUSED, str(error)) from error
            finally:
                client.close()
                self.supply.counts.bytes_sent += client.bytes_sent
                self.supply.counts.bytes_received += client.bytes_received
            self.status = "lost"
            client = self._next_connection()
            if client is not None:
                self._say(f"The {lost} is back; the arm goes on from where it rests.")

    def _first_connection(self) -> Client | None:
        deadline_s = time.monotonic() + self._connect_timeout_s
        told = False
        for pause_s in pauses():
            try:
                client = self._attempt()
            except (ConnectFailed, LinkLost) as error:
                reason = _clause(error)
            except RemoteError as error:
                reason = _retryable(error)
            else:
                self.ready_ns = time.monotonic_ns()
                self.status = "connected"
                return client
            if time.monotonic() + pause_s > deadline_s:
                raise RunEnds(
                    EXIT_NO_CONNECTION,
                    f"{reason}; given up after {self._connect_timeout_s:g} s.",
                )
            if not told:
                told = True
                self._say(f"{reason}; trying for {self._connect_timeout_s:g} s.")
            if self._stop.wait(pause_s):
                break
        return None

    def _next_connection(self) -> Client | None:
        # Only a connection that was of use makes the next attempt come soon again: a policy that
        # fails at every question is not asked ten times a second.
        if self.supply.counts.chunks_received > self._chunks_before:
            self._chunks_before = self.supply.counts.chunks_received
            self._pauses = pauses()
        for pause_s in self._pauses:
            if self._stop.wait(pause_s):
                break
            try:
                client = self._attempt()
            except (ConnectFailed, LinkLost):
                continue
            except RemoteError as error:
                _retryable(error)
                continue
            if self._stop.is_set():  # meanwhile: the region is not ours any more
                client.close()
                break
            self.supply.counts.reconnects += 1
            self.supply.begin_new_epoch(self._stop)
            self.status = "connected"
            return client
        return None

    def _attempt(self) -> Client:
        """One connection; RunEnds when what the robot or its user asks for can be no request."""
        try:
            return self._connect(self._loading)
        except ValueError as error:
            raise RunEnds(EXIT_USAGE, str(error)) from error

    def _loading(self, text: str) -> None:
        if self.status != "loading":
            self._say(f"The server loads the policy ({text}).")
        self.status = "loading"


def _retryable(error: RemoteError) -> str:
    """The refusal as a clause, if trying again may cure it; RunEnds if not."""
    if not error.retryable:
        raise RunEnds(EXIT_REFUSED, str(error)) from error
    return _clause(error)


def _clause(error: Exception) -> str:
    return str(error).rstrip(".")
