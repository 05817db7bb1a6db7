"""The codec: what it packs it unpacks, and what a stranger sends gets a name and never a crash."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rt_infer._frames import Header, ObserveHead
from rt_infer.wire.frames import (
    CLIENT_KINDS,
    NOT_URGENT_US,
    SERVER_KINDS,
    BadFrame,
    BadVersion,
    Fault,
    FrameError,
    Kind,
    TooLarge,
    micros,
    raise_for_fault,
)

ALL_KINDS = dict.fromkeys(Kind, 1 << 20)


def head_of(**fields: int | float) -> bytearray:
    """A packed PING header with these fields."""
    header = Header()
    header.kind = Kind.PING
    for name, value in fields.items():
        setattr(header, name, value)
    head = bytearray(64)
    header.pack_into(head)
    return head


def with_check(head: bytes) -> bytes:
    """The header with a check that fits its first 60 bytes."""
    return head[:60] + struct.pack("<I", zlib.crc32(head[:60]))


@given(
    kind=st.sampled_from(list(Kind)),
    flags=st.integers(0, 0xFF),
    body_length=st.integers(0, 1 << 20),
    session=st.integers(0, 2**32 - 1),
    sequence=st.integers(0, 2**64 - 1),
    reply_to=st.integers(0, 2**64 - 1),
    epoch=st.integers(0, 2**32 - 1),
    policy_step=st.floats(allow_nan=False, allow_infinity=False),
    send_ns=st.integers(-(2**63), 2**63 - 1),
)
def test_a_header_comes_back_as_it_was_packed(**fields: int | float) -> None:
    header = Header(ALL_KINDS)
    assert header.unpack_from(head_of(**fields)) == Fault.NONE
    assert {name: getattr(header, name) for name in fields} == fields


@given(st.binary(min_size=64, max_size=64))
def test_any_64_bytes_decode_or_name_a_fault(head: bytes) -> None:
    header = Header(ALL_KINDS)
    fault = header.unpack_from(head)
    assert fault in set(Fault)
    if fault != Fault.NONE:
        with pytest.raises(FrameError):
            raise_for_fault(fault, header)


@given(st.binary(min_size=56, max_size=56))
def test_any_56_bytes_behind_magic_and_check_decode_or_name_a_fault(middle: bytes) -> None:
    head = with_check(b"RTIF" + middle + bytes(4))
    header = Header(ALL_KINDS)
    fault = header.unpack_from(head)
    assert fault not in (Fault.MAGIC, Fault.CHECK)
    if fault == Fault.NONE:
        repacked = bytearray(64)
        header.pack_into(repacked)
        assert repacked[:36] == head[:36]
        assert repacked[40:56] == head[40:56]


@given(st.integers(0, 64 * 8 - 1))
def test_one_flipped_bit_anywhere_in_a_header_is_found(bit: int) -> None:
    head = head_of(sequence=5, policy_step=1.5)
    head[bit // 8] ^= 1 << bit % 8
    assert Header(ALL_KINDS).unpack_from(head) in (Fault.MAGIC, Fault.CHECK)


@pytest.mark.parametrize(
    ("offset", "value", "fault", "error"),
    [
        (0, b"\x16", Fault.MAGIC, BadFrame),
        (4, b"\2", Fault.VERSION, BadVersion),
        (5, b"\0", Fault.KIND, BadFrame),
        (7, b"\1", Fault.FLAGS, BadFrame),
        (40, struct.pack("<d", float("nan")), Fault.STEP, BadFrame),
        (40, struct.pack("<d", float("-inf")), Fault.STEP, BadFrame),
        (8, struct.pack("<I", 1), Fault.TOO_LARGE, TooLarge),
    ],
)
def test_each_thing_wrong_with_a_header_has_its_own_fault(
    offset: int, value: bytes, fault: Fault, error: type[FrameError]
) -> None:
    head = head_of()
    head[offset : offset + len(value)] = value
    header = Header(CLIENT_KINDS)
    found = header.unpack_from(with_check(bytes(head)))
    assert found == fault
    with pytest.raises(error) as caught:
        raise_for_fault(found, header)
    assert caught.value.fault == fault


def test_flags_that_may_be_ignored_are() -> None:
    assert Header(CLIENT_KINDS).unpack_from(head_of(flags=0x00FF)) == Fault.NONE


def test_each_side_refuses_the_kinds_that_only_the_other_side_takes() -> None:
    for kind in Kind:
        on_server = Header(CLIENT_KINDS).unpack_from(head_of(kind=kind))
        on_client = Header(SERVER_KINDS).unpack_from(head_of(kind=kind))
        assert (on_server == Fault.NONE) == (kind in CLIENT_KINDS)
        assert (on_client == Fault.NONE) == (kind in SERVER_KINDS)
    assert set(CLIENT_KINDS) & set(SERVER_KINDS) == {Kind.BYE}


def test_a_limit_that_was_agreed_later_holds_exactly() -> None:
    header = Header(CLIENT_KINDS)
    header.set_limit(Kind.OBSERVE, 1000)
    assert header.unpack_from(head_of(kind=Kind.OBSERVE, body_length=1000)) == Fault.NONE
    assert header.unpack_from(head_of(kind=Kind.OBSERVE, body_length=1001)) == Fault.TOO_LARGE


def test_buffers_that_are_too_short_are_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="63 bytes"):
        Header().pack_into(bytearray(63))
    with pytest.raises(ValueError, match="at offset 1"):
        Header().unpack_from(bytes(64), 1)
    with pytest.raises(ValueError, match="at offset 18446744073709551615"):
        Header().unpack_from(bytes(64), 2**64 - 1)
    with pytest.raises(ValueError, match="100 are needed"):
        ObserveHead([4], [4], 1, 1, 1).unpack_from(bytes(99), 0, 100)


def test_slack_travels_in_microseconds_and_saturates() -> None:
    assert micros(0.25) == 250_000
    assert micros(-1.0) == 0
    assert micros(None) == micros(float("inf")) == micros(float("nan")) == NOT_URGENT_US
    assert micros(5000.0) == NOT_URGENT_US
