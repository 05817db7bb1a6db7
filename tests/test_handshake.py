"""Both sides must know the token; nothing that was heard or made up stands in for it."""

from __future__ import annotations

import struct

import pytest
from handshake_rig import REQUEST, WELCOME, beside, greet_by_hand, serve, two_ends

from rt_infer.wire.frames import Kind
from rt_infer.wire.handshake import greet
from rt_infer.wire.links import LinkLost
from rt_infer.wire.messages import AuthRequest, PolicyRequest, encode
from rt_infer.wire.proofs import Transcript, new_nonce
from rt_infer.wire.refusals import ErrorCode, Refusal, RemoteError

TOKEN = "0123456789abcdef"


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
            greet_by_hand(client, TOKEN, proven=request, sent=other)
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
                greet_by_hand(client, None, proven=b"\xc1junk", sent=b"\xc1junk")
        assert isinstance(served[0], Refusal)
        assert served[0].body.code == code
