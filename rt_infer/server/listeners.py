"""What the door listens on: a TCP port, and a Unix socket if one is asked for.

A Unix socket is a file that other programs see, so this is careful with it: one that a dead server
left is replaced, anything else that bears the name is left alone, and what is taken away at the end
is only what was made here.
"""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

from rt_infer.server.options import OptionsError

BACKLOG = 64


class Listener:
    """One listening socket. `accept` is one thread's; anyone may `close`, which also wakes it."""

    def __init__(self, sock: socket.socket, path: str = "") -> None:
        self._socket = sock
        self._path = path
        self._identity = _identity(path) if path else None

    @property
    def port(self) -> int:
        """The TCP port in use."""
        port: int = self._socket.getsockname()[1]
        return port

    def accept(self) -> tuple[socket.socket, str]:
        """The next connection, and who it is in a sentence. OSError once closed, among others."""
        sock, address = self._socket.accept()
        return sock, "unix socket" if self._path else f"{address[0]}:{address[1]}"

    def close(self) -> None:
        """Listen no more; takes the path away, unless another server bears it by now."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes accept(), which close() does not
        self._socket.close()
        if self._path and _identity(self._path) == self._identity:
            with contextlib.suppress(OSError):
                os.unlink(self._path)


def listen_tcp(host: str, port: int) -> Listener:
    """Listen on host and port; OptionsError with what to do when that is not possible."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return Listener(socket.create_server(address, family=family, backlog=BACKLOG))
    except OSError as error:
        raise OptionsError(
            f"The server cannot listen on {host}:{port} ({error.strerror}): choose another --host "
            "or --port, or stop what uses it."
        ) from error


def listen_unix(path: str) -> Listener:
    """Listen on a socket file that only this user may open; OptionsError as above."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if Path(path).is_socket() and _is_dead(path):
            Path(path).unlink(missing_ok=True)
        mask = os.umask(0o177)
        try:
            sock.bind(path)
        finally:
            os.umask(mask)
        sock.listen(BACKLOG)
        return Listener(sock, path)
    except OSError as error:
        sock.close()
        raise OptionsError(
            f"The server cannot listen on --unix={path} ({error.strerror or error}): choose a path "
            "that is free, in a folder that is there, at most 107 bytes long."
        ) from error


def _is_dead(path: str) -> bool:
    """Whether nobody listens behind a socket file."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return True
        except OSError:  # somebody else's, or gone meanwhile: binding will tell
            return False
        return False


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
