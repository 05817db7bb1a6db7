"""What must not reach the other robots: strangers' bytes, half a frame, robots that vanish."""

from __future__ import annotations

import socket
import struct

import numpy as np
import pytest
from serving import (
    SPEC,
    Bystander,
    DoorProcess,
    RawRobot,
    observation,
    robot,
    serving,
    wait_until,
)

from rt_infer._frames import HEADER_SIZE, Header
from rt_infer.wire.addresses import parse_address
from rt_infer.wire.channel import Channel
from rt_infer.wire.client import LinkLost, RemoteError
from rt_infer.wire.frames import SERVER_KINDS, Kind
from rt_infer.wire.handshake import greet
from rt_infer.wire.links import connect
from rt_infer.wire.messages import AuthRequest, PolicyRequest
from rt_infer.wire.refusals import ErrorBody, ErrorCode


@pytest.fixture(scope="module")
def door():
    with DoorProcess() as door:
        yield door


# ---- strangers --------------------------------------------------------------------------------


def header(**fields: int) -> bytearray:
    """A frame's header, HELLO unless told otherwise."""
    head = Header()
    head.kind = Kind.HELLO
    for name, value in fields.items():
        setattr(head, name, value)
    data = bytearray(HEADER_SIZE)
    head.pack_into(data)
    return data


def damaged(at: int) -> bytearray:
    """A HELLO of which one byte of the header is another."""
    data = header(body_length=36, sequence=1) + bytearray(36)
    data[at] ^= 0xFF
    return data


def answer_to(port: int, data: bytes) -> bytes:
    """What the server says to these bytes until it closes."""
    with socket.create_connection(("127.0.0.1", port), 30) as stranger:
        stranger.sendall(data)
        stranger.shutdown(socket.SHUT_WR)
        answer = b""
        while more := stranger.recv(65536):
            answer += more
        return answer


def refusal_in(answer: bytes) -> ErrorBody:
    """The one ERROR frame that an answer consists of."""
    received = Header(SERVER_KINDS)
    assert received.unpack_from(answer) == 0
    assert received.kind == Kind.ERROR
    assert len(answer) == HEADER_SIZE + received.body_length
    return ErrorBody.decode(answer[HEADER_SIZE:])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", ErrorCode.BAD_FRAME, id="another protocol"),
        pytest.param(np.random.default_rng(1).bytes(4096), ErrorCode.BAD_FRAME, id="noise"),
        pytest.param(b"\x80\x04\x95" + bytes(200), ErrorCode.BAD_FRAME, id="a pickle"),
        pytest.param(damaged(20), ErrorCode.BAD_FRAME, id="a damaged header"),
        pytest.param(header(version=2), ErrorCode.BAD_VERSION, id="a later version"),
        pytest.param(header(kind=77), ErrorCode.BAD_FRAME, id="an unknown kind"),
        pytest.param(header(kind=Kind.CHUNK), ErrorCode.BAD_FRAME, id="a server's kind"),
        pytest.param(header(flags=0x100), ErrorCode.BAD_FRAME, id="a flag that must be known"),
        pytest.param(header(body_length=1 << 31), ErrorCode.TOO_LARGE, id="two gigabytes"),
        pytest.param(header(body_length=65537), ErrorCode.TOO_LARGE, id="a byte too many"),
        pytest.param(header(kind=Kind.OBSERVE), ErrorCode.OUT_OF_ORDER, id="OBSERVE first"),
        pytest.param(header(body_length=3) + b"abc", ErrorCode.BAD_FRAME, id="a short HELLO"),
    ],
)
def test_bytes_that_are_no_frame_are_answered_with_one_error_and_closed(door, data, code):
    with Bystander(door.port, "echo") as other:
        error = refusal_in(answer_to(door.port, data))
        assert error.code == code
        assert error.closing
        other.sees(2)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"R",
        b"RTI",
        b"\x16\x03\x01\x02\x00",
        header(body_length=36)[:40],
        header(body_length=36),
    ],
    ids=["nothing", "one byte", "three bytes", "TLS", "half a header", "no body"],
)
def test_a_connection_that_ends_too_early_is_closed_without_a_word(door, data):
    with Bystander(door.port, "echo") as other:
        assert answer_to(door.port, data) == b""
        other.sees(2)


def test_noise_of_any_kind_leaves_the_door_standing(door):
    noise = np.random.default_rng(7)
    with Bystander(door.port, "echo") as other:
        for _ in range(50):
            data = bytearray(header(body_length=36, sequence=1) + noise.bytes(36))
            for _ in range(noise.integers(1, 4)):
                data[noise.integers(len(data))] = noise.integers(256)
            answer_to(door.port, bytes(data[: noise.integers(1, len(data) + 1)]))
        other.sees(2)


def test_who_does_not_identify_itself_in_time_is_told_so_and_closed():
    with serving(handshake_s=0.3) as server:
        with socket.create_connection(("127.0.0.1", server.port), 30) as stranger:
            stranger.sendall(b"RTIF")
            answer = b""
            while more := stranger.recv(65536):
                answer += more
        assert refusal_in(answer).code == ErrorCode.TOO_SLOW
        with socket.create_connection(("127.0.0.1", server.port), 30) as silent:
            assert silent.recv(1) == b""


# ---- robots that misbehave after WELCOME ------------------------------------------------------


@pytest.mark.parametrize("policy", ["hold", "echo"])
def test_an_observation_whose_table_lies_is_refused_and_the_session_goes_on(door, policy):
    with RawRobot(door.port, policy) as raw, Bystander(door.port, "echo") as other:
        body, length = raw.packer.pack([observation()], capture_ns=1)
        at = HEADER_SIZE + 32  # the table of lengths: the state's
        struct.pack_into("<I", raw.packer.head, at, 24)
        raw.channel.send(Kind.OBSERVE, body, length, head=raw.packer.head)
        error = raw.receive_error()
        assert error.code == ErrorCode.BAD_OBSERVATION
        assert not error.closing
        sequence = raw.observe(0.5)
        assert raw.receive()[:2] == (Kind.CHUNK, sequence)
        other.sees(2)


def test_an_observation_longer_than_agreed_is_refused_unread(door):
    with RawRobot(door.port, "echo") as raw, Bystander(door.port, "echo") as other:
        raw.channel.send(Kind.OBSERVE, [], 1 << 26)
        error = raw.receive_error()
        assert error.code == ErrorCode.TOO_LARGE
        assert error.closing
        other.sees(2)


def test_frames_out_of_turn_or_of_another_session_end_the_session(door):
    for kind, session in ((Kind.HELLO, None), (Kind.AUTH, None), (Kind.PING, 12345)):
        with RawRobot(door.port, "hold") as raw, Bystander(door.port, "echo") as other:
            raw.channel.session = session or raw.channel.session
            raw.channel.send(kind)
            assert raw.receive_error().code == ErrorCode.OUT_OF_ORDER
            other.sees(2)


def test_while_a_policy_loads_only_pings_are_answered():
    with serving() as server:
        for kind, expected in ((Kind.PING, "PONG"), (Kind.RESET, "RESET came before WELCOME")):
            channel = Channel(connect(parse_address(f"127.0.0.1:{server.port}"), 5.0), SERVER_KINDS)
            request = PolicyRequest("python", "planted_policies:slow_to_load")
            with pytest.raises(RemoteError, match=expected):  # greet() expects no PONG
                greet(
                    channel,
                    AuthRequest(request, SPEC),
                    on_loading=lambda _, kind=kind, channel=channel: channel.send(kind),
                )
            channel.close()


def test_a_robot_that_vanishes_in_the_middle_of_a_frame_leaves_nothing_behind(door):
    with robot(door.port, "echo") as client:  # the worker is there, and stays
        client.infer(observation())
    wait_until(lambda: door.report()["connections"] == 0)
    before = door.report()["descriptors"]
    with Bystander(door.port, "echo") as other:
        for cut in (1, HEADER_SIZE - 1, HEADER_SIZE, 500, 9000):
            raw = RawRobot(door.port, "echo")
            body, length = raw.packer.pack([observation()], capture_ns=1)
            data = b"".join(bytes(part) for part in body)
            frame = header(kind=Kind.OBSERVE, body_length=length, session=raw.channel.session)
            raw.channel.link.send_frame([(frame + data)[:cut]], cut)
            raw.close()
        other.sees(2)
    wait_until(lambda: door.report()["connections"] == 0)
    assert door.report()["descriptors"] == before


def test_robots_that_come_and_go_leave_no_descriptor_and_no_memory_behind(door):
    for policy in ("echo", "hold"):
        with robot(door.port, policy) as client:
            client.infer(observation())
    wait_until(lambda: door.report()["connections"] == 0)
    before = door.report()
    worker = before["workers"]["planted_policies:echo"]
    wait_until(lambda: memory_maps(worker) == 0)
    for i in range(20):
        client = robot(door.port, "echo" if i % 2 else "hold")
        client.submit(observation())  # some leave with an answer still owed
        if i % 3:
            wait_until(lambda client=client: client.poll(1.0))
        client.close()
    wait_until(lambda: door.report()["connections"] == 0)
    assert door.report()["descriptors"] == before["descriptors"]
    assert not [name for name in before["descriptors"] if "rt-infer-session" in name]
    wait_until(lambda: memory_maps(worker) == 0)
    assert memory_maps(door.process.pid) == 0


def memory_maps(pid: int) -> int:
    """How many sessions' memories a process has mapped."""
    with open(f"/proc/{pid}/maps") as lines:
        return sum("rt-infer-session" in line for line in lines)


def test_a_robot_that_reads_no_answers_is_let_go_and_holds_up_nobody():
    with DoorProcess() as door, Bystander(door.port, "echo") as other:
        raw = RawRobot(door.port, "echo", chunk_size=50)
        with pytest.raises(LinkLost):
            while True:
                raw.channel.send(Kind.PING)
        raw.close()
        other.sees(5)
        wait_until(lambda: door.report()["robots"] == 1)
