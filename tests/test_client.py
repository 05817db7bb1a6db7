"""Observations out, chunks back: the client against a server played by hand."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from hand_server import ACTIONS, OBSERVATION, HandServer, client, connect, server

import rt_infer
from rt_infer.wire.client import BadObservation, Client
from rt_infer.wire.frames import NOT_URGENT_US, Kind
from rt_infer.wire.links import Link

__all__ = ["client", "server"]  # fixtures


def test_the_package_exports_the_client() -> None:
    assert rt_infer.Client is Client


def test_an_observation_arrives_as_it_was_given(server: HandServer, client: Client) -> None:
    client.submit(OBSERVATION, policy_step=41.5, epoch=2, capture_ns=99, slack_s=0.25)
    seen = server.take_observation()
    assert server.channel is not None
    header, head = server.channel.received, server.layout.head
    assert (header.session, header.policy_step, header.epoch) == (3, 41.5, 2)
    assert (head.capture_ns, head.slack_us) == (99, 250_000)
    assert (head.delay_steps, head.prefix_steps) == (0, 0)
    assert seen["observation.state"].tolist() == OBSERVATION["observation.state"]
    for name in ("front", "wrist"):
        key = f"observation.images.{name}"
        assert np.array_equal(seen[key], OBSERVATION[key])
    assert seen["task"] == "reach"


def test_its_chunk_comes_back_with_stamps_and_times(server: HandServer, client: Client) -> None:
    client.submit(OBSERVATION, policy_step=41.5, epoch=2, capture_ns=99)
    assert client.awaiting
    assert client.poll() is None
    server.take_observation()
    before_ns = time.monotonic_ns()
    server.answer()
    chunk = client.poll(5.0)
    assert chunk is not None
    assert np.array_equal(chunk.actions, ACTIONS)
    assert np.array_equal(chunk["actions"], ACTIONS)
    assert chunk.actions.dtype == np.float32
    assert (chunk.epoch, chunk.policy_step, chunk.capture_ns) == (2, 41.5, 99)
    assert before_ns <= chunk.received_ns <= time.monotonic_ns()
    assert chunk.timing_ms["queue"] == pytest.approx(1.5)
    assert chunk.timing_ms["total"] == pytest.approx(4.0)
    assert list(chunk.timing_ms) == ["queue", "prepare", "infer", "finish", "total"]
    assert not client.awaiting


def test_infer_asks_and_waits(server: HandServer, client: Client) -> None:
    def serve() -> None:
        server.take_observation()
        assert server.layout.head.slack_us == NOT_URGENT_US
        server.answer()

    thread = threading.Thread(target=serve)
    thread.start()
    assert np.array_equal(client.infer(OBSERVATION).actions, ACTIONS)
    thread.join()


def test_infer_asks_again_when_the_server_dropped_its_observation(
    server: HandServer, client: Client
) -> None:
    def serve() -> None:
        server.take_observation()
        assert server.channel is not None
        server.say(Kind.SUPERSEDED, reply_to=server.channel.received.sequence)
        server.take_observation()
        server.answer()

    thread = threading.Thread(target=serve)
    thread.start()
    assert np.array_equal(client.infer(OBSERVATION).actions, ACTIONS)
    thread.join()


def test_a_chunk_keeps_its_actions_when_the_next_one_comes(
    server: HandServer, client: Client
) -> None:
    chunks = []
    for actions in (ACTIONS, -ACTIONS):
        client.submit(OBSERVATION)
        server.take_observation()
        server.answer(actions)
        chunks.append(client.poll(5.0))
    assert chunks[0] is not None
    assert np.array_equal(chunks[0].actions, ACTIONS)


def test_infer_gives_up_after_its_timeout(client: Client) -> None:
    with pytest.raises(TimeoutError, match=r"0\.01 s"):
        client.infer(OBSERVATION, timeout_s=0.01)
    assert client.awaiting


def test_an_answer_that_comes_byte_by_byte_is_whole_in_the_end(
    server: HandServer, client: Client
) -> None:
    client.submit(OBSERVATION)
    server.take_observation()
    assert server.channel is not None
    link, parts = server.channel.link, []
    server.channel.link.send_frame = lambda p, n: parts.extend(p)  # type: ignore[method-assign]
    server.answer()
    data = b"".join(bytes(part) for part in parts)
    for i in range(len(data)):
        assert client.poll() is None
        Link.send_frame(link, [data[i : i + 1]], 1)
    assert client.poll(5.0) is not None


def test_one_observation_is_out_at_a_time(server: HandServer, client: Client) -> None:
    client.submit(OBSERVATION)
    with pytest.raises(RuntimeError, match="still awaited"):
        client.submit(OBSERVATION)
    server.take_observation()
    server.answer()
    while client.poll(5.0) is None:
        pass
    client.submit(OBSERVATION)


def test_a_superseded_observation_is_not_awaited_any_more(
    server: HandServer, client: Client
) -> None:
    client.submit(OBSERVATION)
    server.take_observation()
    assert server.channel is not None
    server.say(Kind.SUPERSEDED, reply_to=server.channel.received.sequence)
    assert client.poll(60.0) is None
    assert not client.awaiting


@pytest.mark.parametrize("asked_before", [False, True])
def test_a_chunk_that_answers_nothing_is_not_handed_over(
    server: HandServer, client: Client, asked_before: bool
) -> None:
    if asked_before:
        client.submit(OBSERVATION, epoch=1, policy_step=7.0, capture_ns=5)
        server.take_observation()
        server.answer()
        assert client.poll(60.0) is not None
        server.answer(reply_to=0)  # the same stamp once more
    else:
        server.answer(reply_to=0)
    server.say(Kind.SUPERSEDED, reply_to=99)  # so that the client has something to look at
    sent = client.bytes_received
    while client.bytes_received == sent:
        assert client.poll(0.01) is None
    assert client.poll(0.05) is None
    assert not client.awaiting


def test_an_observation_that_is_superseded_for_ever_is_given_up_in_time(
    server: HandServer, client: Client
) -> None:
    asked = 0

    def supersede() -> None:
        nonlocal asked
        while server.channel is not None and server.channel.receive_header().kind == Kind.OBSERVE:
            server.channel.receive_body()
            asked += 1
            server.say(Kind.SUPERSEDED, reply_to=server.channel.received.sequence)

    thread = threading.Thread(target=supersede)
    thread.start()
    with pytest.raises(TimeoutError):
        client.infer(OBSERVATION, timeout_s=0.2)
    assert asked >= 1
    client.close()  # its BYE ends the thread
    thread.join()


def test_the_chunk_of_an_observation_that_was_given_up_is_not_handed_over(
    server: HandServer, client: Client
) -> None:
    client.submit(OBSERVATION, epoch=1)
    server.take_observation()
    client.submit(OBSERVATION, epoch=2, policy_step=7.0)
    server.answer(ACTIONS + 100)  # of epoch 1
    server.take_observation()
    server.answer()
    chunk = client.poll(5.0)
    assert chunk is not None
    assert (chunk.epoch, chunk.policy_step) == (2, 7.0)
    assert np.array_equal(chunk.actions, ACTIONS)


def test_an_epoch_never_goes_back(client: Client) -> None:
    client.submit(OBSERVATION, epoch=5)
    with pytest.raises(ValueError, match="older than 5"):
        client.submit(OBSERVATION, epoch=4)
    with pytest.raises(ValueError, match="older than 5"):
        client.reset(4)


def test_moments_that_were_not_seen_yet_repeat_the_oldest() -> None:
    server = HandServer(history=3)
    try:
        with server.expecting():
            client = connect(server)
        with client:
            older = OBSERVATION | {"observation.state": [1.0, 1.0, 1.0]}
            client.submit([older, OBSERVATION])
            body = server.take(Kind.OBSERVE)
            server.layout.check(body, len(body))
            states = [m["observation.state"][0] for m in server.layout.views(body)]
            assert states == [1.0, 1.0, 0.5]
            with pytest.raises(BadObservation, match="1 to 3"):
                client.submit([OBSERVATION] * 4, epoch=1)
    finally:
        server.socket.close()
