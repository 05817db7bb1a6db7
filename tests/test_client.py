"""The client against a server that each test plays by hand, frame by frame."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import rt_infer
from rt_infer._frames import ChunkHead
from rt_infer.wire import conversation
from rt_infer.wire.channel import Channel
from rt_infer.wire.client import BadObservation, Client, ConnectFailed, LinkLost, RemoteError
from rt_infer.wire.frames import CLIENT_KINDS, NOT_URGENT_US, Kind
from rt_infer.wire.handshake import ServerHandshake
from rt_infer.wire.layout import ObservationLayout, Packer
from rt_infer.wire.links import Link
from rt_infer.wire.messages import ErrorBody, ErrorCode, ObservationSpec, Welcome

SPEC = ObservationSpec(state=3, images={"front": (4, 8, 3), "wrist": (2, 3, 3)})
ACTIONS = np.arange(8, dtype=np.float32).reshape(4, 2)
OBSERVATION: dict[str, Any] = {
    "observation.state": [0.5, -1.0, 2.0],
    "observation.images.front": np.arange(96, dtype=np.uint8).reshape(4, 8, 3),
    "observation.images.wrist": np.arange(18, dtype=np.uint8).reshape(2, 3, 3),
    "task": "reach",
}


class Server:
    """One listening socket; `connected` lets one client in and is its other end afterwards."""

    def __init__(self, history: int = 1) -> None:
        self.welcome = Welcome(3, 4, ["a", "b"], history, 30.0)
        self.layout = ObservationLayout.agreed(SPEC, self.welcome)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.channel: Channel | None = None

    @contextmanager
    def expecting(self) -> Iterator[None]:
        """Shake hands with the client that connects meanwhile."""
        thread = threading.Thread(target=self._accept)
        thread.start()
        try:
            yield
        finally:
            thread.join()

    def _accept(self) -> None:
        self.channel = Channel(Link(self.socket.accept()[0], "the client"), CLIENT_KINDS)
        handshake = ServerHandshake(self.channel, None)
        handshake.authenticate()
        handshake.welcome(self.welcome)
        self.channel.received.set_limit(Kind.OBSERVE, self.layout.greatest_body_length)

    def take(self, kind: Kind) -> bytes:
        """The body of the client's next frame, which must be of this kind."""
        assert self.channel is not None
        assert Kind(self.channel.receive_header(5.0).kind) is kind
        return self.channel.receive_body()

    def say(self, kind: Kind, body: bytes = b"", **fields: Any) -> int:
        assert self.channel is not None
        return self.channel.send(kind, [body], len(body), **fields)

    def answer(self, actions: np.ndarray = ACTIONS, **changes: Any) -> None:
        """Answer the OBSERVE taken last with a chunk that carries its stamp."""
        assert self.channel is not None
        asked = self.channel.received
        head = ChunkHead(*actions.shape)
        head.capture_ns = self.layout.head.capture_ns
        head.queue_us, head.total_us = 1500, 4000
        body = bytearray(64)
        head.pack_into(body)
        stamp = {"reply_to": asked.sequence, "epoch": asked.epoch}
        stamp |= {"policy_step": asked.policy_step}
        self.say(Kind.CHUNK, bytes(body) + actions.tobytes(), **(stamp | changes))

    def take_observation(self) -> dict[str, Any]:
        """The newest moment of the client's next frame, an OBSERVE."""
        body = self.take(Kind.OBSERVE)
        self.layout.check(body, len(body))
        return self.layout.views(body)[-1]


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.socket.close()
    if made.channel is not None:
        made.channel.close()


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with server.expecting():
        made = connect(server)
    with made:
        yield made


def connect(server: Server) -> Client:
    return Client(server.address, SPEC, policy_type="hold", actions_per_chunk=4)


# ------------------------------------------------------------------ asking and answering


def test_the_package_exports_the_client() -> None:
    assert rt_infer.Client is Client


def test_an_observation_arrives_as_it_was_given(server: Server, client: Client) -> None:
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


def test_its_chunk_comes_back_with_stamps_and_times(server: Server, client: Client) -> None:
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


def test_infer_asks_and_waits(server: Server, client: Client) -> None:
    def serve() -> None:
        server.take_observation()
        assert server.layout.head.slack_us == NOT_URGENT_US
        server.answer()

    thread = threading.Thread(target=serve)
    thread.start()
    assert np.array_equal(client.infer(OBSERVATION).actions, ACTIONS)
    thread.join()


def test_infer_asks_again_when_the_server_dropped_its_observation(
    server: Server, client: Client
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


def test_a_chunk_keeps_its_actions_when_the_next_one_comes(server: Server, client: Client) -> None:
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
    server: Server, client: Client
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


def test_one_observation_is_out_at_a_time(server: Server, client: Client) -> None:
    client.submit(OBSERVATION)
    with pytest.raises(RuntimeError, match="still awaited"):
        client.submit(OBSERVATION)
    server.take_observation()
    server.answer()
    while client.poll(5.0) is None:
        pass
    client.submit(OBSERVATION)


def test_a_superseded_observation_is_not_awaited_any_more(server: Server, client: Client) -> None:
    client.submit(OBSERVATION)
    server.take_observation()
    assert server.channel is not None
    server.say(Kind.SUPERSEDED, reply_to=server.channel.received.sequence)
    assert client.poll(60.0) is None
    assert not client.awaiting


def test_the_chunk_of_an_observation_that_was_given_up_is_not_handed_over(
    server: Server, client: Client
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
    server = Server(history=3)
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


# ------------------------------------------------------------------ what is refused


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
    server: Server, client: Client, actions: np.ndarray, changes: dict[str, Any], said: str
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


def test_a_refused_observation_leaves_the_session_open(server: Server, client: Client) -> None:
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
    server: Server, client: Client
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


def test_a_port_that_speaks_http_says_so(server: Server) -> None:
    def serve() -> None:
        with server.socket.accept()[0] as peer:
            peer.recv(1024)
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" + b" " * 64)

    thread = threading.Thread(target=serve)
    thread.start()
    with pytest.raises(RemoteError, match="does not speak rt-infer's protocol"):
        connect(server)
    thread.join()


# ------------------------------------------------------------------ the link


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second of the protocol takes 20 ms here."""
    monkeypatch.setattr(conversation, "PING_EVERY_S", 0.02)
    monkeypatch.setattr(conversation, "PONG_WITHIN_S", 0.04)


@pytest.mark.usefixtures("hurried")
def test_a_slow_policy_is_waited_for_as_long_as_pings_are_answered(
    server: Server, client: Client
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
    server: Server, client: Client
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
def test_anything_that_comes_is_a_sign_of_life(server: Server, client: Client) -> None:
    client.submit(OBSERVATION)
    sent = client.bytes_sent
    while client.bytes_sent == sent:
        assert client.poll(0.01) is None
    server.say(Kind.SUPERSEDED, reply_to=12345)  # and no PONG, though a PING went out
    time.sleep(0.1)
    assert client.poll(0.001) is None


def test_a_client_that_awaits_nothing_may_be_silent(
    server: Server, client: Client, hurried: None
) -> None:
    assert client.poll(0.2) is None
    client.submit(OBSERVATION)
    server.take_observation()  # no PING came before it


def test_a_ping_is_answered_while_a_chunk_is_awaited_and_the_chunk_is_kept(
    server: Server, client: Client
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


def test_a_reset_is_confirmed_and_voids_what_was_asked(server: Server, client: Client) -> None:
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
    server: Server, client: Client
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


def test_a_frame_of_another_session_is_a_lost_link(server: Server, client: Client) -> None:
    assert server.channel is not None
    server.channel.session = 4
    server.say(Kind.PONG)
    with pytest.raises(LinkLost, match="another session"):
        client.poll(5.0)


def test_a_damaged_stream_is_a_lost_link(server: Server, client: Client) -> None:
    assert server.channel is not None
    server.channel.link.send_frame([bytes(64)], 64)
    with pytest.raises(LinkLost, match="does not speak"):
        client.poll(5.0)


def test_closing_says_goodbye_and_may_be_done_twice(server: Server, client: Client) -> None:
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
