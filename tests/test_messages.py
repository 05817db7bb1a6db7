"""What the handshake's maps and the ERROR body accept, and how they say what they refuse."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rt_infer
from rt_infer.wire.frames import BadVersion, Fault, TooLarge
from rt_infer.wire.messages import (
    AuthRequest,
    ObservationSpec,
    PolicyRequest,
    Welcome,
    checked,
    decode,
    encode,
)
from rt_infer.wire.refusals import ErrorBody, ErrorCode, clean_text

SPEC = ObservationSpec(state=7, images={"wrist": (2, 3, 3), "front": (4, 5, 3)})


def test_the_package_exports_the_spec() -> None:
    assert rt_infer.ObservationSpec is ObservationSpec


def test_a_request_comes_back_as_it_was_sent() -> None:
    for spec in (SPEC, ObservationSpec(state=["a", "b"], task=False, codecs={})):
        request = AuthRequest(PolicyRequest("act", "path", "cuda", 50), spec, "arm", "client")
        assert decode(encode(request), AuthRequest) == request


def test_images_travel_in_the_order_of_their_names_bytes() -> None:
    assert SPEC.image_names == ["front", "wrist"]
    umlaut = ObservationSpec(1, {"ä": (1, 1, 3), "z": (1, 1, 3), "Z": (1, 1, 3)})
    assert umlaut.image_names == ["Z", "z", "ä"]


def test_a_state_is_a_size_or_a_list_of_names() -> None:
    assert SPEC.state_size == 7
    assert ObservationSpec(state=["x", "y"]).state_size == 2


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"state": 0}, "1 to 1024"),
        ({"state": 1025}, "1 to 1024"),
        ({"state": True}, "number of its entries or the list"),
        ({"state": "xyz"}, "number of its entries or the list"),
        ({"state": []}, "0 names"),
        ({"state": ["x", "x"]}, "twice"),
        ({"state": ["x\n"]}, "printable"),
        ({"state": ["x" * 65]}, "64 bytes"),
        ({"state": 7, "images": {"": (2, 2, 3)}}, "printable"),
        ({"state": 7, "images": {"front": (2, 2)}}, r"\(height, width, 3\)"),
        ({"state": 7, "images": {"front": (2, 2, 4)}}, r"\(height, width, 3\)"),
        ({"state": 7, "images": {"front": (0, 2, 3)}}, r"\(height, width, 3\)"),
        ({"state": 7, "images": {"front": (2, 8193, 3)}}, "8192"),
        ({"state": 7, "images": {f"c{i}": (2, 2, 3) for i in range(17)}}, "0 to 16"),
        ({"state": 7, "images": [("front", (2, 2, 3))]}, "dict"),
        ({"state": 7, "codecs": {"front": "raw"}}, "no image"),
        ({"state": 7, "images": {"a": (2, 2, 3)}, "codecs": {"a": "jpeg"}}, "not built yet"),
    ],
)
def test_a_spec_that_no_frame_could_carry_says_what_to_give(
    fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        ObservationSpec(**fields)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("policy", "actions_per_chunk"), 0),
        (("policy", "actions_per_chunk"), 4097),
        (("policy", "actions_per_chunk"), "50"),
        (("policy", "type"), ""),
        (("policy", "path"), "x" * 4097),
        (("spec", "state"), 0),
        (("spec", "state"), -1),
        (("spec", "images"), {"front": [1, 2, 1]}),
        (("spec", "images"), {"front": [1 << 40, 2, 3]}),
        (("spec", "codecs"), {"front": "jpeg"}),
        (("spec", "task"), "yes"),
        (("robot_id",), 5),
    ],
)
def test_a_request_that_breaks_a_limit_is_refused_on_the_server_too(
    place: tuple[str, ...], value: object
) -> None:
    tree = msgspec.to_builtins(AuthRequest(PolicyRequest("hold"), SPEC))
    inner = tree
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(ValueError):
        decode(msgspec.msgpack.encode(tree), AuthRequest)


def test_keys_that_a_later_version_adds_are_ignored() -> None:
    request = AuthRequest(PolicyRequest("hold"), SPEC)
    tree = msgspec.to_builtins(request) | {"later": {"anything": [1, 2]}}
    assert decode(msgspec.msgpack.encode(tree), AuthRequest) == request


@given(st.binary(max_size=200))
def test_any_bytes_as_a_map_decode_or_are_a_value_error(data: bytes) -> None:
    for kind in (AuthRequest, Welcome):
        try:
            decode(data, kind)
        except ValueError:
            continue


@pytest.mark.parametrize(
    "fields",
    [
        {"session": 0},
        {"session": 1 << 32},
        {"chunk_size": 0},
        {"actions": []},
        {"actions": ["a", "a"]},
        {"history": 0},
        {"history": 17},
        {"fps": 0.0},
        {"fps": float("nan")},
        {"fps": float("inf")},
    ],
)
def test_a_welcome_that_breaks_a_limit_is_refused(fields: dict[str, object]) -> None:
    tree = {"session": 1, "chunk_size": 50, "actions": ["a"]} | fields
    with pytest.raises(ValueError):
        decode(msgspec.msgpack.encode(tree), Welcome)


def test_a_request_is_checked_before_it_is_sent() -> None:
    good = AuthRequest(PolicyRequest("hold"), SPEC)
    assert checked(good) == good
    with pytest.raises(ValueError, match="actions_per_chunk"):
        checked(AuthRequest(PolicyRequest("hold", actions_per_chunk=0), SPEC))


def test_an_error_comes_back_as_it_was_said() -> None:
    for code in ErrorCode:
        body = ErrorBody.of(code, "Something happened: do something.")
        assert ErrorBody.decode(body.encode()) == body


def test_a_code_of_a_later_version_is_understood_by_its_flags() -> None:
    body = ErrorBody.decode(ErrorBody(999, True, False, "New.").encode())
    assert (body.code, body.retryable, body.closing) == (999, True, False)


def test_a_long_sentence_is_cut_between_characters() -> None:
    body = ErrorBody.of(ErrorCode.INTERNAL, "ü" * 2000)
    assert len(body.encode()) == 8 + 2048
    assert ErrorBody.decode(body.encode()).sentence == "ü" * 1024


def test_an_error_that_is_cut_short_is_still_an_error() -> None:
    body = ErrorBody.decode(b"\x01")
    assert body.closing
    assert "without saying why" in body.sentence


def test_text_from_the_wire_cannot_steer_a_terminal() -> None:
    assert clean_text(b"a\x1b[2Jb\r\nc\xff\x00") == "a[2Jbc\ufffd"


def test_each_frame_error_has_its_code() -> None:
    assert ErrorBody.of_frame_error(BadVersion(Fault.VERSION, "")).code == ErrorCode.BAD_VERSION
    assert ErrorBody.of_frame_error(TooLarge(Fault.TOO_LARGE, "")).code == ErrorCode.TOO_LARGE


@pytest.mark.parametrize(
    ("field", "most"), [("type", 64), ("device", 64), ("path", 4096), ("robot_id", 64)]
)
def test_the_limits_of_text_count_bytes_and_not_characters(field: str, most: int) -> None:
    def request(text: str) -> dict[str, object]:
        policy = {"type": "hold"} | ({} if field == "robot_id" else {field: text})
        robot_id = text if field == "robot_id" else ""
        return {"policy": policy, "spec": {"state": 7}, "robot_id": robot_id}

    for text in ("x" * most, "\u00e9" * (most // 2)):
        decode(msgspec.msgpack.encode(request(text)), AuthRequest)
    for text in ("x" * (most + 1), "\u00e9" * (most // 2 + 1)):
        with pytest.raises(ValueError, match="bytes"):
            decode(msgspec.msgpack.encode(request(text)), AuthRequest)
