"""Links and channels: whole frames through small buffers, ends of streams, addresses that fail."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rt_infer.wire.addresses import parse_address
from rt_infer.wire.channel import Channel
from rt_infer.wire.frames import CLIENT_KINDS, SERVER_KINDS, Kind
from rt_infer.wire.links import ConnectFailed, Link, LinkLost, connect


@pytest.fixture
def ends() -> Iterator[tuple[Link, Link]]:
    left, right = socket.socketpair()
    links = Link(left, "left's peer"), Link(right, "right's peer")
    yield links
    for link in links:
        link.close()


def test_parts_of_every_kind_arrive_as_one_stream(ends: tuple[Link, Link]) -> None:
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    floats = np.array([1.5, -2.0], np.float32)
    parts = [bytearray(b"head"), image.data, b"", memoryview(floats), b"tail"]
    expected = b"head" + image.tobytes() + floats.tobytes() + b"tail"
    ends[0].send_frame(parts, len(expected))
    got = bytearray(len(expected))
    ends[1].recv_exactly_into(memoryview(got), 1.0)
    assert got == expected
    assert ends[0].bytes_sent == ends[1].bytes_received == len(expected)


def test_a_frame_larger_than_every_buffer_arrives_whole() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = connect(parse_address(f"127.0.0.1:{listening.getsockname()[1]}"), 1.0)
        server = Link(listening.accept()[0], "the client")
    image = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), np.uint8)
    got = bytearray(image.nbytes + 8)
    receiver = threading.Thread(target=server.recv_exactly_into, args=(memoryview(got), 5.0))
    receiver.start()
    client.send_frame([b"head", image.data, b"tail"], len(got))
    receiver.join()
    assert got == b"head" + image.tobytes() + b"tail"
    client.close()
    server.close()


def test_what_one_sendmsg_leaves_over_is_sent_by_the_next(
    monkeypatch: pytest.MonkeyPatch, ends: tuple[Link, Link]
) -> None:
    class Stingy:
        """A socket that takes at most five bytes at a time."""

        def __init__(self, sock: socket.socket) -> None:
            self.sock = sock

        def sendmsg(self, parts: list[bytes]) -> int:
            return self.sock.send(b"".join(bytes(part) for part in parts)[:5])

    real = ends[0]._socket
    monkeypatch.setattr(ends[0], "_socket", Stingy(real))
    ends[0].send_frame([b"abc", b"", b"defghij", np.arange(4, dtype=np.uint8)], 14)
    got = bytearray(14)
    ends[1].recv_exactly_into(memoryview(got), 1.0)
    assert got == b"abcdefghij\0\1\2\3"
    assert ends[0].bytes_sent == 14
    monkeypatch.setattr(ends[0], "_socket", real)


def test_a_stream_that_ends_in_the_middle_is_a_lost_link(ends: tuple[Link, Link]) -> None:
    ends[0].send_frame([b"abc"], 3)
    ends[0].close()
    with pytest.raises(LinkLost, match="right's peer closed"):
        ends[1].recv_exactly_into(memoryview(bytearray(4)))


def test_a_peer_that_says_nothing_is_a_lost_link(ends: tuple[Link, Link]) -> None:
    with pytest.raises(LinkLost, match="does not answer"):
        ends[1].recv_exactly_into(memoryview(bytearray(1)), 0.02)


def test_a_peer_that_takes_nothing_is_a_lost_link(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rt_infer.wire.links.SILENCE_S", 0.02)
    left, right = socket.socketpair()
    link = Link(left, "the other side")
    data = bytes(1 << 20)
    with pytest.raises(LinkLost, match="does not answer"):
        for _ in range(64):
            link.send_frame([data], len(data))
    link.close()
    right.close()


def test_closing_wakes_whoever_receives(ends: tuple[Link, Link]) -> None:
    said: list[str] = []

    def receive() -> None:
        with pytest.raises(LinkLost) as caught:
            ends[0].recv_exactly_into(memoryview(bytearray(1)))
        said.append(str(caught.value))

    receiver = threading.Thread(target=receive)
    receiver.start()
    ends[0].close()
    receiver.join()
    assert said == ["The connection to left's peer was closed on this side."]


def test_receiving_what_is_there_never_waits(ends: tuple[Link, Link]) -> None:
    room = memoryview(bytearray(8))
    assert ends[1].recv_some_into(room) == 0
    ends[0].send_frame([b"abc"], 3)
    assert ends[1].recv_some_into(room) == 3
    ends[0].close()
    with pytest.raises(LinkLost, match="closed"):
        ends[1].recv_some_into(room)


def test_peeking_leaves_the_bytes_where_they_are(ends: tuple[Link, Link]) -> None:
    assert ends[1].peek(4, 0.01) == b""
    ends[0].send_frame([b"GET / HTTP/1.1"], 14)
    assert ends[1].peek(4, 1.0) == ends[1].peek(4, 1.0) == b"GET "
    ends[0].close()
    got = bytearray(14)
    ends[1].recv_exactly_into(memoryview(got))
    assert ends[1].peek(4, 1.0) == b""


def test_a_unix_socket_is_a_link_too(tmp_path: Path) -> None:
    path = tmp_path / "s"
    address = parse_address(f"unix://{path}")
    with pytest.raises(ConnectFailed, match=f"Nothing listens at unix://{path}"):
        connect(address, 1.0)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        with pytest.raises(ConnectFailed, match="Nothing listens"):
            connect(address, 1.0)
        listening.listen()
        link = connect(address, 1.0)
        link.close()


def test_a_name_that_nobody_knows_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> socket.socket:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "create_connection", unknown)
    with pytest.raises(ConnectFailed, match="'gpu-box' is not known here"):
        connect(parse_address("gpu-box:8080"), 1.0)


def test_frames_that_many_threads_send_stay_whole_and_in_order(ends: tuple[Link, Link]) -> None:
    client = Channel(ends[0], SERVER_KINDS)
    server = Channel(ends[1], CLIENT_KINDS | {Kind.OBSERVE: 1000})

    def send(byte: int) -> None:
        for length in range(1, 200):
            client.send(Kind.OBSERVE, [bytes([byte]) * length], length, epoch=byte)

    threads = [threading.Thread(target=send, args=(byte,)) for byte in range(4)]
    for thread in threads:
        thread.start()
    for sequence in range(1, 4 * 199 + 1):
        header = server.receive_header(5.0)
        assert header.sequence == sequence
        assert server.receive_body() == bytes([header.epoch]) * header.body_length
    for thread in threads:
        thread.join()


def test_tcp_frames_are_not_held_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        link = connect(parse_address(f"127.0.0.1:{listening.getsockname()[1]}"), 1.0)
    assert link._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    assert link._socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    link.close()


@pytest.mark.parametrize("host", ["gpu..box", ".box", "x" * 64 + ".org"])
def test_what_can_be_no_name_of_a_machine_is_not_known(host: str) -> None:
    with pytest.raises(ConnectFailed, match="is not known here"):
        connect(parse_address(f"{host}:80"), 1.0)
