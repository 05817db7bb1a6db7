"""Both sides must know the token; nothing that was heard or made up stands in for it."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from rt_infer.wire.channel import Channel
from rt_infer.wire.frames import (
    CLIENT_KINDS,
    HANDSHAKE_BODY,
    SERVER_KINDS,
    BadFrame,
    FrameError,
    Header,
    Kind,
    TooLarge,
)
from rt_infer.wire.handshake import ServerHandshake, greet
from rt_infer.wire.links import Link, LinkLost
from rt_infer.wire.messages import AuthRequest, ObservationSpec, PolicyRequest, Welcome, encode
from rt_infer.wire.proofs import Transcript, new_nonce
from rt_infer.wire.refusals import ErrorCode, Refusal, RemoteError

REQUEST = AuthRequest(PolicyRequest("hold"), ObservationSpec(7))
WELCOME = Welcome(session=9, chunk_size=50, actions=["a", "b"], fps=30.0)
TOKEN = "0123456789abcdef"


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


def prove(body: bytes) -> bytes:
    """A proof's place and its map's length in front of the map."""
    return bytes(32) + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("token", [None, "", TOKEN, "schlüssel"])
def test_who_knows_the_token_is_let_in(token: str | None) -> None:
    said: list[str] = []
    with two_ends() as (client, server):
        with beside(serve(server, token)) as served:
            assert greet(client, REQUEST, token, said.append) == WELCOME
    assert served == [REQUEST]
    assert said == ["Loading hold [31m"]
    assert client.session == server.session == 9


def test_a_client_with_a_wrong_token_is_refused() -> None:
    with two_ends() as (client, server):
        with beside(serve(server, TOKEN)) as served:
            with pytest.raises(RemoteError, match="token") as caught:
                greet(client, REQUEST, TOKEN + "x")
    assert caught.value.code == ErrorCode.AUTH_FAILED
    assert caught.value.closing and not caught.value.retryable
    assert isinstance(served[0], Refusal)


@pytest.mark.parametrize(
    ("client_token", "server_token", "said"),
    [(None, TOKEN, "wants a token"), (TOKEN, None, "has no token")],
)
def test_a_token_on_one_side_only_is_said_before_any_proof_is_sent(
    client_token: str | None, server_token: str | None, said: str
) -> None:
    with two_ends() as (client, server):
        with beside(serve(server, server_token)) as served:
            with pytest.raises(RemoteError, match=said):
                greet(client, REQUEST, client_token)
            client.close()
    assert isinstance(served[0], LinkLost)


def test_a_server_that_does_not_know_the_token_cannot_welcome() -> None:
    """It lets everyone in, and asks for a token so as to look like the true one."""
    with two_ends() as (client, server):

        def pretend() -> None:
            transcript = Transcript("a guess")
            server.receive_header()
            transcript.add(server.received_head, server.receive_body())
            challenge = new_nonce() + b"\1\0\0\0"
            server.send(Kind.CHALLENGE, [challenge], 36)
            transcript.add(server.sent_head, challenge)
            server.receive_header()
            transcript.add(server.received_head, server.receive_body())
            answer = encode(WELCOME)
            body = transcript.server_proof(answer) + struct.pack("<I", len(answer)) + answer
            server.session = WELCOME.session
            server.send(Kind.WELCOME, [body], len(body))

        with beside(pretend):
            with pytest.raises(RemoteError, match="does not know the token"):
                greet(client, REQUEST, TOKEN)
    assert client.session == 0


def test_a_clients_own_proof_sent_back_to_it_does_not_welcome() -> None:
    with two_ends() as (client, server):

        def reflect() -> None:
            server.receive_header()
            server.receive_body()
            challenge = new_nonce() + b"\1\0\0\0"
            server.send(Kind.CHALLENGE, [challenge], 36)
            server.receive_header()
            auth = server.receive_body()
            server.send(Kind.WELCOME, [auth], len(auth))

        with beside(reflect):
            with pytest.raises(RemoteError, match="does not know the token"):
                greet(client, REQUEST, TOKEN)


def test_a_recorded_proof_does_not_fit_a_later_challenge() -> None:
    recorded: list[tuple[Kind, bytes]] = []
    with two_ends() as (client, server):
        with beside(serve(server, TOKEN)):
            send = client.send

            def record(kind: Kind, body: tuple[bytes, ...] = (), *rest: int, **more: int) -> int:
                recorded.append((kind, b"".join(body)))
                return send(kind, body, *rest, **more)  # type: ignore[arg-type]

            client.send = record  # type: ignore[method-assign, assignment]
            greet(client, REQUEST, TOKEN)
    assert [kind for kind, _ in recorded] == [Kind.HELLO, Kind.AUTH]

    with two_ends() as (client, server):
        with beside(serve(server, TOKEN)) as served:
            for kind, body in recorded:
                client.send(kind, [body], len(body))
            client.receive_header()  # CHALLENGE
            client.receive_body()
            assert client.receive_header().kind == Kind.ERROR
    assert isinstance(served[0], Refusal)
    assert served[0].body.code == ErrorCode.AUTH_FAILED


def test_a_changed_request_does_not_keep_its_proof() -> None:
    """Someone in between turns the robot's request into another one."""
    request, other = encode(REQUEST), encode(AuthRequest(PolicyRequest("xold"), REQUEST.spec))
    with two_ends() as (client, server):
        with beside(serve(server, TOKEN)) as served:
            transcript = Transcript(TOKEN)
            hello = new_nonce() + bytes(4)
            client.send(Kind.HELLO, [hello], 36)
            transcript.add(client.sent_head, hello)
            client.receive_header()
            transcript.add(client.received_head, client.receive_body())
            proof = transcript.client_proof(request)
            body = proof + struct.pack("<I", len(other)) + other
            client.send(Kind.AUTH, [body], len(body))
    assert isinstance(served[0], Refusal)
    assert served[0].body.code == ErrorCode.AUTH_FAILED


def test_the_two_proofs_of_one_transcript_differ() -> None:
    transcript = Transcript(TOKEN)
    transcript.add(b"head", b"body")
    assert transcript.client_proof(b"same") != transcript.server_proof(b"same")


def test_a_malformed_request_is_refused_only_after_its_proof() -> None:
    for token, code in ((None, ErrorCode.BAD_REQUEST), (TOKEN, ErrorCode.AUTH_FAILED)):
        with two_ends() as (client, server):
            with beside(serve(server, token)) as served:
                transcript = Transcript(None)
                hello = new_nonce() + bytes(4)
                client.send(Kind.HELLO, [hello], 36)
                transcript.add(client.sent_head, hello)
                client.receive_header()
                transcript.add(client.received_head, client.receive_body())
                junk = b"\xc1junk"
                body = transcript.client_proof(junk) + struct.pack("<I", len(junk)) + junk
                client.send(Kind.AUTH, [body], len(body))
        assert isinstance(served[0], Refusal)
        assert served[0].body.code == code


@pytest.mark.parametrize("body", [b"", bytes(35), prove(b"x")[:-1], prove(b"x") + b"y"])
def test_an_auth_of_a_wrong_length_is_refused(body: bytes) -> None:
    with two_ends() as (client, server):
        with beside(serve(server, None)) as served:
            client.send(Kind.HELLO, [bytes(36)], 36)
            client.send(Kind.AUTH, [body], len(body))
    assert isinstance(served[0], Refusal)


@pytest.mark.parametrize("kind", [Kind.AUTH, Kind.RESET, Kind.PING, Kind.OBSERVE])
def test_a_frame_out_of_turn_is_refused_before_anything_is_looked_at(kind: Kind) -> None:
    with two_ends() as (client, server):
        with beside(serve(server, None)) as served:
            client.send(kind)
    assert isinstance(served[0], Refusal)
    assert served[0].body.code == ErrorCode.OUT_OF_ORDER


def test_a_greeting_that_is_too_large_is_refused_by_its_header_alone() -> None:
    with two_ends() as (client, server):
        with beside(serve(server, None)) as served:
            client.send(Kind.HELLO, body_length=HANDSHAKE_BODY + 1)
    assert isinstance(served[0], TooLarge)


def test_a_stranger_that_speaks_something_else_is_a_bad_frame() -> None:
    with two_ends() as (client, server):
        with beside(serve(server, None)) as served:
            client.link.send_frame([b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3".ljust(64, b"\n")], 64)
    assert isinstance(served[0], BadFrame)


@pytest.mark.parametrize("sent", [0, 10, 64, 80])
def test_a_client_that_stalls_is_given_up_at_the_deadline(sent: int) -> None:
    head = bytearray(64)
    hello = Header()
    hello.kind, hello.body_length = Kind.HELLO, 36
    hello.pack_into(head)
    with two_ends() as (client, server):
        client.link.send_frame([(bytes(head) + bytes(36))[:sent]], sent)
        with pytest.raises(Refusal) as caught:
            ServerHandshake(server, None).authenticate(deadline_s=0.05)
    assert caught.value.body.code == ErrorCode.TOO_SLOW


def test_a_welcome_out_of_turn_does_not_skip_the_challenge() -> None:
    with two_ends() as (client, server):
        answer = encode(WELCOME)
        server.send(Kind.WELCOME, [prove(answer)], 36 + len(answer))
        with pytest.raises(RemoteError, match="out of turn"):
            greet(client, REQUEST)


def test_a_server_that_closes_in_the_middle_is_a_lost_link() -> None:
    with two_ends() as (client, server):
        server.close()
        with pytest.raises(LinkLost, match="closed the connection"):
            greet(client, REQUEST)


def test_a_server_that_promises_longer_chunks_than_were_asked_for_is_not_followed() -> None:
    short = AuthRequest(PolicyRequest("hold", actions_per_chunk=49), REQUEST.spec)
    with two_ends() as (client, server):
        with beside(serve(server, None)):
            with pytest.raises(RemoteError, match="50 actions where at most 49"):
                greet(client, short)
