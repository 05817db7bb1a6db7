"""A connected stream socket that sends frames in one call and receives into memory given to it.

Blocking, with kernel timeouts (SO_SNDTIMEO, SO_RCVTIMEO) instead of Python's: a whole frame leaves
by one sendmsg and a whole body arrives by one recv, since the kernel does the waiting in between.

Threads: one may send while another receives; two must not send at once (`Channel` has the lock).
Any thread may call `close`, which also wakes whoever waits here.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from rt_infer.wire.addresses import Address
from rt_infer.wire.frames import SILENCE_S

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_TIMEVAL = struct.Struct("@ll")


class LinkError(ConnectionError):
    """Something about the connection, in one sentence."""


class ConnectFailed(LinkError):
    """No connection could be made."""


class LinkLost(LinkError):
    """The connection is gone: closed by the other side, broken, or silent for too long."""


class Link:
    """One connected socket. Takes ownership of it; `peer` names the other side in sentences."""

    def __init__(self, sock: socket.socket, peer: str) -> None:
        self.peer = peer
        self.bytes_sent = 0
        self.bytes_received = 0
        self._socket = sock
        self._closed = False
        self._receive_timeout_s: float | None = None
        sock.settimeout(None)  # blocking: the timeouts below are the kernel's
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(SILENCE_S))
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            _set_tcp_options(sock)

    def fileno(self) -> int:
        """The socket's descriptor, for poll(); -1 once closed."""
        return self._socket.fileno()

    def send_frame(self, parts: Sequence[ReadableBuffer], length: int) -> None:
        """Send `parts`, `length` bytes together, by one gathered write; LinkLost if it cannot.

        Each part is any contiguous buffer; none is copied. Only when the kernel takes a part of
        it (a full socket buffer and a signal, or a stalled peer) does it take further calls.
        """
        try:
            sent = self._socket.sendmsg(parts)
            self.bytes_sent += sent
            if sent < length:
                self._send_rest(parts, sent)
        except OSError as error:
            self._raise_lost(error)

    def _send_rest(self, parts: Sequence[ReadableBuffer], sent: int) -> None:
        views = [memoryview(part).cast("B") for part in parts if memoryview(part).nbytes]
        while True:
            while views and sent >= len(views[0]):
                sent -= len(views[0])
                del views[0]
            if not views:
                return
            views[0] = views[0][sent:]
            sent = self._socket.sendmsg(views)
            self.bytes_sent += sent

    def recv_exactly_into(
        self, view: memoryview, timeout_s: float | None = None, deadline_s: float | None = None
    ) -> None:
        """Fill `view`, or LinkLost: at the end of the stream or when time is up.

        timeout_s: the longest wait without a byte. deadline_s: the time.monotonic() at which all
        must be there, for peers that are not trusted yet and might trickle for ever.
        """
        filled = 0
        while filled < len(view):
            if deadline_s is not None:
                timeout_s = max(1e-6, deadline_s - time.monotonic())
            self._set_receive_timeout(timeout_s)
            try:
                count = self._socket.recv_into(view[filled:], 0, socket.MSG_WAITALL)
            except OSError as error:
                self._raise_lost(error)
            if count == 0:
                self._raise_ended()
            self.bytes_received += count
            filled += count
            if deadline_s is not None and filled < len(view) and time.monotonic() >= deadline_s:
                self._raise_lost(BlockingIOError(errno.EAGAIN, "deadline"))

    def recv_some_into(self, view: memoryview) -> int:
        """Take what is there without waiting, at most `view`; 0 when there is nothing."""
        try:
            count = self._socket.recv_into(view, 0, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._raise_lost(error)
        if count == 0:
            self._raise_ended()
        self.bytes_received += count
        return count

    def peek(self, count: int, timeout_s: float | None = None) -> bytes:
        """The first `count` bytes without taking them; fewer if the stream ended or time is up."""
        self._set_receive_timeout(timeout_s)
        try:
            return self._socket.recv(count, socket.MSG_PEEK | socket.MSG_WAITALL)
        except BlockingIOError:
            return b""
        except OSError as error:
            self._raise_lost(error)

    def close(self) -> None:
        """End the connection and wake whoever waits in it; may be called twice, by any thread."""
        self._closed = True
        with contextlib.suppress(OSError):  # the other side was faster
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _set_receive_timeout(self, timeout_s: float | None) -> None:
        if timeout_s != self._receive_timeout_s:
            try:
                self._socket.setsockopt(
                    socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(timeout_s or 0.0)
                )
            except OSError as error:
                self._raise_lost(error)
            self._receive_timeout_s = timeout_s

    def _raise_lost(self, error: OSError) -> NoReturn:
        if self._closed or error.errno == errno.EBADF:
            sentence = f"The connection to {self.peer} was closed on this side."
        elif error.errno in (errno.EAGAIN, errno.ETIMEDOUT):
            sentence = f"{self.peer} does not answer any more: check that machine and the network."
        elif error.errno in (errno.ECONNRESET, errno.EPIPE):
            sentence = f"{self.peer} closed the connection: see its own messages for why."
        else:
            sentence = f"The connection to {self.peer} broke: {error.strerror or error}."
        raise LinkLost(sentence) from error

    def _raise_ended(self) -> NoReturn:
        if self._closed:
            raise LinkLost(f"The connection to {self.peer} was closed on this side.")
        raise LinkLost(f"{self.peer} closed the connection: see its own messages for why.")


def connect(address: Address, timeout_s: float) -> Link:
    """Connect to a server; ConnectFailed with what to do when that is not possible."""
    try:
        if address.scheme == "unix":
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                sock.settimeout(timeout_s)
                sock.connect(address.path)
            except BaseException:
                sock.close()
                raise
        else:
            sock = socket.create_connection((address.host, address.port), timeout_s)
    except (OSError, UnicodeError) as error:  # no name of a machine has two dots in a row
        raise ConnectFailed(_why_not_connected(address, timeout_s, error)) from error
    return Link(sock, str(address))


def _why_not_connected(address: Address, timeout_s: float, error: OSError | UnicodeError) -> str:
    if isinstance(error, socket.gaierror | UnicodeError):
        return f"The name {address.host!r} is not known here: check --server_address."
    if isinstance(error, TimeoutError):
        return (
            f"{address} did not answer within {timeout_s:g} s: check that the machine is up and "
            "that no firewall is in between."
        )
    if isinstance(error, ConnectionRefusedError | FileNotFoundError):
        return (
            f"Nothing listens at {address}: start `rt-infer server` there or check "
            "--server_address."
        )
    if isinstance(error, PermissionError):
        return f"{address} may not be opened by this user: check the permissions of the path."
    return f"{address} cannot be reached ({error.strerror or error}): check --server_address."


def _timeval(seconds: float) -> bytes:
    """A struct timeval; 0 means no timeout, so a positive one is at least a microsecond."""
    microseconds = max(1, round(seconds * 1e6)) if seconds > 0 else 0
    return _TIMEVAL.pack(microseconds // 1_000_000, microseconds % 1_000_000)


def _set_tcp_options(sock: socket.socket) -> None:
    """Send at once, and notice within seconds that the other machine is gone."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    # Sent data that nobody acknowledges (tcp(7)): without it retransmission goes on for minutes.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 10_000)
