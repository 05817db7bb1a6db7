"""Who is alive and who is not: pings, silence, resets and good-byes."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from hand_server import OBSERVATION, SPEC, HandServer, client, server

from rt_infer.wire import conversation
from rt_infer.wire.client import Client, LinkLost
from rt_infer.wire.frames import Kind
from rt_infer.wire.layout import ObservationLayout
from rt_infer.wire.packer import Packer

__all__ = ["client", "server"]  # fixtures


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second of the protocol takes 20 ms here."""
    monkeypatch.setattr(conversation, "PING_EVERY_S", 0.02)
    monkeypatch.setattr(conversation, "PONG_WITHIN_S", 0.04)


@pytest.mark.usefixtures("hurried")
def test_a_slow_policy_is_waited_for_as_long_as_pings_are_answered(
    server: HandServer, client: Client
) -> None:
    def serve() -> None:
        server.take_observation()
        assert server.channel is not None
        asked = server.channel.received
        stamp = {"reply_to": asked.sequence, "epoch": asked.epoch, "policy_step": asked.policy_step}
        for _ in range(10):
            server.take(Kind.PING)
            server.say(Kind.PONG, reply_to=server.channel.received.sequence)
        server.answer(**stamp)

    thread = threading.Thread(target=serve)
    client.submit(OBSERVATION)
    thread.start()
    assert client.poll(60.0) is not None
    thread.join()


@pytest.mark.usefixtures("hurried")
def test_a_silent_server_is_a_lost_link(client: Client) -> None:
    client.submit(OBSERVATION)
    with pytest.raises(LinkLost, match="Nothing came from"):
        client.poll(60.0)
    with pytest.raises(LinkLost):
        client.poll()


@pytest.mark.usefixtures("hurried")
def test_a_robot_that_stood_still_itself_gives_the_server_time_to_answer(
    server: HandServer, client: Client
) -> None:
    client.submit(OBSERVATION)
    server.take_observation()
    time.sleep(0.2)  # ten seconds of the protocol in which nobody polled
    assert client.poll(0.001) is None
    server.take(Kind.PING)
    assert server.channel is not None
    server.say(Kind.PONG, reply_to=server.channel.received.sequence)
    assert client.poll(0.001) is None


@pytest.mark.usefixtures("hurried")
def test_anything_that_comes_is_a_sign_of_life(server: HandServer, client: Client) -> None:
    client.submit(OBSERVATION)
    sent = client.bytes_sent
    while client.bytes_sent == sent:
        assert client.poll(0.01) is None
    server.say(Kind.SUPERSEDED, reply_to=12345)  # and no PONG, though a PING went out
    time.sleep(0.1)
    assert client.poll(0.001) is None


def test_a_client_that_awaits_nothing_may_be_silent(
    server: HandServer, client: Client, hurried: None
) -> None:
    assert client.poll(0.2) is None
    client.submit(OBSERVATION)
    server.take_observation()  # no PING came before it


def test_a_ping_is_answered_while_a_chunk_is_awaited_and_the_chunk_is_kept(
    server: HandServer, client: Client
) -> None:
    client.submit(OBSERVATION)
    server.take_observation()
    server.answer()

    def serve() -> None:
        server.take(Kind.PING)
        assert server.channel is not None
        server.say(Kind.PONG, reply_to=server.channel.received.sequence)

    thread = threading.Thread(target=serve)
    thread.start()
    assert client.ping() > 0.0
    thread.join()
    assert client.poll() is not None


def test_a_reset_is_confirmed_and_voids_what_was_asked(server: HandServer, client: Client) -> None:
    client.submit(OBSERVATION, epoch=1)
    server.take_observation()
    server.answer()

    def serve() -> None:
        server.take(Kind.RESET)
        assert server.channel is not None
        assert server.channel.received.epoch == 2
        server.say(Kind.RESET_DONE, reply_to=server.channel.received.sequence, epoch=2)

    thread = threading.Thread(target=serve)
    thread.start()
    client.reset()
    thread.join()
    assert client.poll() is None
    assert not client.awaiting


def test_a_server_that_says_goodbye_or_closes_is_a_lost_link(
    server: HandServer, client: Client
) -> None:
    server.say(Kind.BYE)
    with pytest.raises(LinkLost, match="stopping"):
        client.poll(5.0)
    with server.expecting():
        client.reconnect()
    assert server.channel is not None
    server.channel.close()
    with pytest.raises(LinkLost, match="closed the connection"):
        client.poll(5.0)


def test_a_frame_of_another_session_is_a_lost_link(server: HandServer, client: Client) -> None:
    assert server.channel is not None
    server.channel.session = 4
    server.say(Kind.PONG)
    with pytest.raises(LinkLost, match="another session"):
        client.poll(5.0)


def test_a_damaged_stream_is_a_lost_link(server: HandServer, client: Client) -> None:
    assert server.channel is not None
    server.channel.link.send_frame([bytes(64)], 64)
    with pytest.raises(LinkLost, match="does not speak"):
        client.poll(5.0)


def test_closing_says_goodbye_and_may_be_done_twice(server: HandServer, client: Client) -> None:
    client.close()
    client.close()
    server.take(Kind.BYE)
    with pytest.raises(LinkLost):
        client.submit(OBSERVATION)


def test_pixels_are_sent_from_where_they_lie() -> None:
    packer = Packer(ObservationLayout(SPEC, 1, 4, 2))
    buffers, _ = packer.pack([OBSERVATION], capture_ns=0)
    parts = [np.frombuffer(part, np.uint8) for part in buffers if len(memoryview(part))]
    for name in ("front", "wrist"):
        image = OBSERVATION[f"observation.images.{name}"]
        assert any(np.shares_memory(part, image) for part in parts)
