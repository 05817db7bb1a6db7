"""Both ends of a handshake over one socket pair, each run by hand or by a whole side of ours."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rt_infer.wire.channel import Channel
from rt_infer.wire.frames import CLIENT_KINDS, SERVER_KINDS, FrameError, Kind
from rt_infer.wire.handshake import ServerHandshake
from rt_infer.wire.links import Link, LinkLost
from rt_infer.wire.messages import AuthRequest, ObservationSpec, PolicyRequest, Welcome
from rt_infer.wire.proofs import Transcript, new_nonce
from rt_infer.wire.refusals import Refusal

REQUEST = AuthRequest(PolicyRequest("hold"), ObservationSpec(7))
WELCOME = Welcome(session=9, chunk_size=50, actions=["a", "b"], fps=30.0)


@contextmanager
def two_ends() -> Iterator[tuple[Channel, Channel]]:
    """The client's and the server's channel over one socket pair."""
    left, right = socket.socketpair()
    client = Channel(Link(left, "the server"), SERVER_KINDS)
    server = Channel(Link(right, "the client"), CLIENT_KINDS)
    try:
        yield client, server
    finally:
        client.close()
        server.close()


@contextmanager
def beside(action: Callable[[], object]) -> Iterator[list[object]]:
    """Run `action` in a thread; the list gets what it returned or raised once the block ends."""
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(action())
        except (Refusal, FrameError, LinkLost) as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield outcome
    finally:
        thread.join()


def serve(server: Channel, token: str | None) -> Callable[[], AuthRequest]:
    """A whole server's side that refuses as a door does."""

    def run() -> AuthRequest:
        handshake = ServerHandshake(server, token)
        try:
            request = handshake.authenticate()
        except Refusal as refusal:
            body = refusal.body.encode()
            server.send(Kind.ERROR, [body], len(body))
            raise
        handshake.loading("Loading hold \x1b[31m")
        handshake.welcome(WELCOME)
        return request

    return run


def greet_by_hand(client: Channel, token: str | None, proven: bytes, sent: bytes) -> None:
    """A client's side up to its AUTH, which proves one request and holds the other."""
    transcript = Transcript(token)
    hello = new_nonce() + bytes(4)
    client.send(Kind.HELLO, [hello], 36)
    transcript.add(client.sent_head, hello)
    client.receive_header()
    transcript.add(client.received_head, client.receive_body())
    body = transcript.client_proof(proven) + struct.pack("<I", len(sent)) + sent
    client.send(Kind.AUTH, [body], len(body))
