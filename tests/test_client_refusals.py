"""What the client refuses to send, to use and to connect to, and how it goes on after a refusal."""

from __future__ import annotations

import socket
import threading
from typing import Any

import numpy as np
import pytest
from hand_server import ACTIONS, OBSERVATION, SPEC, HandServer, client, connect, server

from rt_infer.wire.client import BadObservation, Client, ConnectFailed, LinkLost, RemoteError
from rt_infer.wire.frames import Kind
from rt_infer.wire.refusals import ErrorBody, ErrorCode

__all__ = ["client", "server"]  # fixtures


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"observation.state": [1.0, 2.0]}, r"\(2,\) and the agreed one is \(3,\)"),
        ({"observation.state": [1.0, float("nan"), 2.0]}, "not finite"),
        ({"observation.state": ["a", "b", "c"]}, "not made of numbers"),
        (
            {"observation.images.front": np.zeros((8, 4, 3), np.uint8)},
            r"\(8, 4, 3\) and the agreed one is \(4, 8, 3\)",
        ),
        ({"observation.images.front": np.zeros((4, 8, 3), np.float32)}, "float32: give"),
        ({"observation.images.front": [[0]]}, "list: give"),
        ({"observation.images.side": np.zeros((4, 8, 3), np.uint8)}, "images.side"),
        ({"task": 5}, "line of text"),
        ({"task": "x" * 4097}, "at most 4096"),
    ],
)
def test_a_wrong_observation_is_refused_before_anything_is_sent(
    client: Client, change: dict[str, Any], said: str
) -> None:
    sent = client.bytes_sent
    with pytest.raises(BadObservation, match=said):
        client.submit(OBSERVATION | change)
    assert client.bytes_sent == sent
    assert not client.awaiting


@pytest.mark.parametrize("key", list(OBSERVATION))
def test_a_missing_entry_is_named_and_a_missing_task_is_none(client: Client, key: str) -> None:
    observation = {k: v for k, v in OBSERVATION.items() if k != key}
    if key == "task":
        client.submit(observation)
        return
    with pytest.raises(BadObservation, match=key):
        client.submit(observation)


def test_a_policy_step_that_is_not_finite_is_not_sent(client: Client) -> None:
    with pytest.raises(ValueError, match="policy_step"):
        client.submit(OBSERVATION, policy_step=float("nan"))


@pytest.mark.parametrize(
    ("actions", "changes", "said"),
    [
        (np.full((4, 2), np.nan, np.float32), {}, "not a finite number"),
        (ACTIONS.reshape(2, 4), {}, "shape"),
        (ACTIONS, {"epoch": 77}, "another stamp"),
        (ACTIONS, {"policy_step": 0.5}, "another stamp"),
    ],
)
def test_a_chunk_that_must_not_move_an_arm_is_an_error_and_the_session_goes_on(
    server: HandServer, client: Client, actions: np.ndarray, changes: dict[str, Any], said: str
) -> None:
    client.submit(OBSERVATION)
    server.take_observation()
    server.answer(actions, **changes)
    with pytest.raises(RemoteError, match=said):
        client.poll(5.0)
    assert not client.awaiting
    client.submit(OBSERVATION)
    server.take_observation()
    server.answer()
    assert client.poll(5.0) is not None


def test_a_refused_observation_leaves_the_session_open(server: HandServer, client: Client) -> None:
    client.submit(OBSERVATION)
    server.take_observation()
    assert server.channel is not None
    error = ErrorBody.of(ErrorCode.POLICY_FAILED, "The policy raised an error.").encode()
    server.say(Kind.ERROR, error, reply_to=server.channel.received.sequence)
    with pytest.raises(RemoteError, match="raised an error") as caught:
        client.poll(5.0)
    assert caught.value.retryable and not caught.value.closing
    client.submit(OBSERVATION)
    server.take_observation()


def test_a_refusal_that_closes_leaves_nothing_but_reconnecting(
    server: HandServer, client: Client
) -> None:
    error = ErrorBody.of(ErrorCode.WORKER_LOST, "The policy's process is gone.").encode()
    client.submit(OBSERVATION)
    server.say(Kind.ERROR, error)
    with pytest.raises(RemoteError, match="is gone"):
        client.poll(5.0)
    with pytest.raises(LinkLost):
        client.poll(5.0)
    with pytest.raises(LinkLost):
        client.submit(OBSERVATION)
    sent = client.bytes_sent
    with server.expecting():
        client.reconnect()
    assert client.bytes_sent > sent
    assert not client.awaiting
    client.submit(OBSERVATION)
    server.take_observation()


@pytest.mark.parametrize("fields", [{"policy_type": ""}, {"actions_per_chunk": 0}])
def test_a_request_that_cannot_be_made_is_refused_before_connecting(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="cannot be asked for"):
        Client("127.0.0.1:1", SPEC, **({"policy_type": "hold"} | fields))


def test_nobody_there_says_what_to_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(ConnectFailed, match=f"Nothing listens at {address}: start `rt-infer"):
        Client(address, SPEC, policy_type="hold")


def test_a_port_that_speaks_http_says_so(server: HandServer) -> None:
    def serve() -> None:
        with server.socket.accept()[0] as peer:
            peer.recv(1024)
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" + b" " * 64)

    thread = threading.Thread(target=serve)
    thread.start()
    with pytest.raises(RemoteError, match="does not speak rt-infer's protocol"):
        connect(server)
    thread.join()
