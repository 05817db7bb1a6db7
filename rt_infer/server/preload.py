"""A policy that is loaded before the first robot asks, and again whenever its worker ends."""

from __future__ import annotations

import threading

from rt_infer.policies.registry import PolicyKey
from rt_infer.server.worker_host import State, WorkerHost
from rt_infer.server.workers import FIRST_PAUSE_S, Workers
from rt_infer.wire.refusals import Refusal


class Preload:
    """Keeps one worker loaded, on a thread of its own."""

    def __init__(self, key: PolicyKey, workers: Workers) -> None:
        self.key = key
        self._workers = workers
        self._host: WorkerHost | None = None
        self._trouble = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_loaded, name="preload", daemon=True)

    def start(self) -> None:
        """Begin to load."""
        self._thread.start()

    def stop(self) -> None:
        """Load no more. The workers are stopped by who owns them."""
        self._stopping.set()

    def state(self) -> tuple[bool, str]:
        """Whether the policy is ready, and a line that says how far it is."""
        host = self._host
        if host is not None and host.state is State.READY:
            return True, f"policy {self.key} is ready"
        if host is not None and host.state is State.LOADING and not self._trouble:
            return False, f"policy {self.key}: {host.progress}"
        return False, self._trouble or f"policy {self.key}: starting"

    def _keep_loaded(self) -> None:
        while not self._stopping.is_set():
            try:
                self._host = self._workers.acquire(self.key)
            except Refusal as refusal:  # not now: it has just failed, or the server is full
                self._trouble = refusal.body.sentence
            else:
                self._host.join()
                self._trouble = self._host.why_gone().sentence
                self._workers.release(self.key)
            self._stopping.wait(FIRST_PAUSE_S)
