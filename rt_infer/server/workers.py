"""All workers of a server: one per policy, path and device, kept for the robots to come.

A worker that has ended is replaced when the next robot asks. One that ended while it loaded is not
tried again before a pause, which doubles with every failure: a robot that reconnects for ever must
not have the server load a broken model for ever. There is a greatest number of workers; a robot
that needs one more takes the place of the worker that has had no robot for longest.

Any thread may call anything here. A host's lock may be taken under the one here, never the other
way round.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rt_infer.policies.registry import PolicyKey
from rt_infer.server.metrics import Metrics
from rt_infer.server.worker_host import SHUTTING_DOWN, WorkerHost
from rt_infer.wire.refusals import ErrorBody, ErrorCode, Refusal

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
STOP_S = 5.0


@dataclass
class _Failure:
    pause_s: float
    until_s: float
    body: ErrorBody


class Workers:
    """The workers, by what they have loaded."""

    def __init__(self, allow_python: Sequence[str], metrics: Metrics, most: int) -> None:
        self._allow_python = tuple(allow_python)
        self._metrics = metrics
        self._most = most
        self._lock = threading.Lock()
        self._hosts: dict[PolicyKey, WorkerHost] = {}
        self._users: dict[PolicyKey, int] = {}
        self._idle_since_s: dict[PolicyKey, float] = {}
        self._ending: set[WorkerHost] = set()
        self._failures: dict[PolicyKey, _Failure] = {}
        self._stopped = False

    def acquire(self, key: PolicyKey) -> WorkerHost:
        """The worker for `key`, started if there is none; to be given back with `release`.

        Raises Refusal while a failed one must not be tried again, or when there is no room.
        """
        with self._lock:
            host = self._hosts.get(key)
            if host is None:
                self._refuse_after_failure(key)
                self._make_room()
                host = WorkerHost(key, self._allow_python, self._metrics, self._ended)
                self._hosts[key] = host
            self._users[key] = self._users.get(key, 0) + 1
            self._idle_since_s.pop(key, None)
        return host

    def release(self, key: PolicyKey) -> None:
        """A robot that acquired `key` needs it no more; the worker stays for the next."""
        with self._lock:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key]
                if key in self._hosts:
                    self._idle_since_s[key] = time.monotonic()

    def hosts(self) -> list[WorkerHost]:
        """All workers there are at this moment."""
        with self._lock:
            return list(self._hosts.values())

    def stop(self) -> None:
        """End all workers and wait until they have; one that will not is killed."""
        with self._lock:
            self._stopped = True
            hosts = [*self._hosts.values(), *self._ending]
        for host in hosts:
            host.stop()
        for host in hosts:
            host.join(STOP_S)

    def _refuse_after_failure(self, key: PolicyKey) -> None:
        if self._stopped:
            raise Refusal(SHUTTING_DOWN)
        failure = self._failures.get(key)
        if failure is not None and time.monotonic() < failure.until_s:
            raise Refusal(failure.body)

    def _make_room(self) -> None:
        if len(self._hosts) < self._most:
            return
        idle = [key for key in self._hosts if key not in self._users]
        if not idle:
            raise Refusal(
                ErrorBody.of(
                    ErrorCode.BUSY,
                    f"The server runs {self._most} policies and all are in use: wait until a robot "
                    "leaves.",
                )
            )
        host = self._hosts.pop(min(idle, key=lambda key: self._idle_since_s.get(key, 0.0)))
        self._ending.add(host)
        host.stop()

    def _ended(self, host: WorkerHost) -> None:
        """A host's thread says that its worker is gone. Its state and reason are set."""
        with self._lock:
            self._ending.discard(host)
            if self._hosts.get(host.key) is host:
                del self._hosts[host.key]
            self._idle_since_s.pop(host.key, None)
            if host.spec is not None or host.stopping:
                self._failures.pop(host.key, None)
                return
            now_s = time.monotonic()
            before = self._failures.get(host.key)
            self._failures = {  # robots choose the keys, so old ones must not pile up
                key: failure
                for key, failure in self._failures.items()
                if now_s < failure.until_s + LONGEST_PAUSE_S
            }
            pause_s = min(2 * before.pause_s, LONGEST_PAUSE_S) if before else FIRST_PAUSE_S
            self._failures[host.key] = _Failure(pause_s, now_s + pause_s, host.why_gone())
