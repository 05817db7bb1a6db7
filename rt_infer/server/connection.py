"""One accepted connection, from its first byte to its last, on a thread of its own.

Its first bytes say what it is: frames of a robot, a line of HTTP, or nothing of ours. Whatever goes
wrong here is answered with one ERROR if anybody can read it, counted, and ends this connection
only.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import struct
import threading
import time
from collections.abc import Callable

from rt_infer._frames import PROTOCOL_MAGIC
from rt_infer.server import http
from rt_infer.server.session import Goodbye, Session
from rt_infer.server.shared import Shared
from rt_infer.wire.channel import Channel
from rt_infer.wire.frames import CLIENT_KINDS, FrameError, Kind
from rt_infer.wire.handshake import ServerHandshake
from rt_infer.wire.links import Link, LinkLost
from rt_infer.wire.refusals import ErrorBody, ErrorCode, Refusal

log = logging.getLogger(__name__)

SEND_PATIENCE_S = 0.05
"""An answer that the kernel does not take within this time ends the connection: its robot has left
a whole send buffer unread, and the thread that sends is the worker's, which has others to serve."""

SEND_BUFFER_BYTES = 256 * 1024
LINGER_S = 1.0

_MAGIC = struct.pack("<I", PROTOCOL_MAGIC)
_TLS = b"\x16"


class Connection:
    """A socket and whoever is at its other end. `run` is its thread; anyone may `end` it."""

    def __init__(
        self,
        shared: Shared,
        pages: dict[str, Callable[[], http.Page]],
        sock: socket.socket,
        peer: str,
    ) -> None:
        self.accepted_s = time.monotonic()
        self.session: Session | None = None
        self._shared = shared
        self._pages = pages
        self._socket = sock
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._link = Link(sock, peer)
        patience = struct.pack("@ll", 0, round(SEND_PATIENCE_S * 1e6))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)
        self._channel = Channel(self._link, CLIENT_KINDS)
        self.thread = threading.Thread(target=self.run, name=f"connection {peer}", daemon=True)

    def end(self) -> None:
        """The server stops: say BYE to a robot, hang up on anybody else. From any thread."""
        session = self.session
        if session is not None:
            session.end(Goodbye())
        else:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RD)

    def run(self) -> None:
        """Serve it to its end."""
        try:
            self._tell_apart()
        except Refusal as refusal:
            self._last_word(refusal.body)
        except FrameError as error:
            self._last_word(ErrorBody.of_frame_error(error))
        except Goodbye:
            with contextlib.suppress(LinkLost):
                self._channel.send(Kind.BYE)
        except LinkLost as error:  # it names the peer
            log.info("%s", error)
        except OSError as error:
            log.info("%s: %s", self._link.peer, error)
        except Exception:
            log.exception("%s: an error of the server's own", self._link.peer)
            sentence = "The server failed on this connection: see its log, and connect again."
            self._last_word(ErrorBody.of(ErrorCode.INTERNAL, sentence))
        finally:
            self._close_session()
            self._link.close()
            self._shared.guests.leave(self)

    def _tell_apart(self) -> None:
        first = self._link.peek(len(_MAGIC), self._shared.options.handshake_s)
        if first == _MAGIC:
            self._shared.metrics.count("connections_total", 'kind="robot"')
            self._serve_robot()
        elif first in http.METHODS or first in http.OTHER_METHODS:
            self._shared.metrics.count("connections_total", 'kind="http"')
            http.respond(self._socket, self._pages)
            self._linger()
        elif not first or first.startswith(_TLS) or _MAGIC.startswith(first):
            # Left or fell silent before it said what it is, or wants TLS, which is not spoken here.
            self._shared.metrics.count("connections_total", 'kind="other"')
            self._linger()
        else:
            self._shared.metrics.count("connections_total", 'kind="other"')
            sentence = (
                "This is rt-infer's port and what came is none of its frames: check the port."
            )
            raise Refusal(ErrorBody.of(ErrorCode.BAD_FRAME, sentence))

    def _serve_robot(self) -> None:
        shared = self._shared
        handshake = ServerHandshake(self._channel, shared.token)
        left_s = self.accepted_s + shared.options.handshake_s - time.monotonic()
        request = handshake.authenticate(left_s)
        number = shared.guests.seat(self)
        session = self.session = Session(number, self._channel, shared.metrics)
        log.info(
            "%s: robot %r wants policy %r %r", self._link.peer, request.robot_id,
            request.policy.type, request.policy.path,
        )  # fmt: skip
        session.join(request, handshake, shared.workers, shared.options.allow_python)
        session.serve()
        log.info("%s: robot %r left", self._link.peer, request.robot_id)

    def _close_session(self) -> None:
        if self.session is not None:
            self.session.close()

    def _last_word(self, body: ErrorBody) -> None:
        self._close_session()  # no answer comes after it
        code = ErrorCode(body.code).name.lower()
        self._shared.metrics.count("errors_total", f'code="{code}"')
        log.warning("%s: refused (%s): %s", self._link.peer, code, body.sentence)
        data = body.encode()
        with contextlib.suppress(LinkLost):
            self._channel.send(Kind.ERROR, [data], len(data))
            self._linger()

    def _linger(self) -> None:
        """Let the other side read what was sent: closing over unread bytes would take it back."""
        until_s = time.monotonic() + LINGER_S
        scratch = memoryview(bytearray(65536))
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            while True:
                left_s = until_s - time.monotonic()
                if left_s <= 0:
                    return
                self._link.recv_exactly_into(scratch, deadline_s=until_s)
