"""The door: listens, gives each connection a thread, and stops in good order.

This process imports no model framework and runs no model: nothing a policy does can silence it.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import threading
import time
from pathlib import Path

from rt_infer.policies.registry import HOLD, PolicyKey, UnknownPolicy, resolve
from rt_infer.server.connection import Connection
from rt_infer.server.guests import Guests
from rt_infer.server.listeners import Listener, listen_tcp, listen_unix
from rt_infer.server.metrics import Metrics
from rt_infer.server.options import OptionsError, ServerOptions
from rt_infer.server.pages import Pages
from rt_infer.server.preload import Preload
from rt_infer.server.shared import Shared
from rt_infer.server.workers import Workers

log = logging.getLogger(__name__)

STOP_S = 3.0
FULL_TOLD_EVERY_S = 60.0


class Server:
    """A policy server: `start`, `stop`, and in between `port`. Also a context manager.

    Raises OptionsError for options that make no server, from the constructor, and from `start` when
    it cannot listen where it is told to.
    """

    def __init__(self, options: ServerOptions) -> None:
        token = options.read_token()
        options.check_exposure(token)
        self.port = options.port
        self.metrics = Metrics()
        self.workers = Workers(options.allow_python, self.metrics, options.max_workers)
        self.guests = Guests(options.max_connections, self._full)
        self._options = options
        self._preload = _preload(options, self.workers)
        self._shared = Shared(
            options, token, self.metrics, self.workers, self.guests, self._preload
        )
        self._pages = Pages(self._shared).by_path()
        self._stopping = False
        self._full_told_s = -FULL_TOLD_EVERY_S
        self._listeners: list[Listener] = []
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Listen, and serve until `stop`; returns at once. `port` is then the port in use."""
        try:
            self._listeners.append(listen_tcp(self._options.host, self._options.port))
            self.port = self._listeners[0].port
            if self._options.unix:
                self._listeners.append(listen_unix(self._options.unix))
        except OptionsError:
            self._close_listeners()
            raise
        for listener in self._listeners:
            thread = threading.Thread(
                target=self._accept, args=(listener,), name="door", daemon=True
            )
            thread.start()
            self._threads.append(thread)
        if self._preload is not None:
            self._preload.start()
        log.info("listening on %s:%d", self._options.host, self.port)
        if self._options.unix:
            log.info("listening on unix://%s", Path(self._options.unix).absolute())

    def stop(self) -> None:
        """Say BYE to all robots, end all workers, leave nothing behind; waits for all of it."""
        self._stopping = True
        log.info("stopping: robots are told, workers end")
        guests = self.guests.close()
        self._close_listeners()
        for guest in guests:
            guest.end()
        if self._preload is not None:
            self._preload.stop()
        self.workers.stop()
        until_s = time.monotonic() + STOP_S
        for thread in [*self._threads, *(guest.thread for guest in guests)]:
            thread.join(max(0.0, until_s - time.monotonic()))

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            listener.close()

    # ---- listeners' threads -------------------------------------------------------------------

    def _accept(self, listener: Listener) -> None:
        while True:
            try:
                sock, peer = listener.accept()
            except OSError as error:
                if self._stopping:
                    return
                log.error("a connection could not be accepted: %s", error)
                time.sleep(0.1)  # out of descriptors, most likely: wait until some are given back
                continue
            self._let_in(sock, peer)

    def _let_in(self, sock: socket.socket, peer: str) -> None:
        # Gone again before it was looked at, or no thread to be had.
        with contextlib.suppress(OSError, RuntimeError):
            if self.guests.enter(Connection(self._shared, self._pages, sock, peer)):
                return
        sock.close()

    def _full(self) -> None:
        self.metrics.count("refused_total", 'reason="full"')
        now_s = time.monotonic()
        if now_s >= self._full_told_s + FULL_TOLD_EVERY_S:
            self._full_told_s = now_s
            log.warning(
                "more than %d connections: those that say nothing are closed, the oldest first",
                self._options.max_connections,
            )


def serve(options: ServerOptions) -> None:
    """Serve until SIGINT or SIGTERM. For a process of its own, from its main thread."""
    asked_to_stop = threading.Event()
    stops = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: asked_to_stop.set()) for number in stops]
    try:
        with Server(options):
            asked_to_stop.wait()
    finally:
        for number, handler in zip(stops, before, strict=True):
            signal.signal(number, handler)


def _preload(options: ServerOptions, workers: Workers) -> Preload | None:
    """What loads the policy named at the start; the door answers `hold` itself."""
    if not options.policy_type or options.policy_type == HOLD:
        return None
    key = PolicyKey(options.policy_type, options.pretrained_name_or_path, options.policy_device)
    try:
        resolve(key, options.allow_python)
    except UnknownPolicy as error:
        raise OptionsError(str(error)) from None
    return Preload(key, workers)
