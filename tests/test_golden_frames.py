"""The golden frames, read by a decoder that was written from docs/protocol.md alone."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path

import spec_decoder as spec

from rt_infer.wire.frames import NOT_URGENT_US, Kind

DATA = Path(__file__).parent / "data"
GOLDEN = {path.stem: path.read_bytes() for path in sorted(DATA.glob("*.frame"))}

_loader = importlib.util.spec_from_file_location("golden", DATA / "make_golden_frames.py")
assert _loader is not None and _loader.loader is not None
golden = importlib.util.module_from_spec(_loader)
_loader.loader.exec_module(golden)


def test_there_is_a_golden_frame_of_every_kind() -> None:
    kinds = {spec.decode_header(frame)["kind"] for frame in GOLDEN.values()}
    assert kinds == set(spec.KINDS.values()) == {kind.name for kind in Kind}


def test_the_codec_still_makes_every_golden_frame_byte_for_byte() -> None:
    assert golden.golden_frames() == GOLDEN


def test_the_golden_handshake_proves_the_token_as_the_page_says() -> None:
    hello, challenge, auth, welcome = (
        GOLDEN[name] for name in ("hello", "challenge", "auth", "welcome")
    )
    assert spec.decode_greeting(hello[64:]) == (golden.CLIENT_NONCE, bytes(4))
    assert spec.decode_greeting(challenge[64:]) == (golden.SERVER_NONCE, b"\1\0\0\0")
    client_proof, request, request_bytes = spec.decode_proven(auth[64:])
    server_proof, answer, answer_bytes = spec.decode_proven(welcome[64:])
    assert client_proof == spec.proof(
        golden.TOKEN, b"rt-infer 1 client", [hello, challenge], request_bytes
    )
    assert server_proof == spec.proof(
        golden.TOKEN, b"rt-infer 1 server", [hello, challenge, auth], answer_bytes
    )
    assert request == {
        "policy": {"type": "hold", "path": "", "device": "cpu", "actions_per_chunk": 4},
        "spec": {
            "state": ["x", "y", "z"],
            "images": {"wrist": [2, 3, 3], "front": [4, 8, 3]},
            "task": True,
            "codecs": {},
        },
        "robot_id": "arm-a",
        "client": "rt-infer golden",
    }
    assert answer["session"] == spec.decode_header(welcome)["session"] == 7
    assert (answer["chunk_size"], answer["actions"], answer["history"]) == (4, ["x", "y", "z"], 1)


def test_the_golden_observation_is_what_was_seen() -> None:
    header = spec.decode_header(GOLDEN["observe"])
    assert (header["session"], header["epoch"], header["policy_step"]) == (7, 2, 41.25)
    sizes = [12, golden.FRONT.nbytes, golden.WRIST.nbytes, None]
    body = spec.decode_observe(GOLDEN["observe"][64:], sizes, history=1, width=3)
    assert (body["capture_ns"], body["slack_us"]) == (123_456_789_000, 250_000)
    state, front, wrist, task = body["fields"]
    assert struct.unpack("<3f", state) == tuple(golden.STATE)
    assert (front, wrist) == (golden.FRONT.tobytes(), golden.WRIST.tobytes())
    assert task.decode() == golden.TASK


def test_the_golden_observation_with_history_and_prefix_keeps_their_order() -> None:
    body = spec.decode_observe(GOLDEN["observe_prefixed"][64:], [12], history=2, width=3)
    assert (body["slack_us"], body["delay_steps"]) == (NOT_URGENT_US, 1)
    assert [list(row) for row in body["prefix"]] == golden.PREFIX.tolist()
    oldest, newest = (struct.unpack("<3f", field) for field in body["fields"])
    assert oldest == tuple(golden.STATE)
    assert newest == tuple(value + 1 for value in golden.STATE)


def test_the_golden_chunk_answers_the_golden_observation() -> None:
    asked, header = (spec.decode_header(GOLDEN[name]) for name in ("observe", "chunk"))
    assert header["reply_to"] == asked["sequence"]
    for field in ("session", "epoch", "policy_step"):
        assert header[field] == asked[field]
    chunk = spec.decode_chunk(GOLDEN["chunk"][64:])
    assert chunk["capture_ns"] == 123_456_789_000
    assert chunk["times_us"] == (11, 22, 33, 44, 110)
    assert chunk["actions"] == golden.ACTIONS.tolist()


def test_the_golden_error_says_what_to_do() -> None:
    error = spec.decode_error(GOLDEN["error"][64:])
    assert (error["code"], error["retryable"], error["closing"]) == (8, 0, 0)
    assert error["sentence"] == "The state is too short: send three floats."
