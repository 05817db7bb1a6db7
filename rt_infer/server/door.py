"""The door: listens, gives each connection a thread, and stops in good order.

This process imports no model framework and runs no model: nothing a policy does can silence it.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import signal
import socket
import threading
import time
from pathlib import Path

from rt_infer.policies.registry import HOLD, PolicyKey, UnknownPolicy, resolve
from rt_infer.server.connection import Connection
from rt_infer.server.metrics import Metrics
from rt_infer.server.options import OptionsError, ServerOptions
from rt_infer.server.pages import Pages
from rt_infer.server.preload import Preload
from rt_infer.server.session import Session
from rt_infer.server.workers import Workers
from rt_infer.wire.channel import Channel
from rt_infer.wire.messages import ErrorBody, ErrorCode, Refusal

log = logging.getLogger(__name__)

HEADROOM = 16
"""Connections beyond `max_connections`, for health checks and for telling robots to come later."""

STOP_S = 3.0


class Server:
    """A policy server: `start`, `stop`, and in between `port`. Also a context manager.

    Raises OptionsError from the constructor for options that make no server, OSError from `start`
    when the address cannot be listened on.
    """

    def __init__(self, options: ServerOptions) -> None:
        self.options = options
        self.token = options.read_token()
        options.check_exposure(self.token)
        self.metrics = Metrics()
        self.workers = Workers(options.allow_python, self.metrics, options.max_workers)
        self.port = options.port
        self.preload: Preload | None = None
        if options.policy_type and options.policy_type != HOLD:
            key = PolicyKey(
                options.policy_type, options.pretrained_name_or_path, options.policy_device
            )
            try:
                resolve(key, options.allow_python)
            except UnknownPolicy as error:
                raise OptionsError(str(error)) from None
            self.preload = Preload(key, self.workers)
        self.pages = Pages(self).by_path()
        self._sessions = itertools.count(1)
        self._lock = threading.Lock()
        self._connections: set[Connection] = set()
        self._stopping = False
        self._listeners: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Listen, and serve until `stop`; returns at once. `port` is then the port in use."""
        try:
            self._listeners.append(_listen_tcp(self.options.host, self.options.port))
            self.port = self._listeners[0].getsockname()[1]
            if self.options.unix:
                self._listeners.append(_listen_unix(self.options.unix))
        except OSError:
            self._close_listeners()
            raise
        for listener in self._listeners:
            thread = threading.Thread(
                target=self._accept, args=(listener,), name="door", daemon=True
            )
            thread.start()
            self._threads.append(thread)
        if self.preload is not None:
            self.preload.start()
        log.info("listening on %s:%d", self.options.host, self.port)

    def stop(self) -> None:
        """Say BYE to all robots, end all workers, leave nothing behind; waits for all of it."""
        with self._lock:
            if self._stopping:
                return
            self._stopping = True
            connections = list(self._connections)
        self._close_listeners()
        for connection in connections:
            connection.end()
        if self.preload is not None:
            self.preload.stop()
        self.workers.stop()
        until_s = time.monotonic() + STOP_S
        for thread in [*self._threads, *(connection.thread for connection in connections)]:
            thread.join(max(0.0, until_s - time.monotonic()))

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def robots(self) -> int:
        """How many robots have a session or wait for one."""
        with self._lock:
            return sum(connection.session is not None for connection in self._connections)

    def connections(self) -> int:
        """How many connections are open, of any kind."""
        with self._lock:
            return len(self._connections)

    # ---- for connections ----------------------------------------------------------------------

    def admit(self, connection: Connection, channel: Channel) -> Session:
        """A session for an authenticated robot; Refusal if there are too many."""
        if self.robots() >= self.options.max_connections:
            raise Refusal(
                ErrorBody.of(
                    ErrorCode.BUSY,
                    f"The server has {self.options.max_connections} robots and takes no more: wait "
                    "until one leaves.",
                )
            )
        return Session(next(self._sessions), channel, self.metrics)

    def ended(self, connection: Connection) -> None:
        """A connection is over; called by its own thread."""
        with self._lock:
            self._connections.discard(connection)

    # ---- listeners' threads -------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, address = listener.accept()
            except OSError as error:
                if self._stopping:
                    return
                log.error("a connection could not be accepted: %s", error)
                time.sleep(0.1)  # out of descriptors, most likely: wait until some are given back
                continue
            peer = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else "unix socket"
            # Gone again before it was looked at, or no thread to be had.
            with contextlib.suppress(OSError, RuntimeError):
                connection = Connection(self, sock, peer)
                with self._lock:
                    room = len(self._connections) < self.options.max_connections + HEADROOM
                    if room and not self._stopping:
                        connection.thread.start()  # `ended` waits for the lock
                        self._connections.add(connection)
                        continue
                self.metrics.count("refused_total", 'reason="full"')
            sock.close()

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes accept(), which close() does not
            listener.close()
        if self.options.unix:
            with contextlib.suppress(OSError):
                os.unlink(self.options.unix)


def serve(options: ServerOptions) -> None:
    """Serve until SIGINT or SIGTERM. For a process of its own, from its main thread."""
    asked_to_stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked_to_stop.set())
    with Server(options):
        asked_to_stop.wait()


def _listen_tcp(host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    return socket.create_server(address, family=family, backlog=64)


def _listen_unix(path: str) -> socket.socket:
    """A socket that only this user may open; one that a dead server left is replaced."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if Path(path).is_socket() and not _answers(path):
            os.unlink(path)
        mask = os.umask(0o177)
        try:
            listener.bind(path)
        finally:
            os.umask(mask)
        listener.listen(64)
    except BaseException:
        listener.close()
        raise
    return listener


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
        return True
