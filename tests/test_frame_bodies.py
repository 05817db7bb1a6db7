"""The bodies of OBSERVE and CHUNK: every field in its place, every damage named."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import spec_decoder as spec
from hypothesis import given
from hypothesis import strategies as st

from rt_infer._frames import ChunkHead, ObserveHead
from rt_infer.wire.frames import Fault

DATA = Path(__file__).parent / "data"
PREFIXED = (DATA / "observe_prefixed.frame").read_bytes()[64:]
CHUNK = (DATA / "chunk.frame").read_bytes()[64:]


@st.composite
def observations(draw: st.DrawFn) -> tuple[ObserveHead, list[int], list[int], bytes]:
    """A layout with its sizes, some lengths in it, and the whole body that they make."""
    minimum = [4 * draw(st.integers(1, 4))]
    maximum = list(minimum)
    for _ in range(draw(st.integers(0, 3))):
        least = draw(st.integers(0, 130))
        minimum.append(least)
        maximum.append(least + draw(st.integers(0, 130)))
    history = draw(st.integers(1, 3))
    head = ObserveHead(minimum, maximum, history, steps=4, width=2)
    lengths = [
        draw(st.integers(minimum[i % len(minimum)], maximum[i % len(minimum)]))
        for i in range(head.count)
    ]
    for i, length in enumerate(lengths):
        head.set_length(i, length)
    head.prefix_steps = draw(st.integers(0, 4))
    body = bytearray(32 + 4 * head.count)
    body += bytes(head.pack_into(body) - len(body))
    for i, length in enumerate(lengths[1:], 1):
        if i % head.fields:
            body[head.offset(i) : head.offset(i) + length] = bytes([i]) * length
    return head, maximum, lengths, bytes(body)


@given(observations())
def test_every_field_lies_where_the_page_says(
    made: tuple[ObserveHead, list[int], list[int], bytes],
) -> None:
    head, _, lengths, body = made
    place = spec.up(32 + 4 * head.count)
    if head.prefix_steps:
        assert head.prefix_offset == place
        place = spec.up(place + 4 * head.prefix_steps * 2)
    for i, length in enumerate(lengths):
        assert (head.offset(i), head.length(i)) == (place, length)
        end = place + length
        place = spec.up(end)
    assert head.body_length == len(body) == end <= head.greatest_body_length


@given(observations(), st.data())
def test_a_body_is_accepted_whole_and_refused_when_cut_or_padded(
    made: tuple[ObserveHead, list[int], list[int], bytes], data: st.DataObject
) -> None:
    head, _, _, body = made
    assert head.unpack_from(body, 0, len(body)) == Fault.NONE
    cut = data.draw(st.integers(0, len(body) - 1))
    assert head.unpack_from(body, 0, cut) != Fault.NONE
    assert head.unpack_from(body + b"\0", 0, len(body) + 1) == Fault.BODY_LENGTH


@given(observations(), st.binary(max_size=600))
def test_any_bytes_as_a_body_decode_or_name_a_fault(
    made: tuple[ObserveHead, list[int], list[int], bytes], body: bytes
) -> None:
    head = made[0]
    assert head.unpack_from(body, 0, len(body)) in set(Fault)


@given(observations(), st.data())
def test_damage_never_moves_a_field_out_of_the_body(
    made: tuple[ObserveHead, list[int], list[int], bytes], data: st.DataObject
) -> None:
    head, maximum, _, body = made
    damaged = bytearray(body)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, 32 + 4 * head.count - 1))] = data.draw(st.integers(0, 255))
    if head.unpack_from(damaged, 0, len(damaged)) == Fault.NONE:
        for i in range(head.count):
            assert head.length(i) <= maximum[i % head.fields]
            assert head.offset(i) + head.length(i) <= len(damaged)
        assert head.prefix_offset + 8 * head.prefix_steps <= len(damaged)


@pytest.mark.parametrize(
    ("offset", "format_", "value", "fault"),
    [
        (12, "<H", 1, Fault.OBSERVE_FLAGS),
        (14, "<H", 1, Fault.HISTORY),
        (16, "<H", 3, Fault.FIELD_COUNT),
        (20, "<H", 5, Fault.PREFIX),
        (22, "<H", 2, Fault.PREFIX),
        (32, "<I", 16, Fault.FIELD_LENGTH),
        (32, "<I", 0xFFFF_FFFC, Fault.FIELD_LENGTH),
        (20, "<HH", (2, 3), Fault.BODY_LENGTH),  # a prefix that would need 64 bytes more
    ],
)
def test_each_thing_wrong_with_an_observation_has_its_own_fault(
    offset: int, format_: str, value: int | tuple[int, int], fault: Fault
) -> None:
    head = ObserveHead([12], [12], history=2, steps=4, width=3)
    body = bytearray(64 + 64 + 12)
    assert head.pack_into(body) == len(body)
    assert head.unpack_from(body, 0, len(body)) == Fault.NONE
    struct.pack_into(format_, body, offset, *(value if isinstance(value, tuple) else (value,)))
    assert head.unpack_from(body, 0, len(body)) == fault


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("place", ["prefix", 0, 1])
def test_a_value_that_is_not_finite_is_found_in_any_state_and_in_the_prefix(
    value: float, place: str | int
) -> None:
    body = bytearray(PREFIXED)
    head = ObserveHead([12], [12], history=2, steps=4, width=3)
    assert head.unpack_from(body, 0, len(body)) == Fault.NONE
    offset = head.prefix_offset + 20 if place == "prefix" else head.offset(int(place)) + 8
    struct.pack_into("<f", body, offset, value)
    assert head.unpack_from(body, 0, len(body)) == Fault.NOT_FINITE
    assert head.fault_field == (2 if place == "prefix" else place)


def test_a_field_cannot_be_given_a_length_outside_its_limits() -> None:
    head = ObserveHead([12, 0], [12, 100], history=1, steps=1, width=1)
    for i, length in ((0, 11), (0, 13), (1, 101), (2, 0)):
        with pytest.raises(ValueError):
            head.set_length(i, length)
    with pytest.raises(IndexError):
        head.offset(2)


# ------------------------------------------------------------------ CHUNK


def test_a_chunk_of_another_shape_type_or_length_is_refused() -> None:
    body = bytearray(CHUNK)
    head = ChunkHead()
    assert head.unpack_from(body, 0, len(body), 4, 3) == Fault.NONE
    assert head.unpack_from(body, 0, len(body), 3, 4) == Fault.SHAPE
    assert head.unpack_from(body, 0, len(body) - 4, 4, 3) == Fault.BODY_LENGTH
    assert head.unpack_from(body, 0, 63, 4, 3) == Fault.BODY_LENGTH
    body[6] = 2
    assert head.unpack_from(body, 0, len(body), 4, 3) == Fault.DTYPE


@pytest.mark.parametrize("index", range(12))
def test_a_chunk_with_one_action_that_is_not_finite_is_refused(index: int) -> None:
    body = bytearray(CHUNK)
    np.frombuffer(body, "<f4", 12, 64)[index] = np.nan
    assert ChunkHead().unpack_from(body, 0, len(body), 4, 3) == Fault.NOT_FINITE


@given(st.binary(max_size=200), st.integers(0, 8), st.integers(0, 8))
def test_any_bytes_as_a_chunk_decode_or_name_a_fault(body: bytes, steps: int, width: int) -> None:
    assert ChunkHead().unpack_from(body, 0, len(body), steps, width) in set(Fault)
