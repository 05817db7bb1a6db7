"""A handshake takes its frames in one order, of one size, in time; anything else ends it."""

from __future__ import annotations

import struct

import pytest
from handshake_rig import REQUEST, WELCOME, beside, serve, two_ends

from rt_infer.wire.frames import HANDSHAKE_BODY, BadFrame, Header, Kind, TooLarge
from rt_infer.wire.handshake import ServerHandshake, greet
from rt_infer.wire.links import LinkLost
from rt_infer.wire.messages import AuthRequest, PolicyRequest, encode
from rt_infer.wire.refusals import ErrorCode, Refusal, RemoteError


def prove(body: bytes) -> bytes:
    """A proof's place and its map's length in front of the map."""
    return bytes(32) + struct.pack("<I", len(body)) + body


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
