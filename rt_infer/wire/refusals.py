"""Why a server refused: what an ERROR frame says (docs/protocol.md, section 6), on either side."""

from __future__ import annotations

import struct
from enum import IntEnum

import msgspec

from rt_infer.wire.frames import BadVersion, FrameError, TooLarge

_MAX_SENTENCE_BYTES = 2048
_ERROR_HEAD = struct.Struct("<HBB4x")


class ErrorCode(IntEnum):
    """Why a server refused (docs/protocol.md, section 6)."""

    BAD_FRAME = 1
    BAD_VERSION = 2
    AUTH_FAILED = 3
    BAD_REQUEST = 4
    UNKNOWN_POLICY = 5
    LOAD_FAILED = 6
    SPEC_MISMATCH = 7
    BAD_OBSERVATION = 8
    POLICY_FAILED = 9
    BAD_ANSWER = 10
    WORKER_LOST = 11
    BUSY = 12
    SHUTTING_DOWN = 13
    TOO_SLOW = 14
    OUT_OF_ORDER = 15
    TOO_LARGE = 16
    INTERNAL = 17

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later with nothing changed by the user."""
        return self in _RETRYABLE

    @property
    def closing(self) -> bool:
        """Whether the server closes the connection after saying so."""
        return self not in _STAYING


_RETRYABLE = frozenset(
    {
        ErrorCode.POLICY_FAILED,
        ErrorCode.BAD_ANSWER,
        ErrorCode.WORKER_LOST,
        ErrorCode.BUSY,
        ErrorCode.SHUTTING_DOWN,
        ErrorCode.TOO_SLOW,
        ErrorCode.INTERNAL,
    }
)
_STAYING = frozenset({ErrorCode.BAD_OBSERVATION, ErrorCode.POLICY_FAILED, ErrorCode.BAD_ANSWER})
_OF_FRAME_ERROR: dict[type[FrameError], ErrorCode] = {
    BadVersion: ErrorCode.BAD_VERSION,
    TooLarge: ErrorCode.TOO_LARGE,
}


class ErrorBody(msgspec.Struct, frozen=True):
    """One refusal. `code` is a number that may be newer than this side's ErrorCode."""

    code: int
    retryable: bool
    closing: bool
    sentence: str

    @classmethod
    def of(cls, code: ErrorCode, sentence: str, *, closing: bool | None = None) -> ErrorBody:
        """The refusal with the flags that its code usually has."""
        return cls(code, code.retryable, code.closing if closing is None else closing, sentence)

    @classmethod
    def of_frame_error(cls, error: FrameError) -> ErrorBody:
        """The refusal of bytes that are no frame we can go on from."""
        return cls.of(_OF_FRAME_ERROR.get(type(error), ErrorCode.BAD_FRAME), str(error))

    def encode(self) -> bytes:
        """The body of an ERROR frame."""
        text = self.sentence.encode()[:_MAX_SENTENCE_BYTES].decode(errors="ignore").encode()
        return _ERROR_HEAD.pack(self.code, self.retryable, self.closing) + text

    @classmethod
    def decode(cls, body: bytes) -> ErrorBody:
        """Read an ERROR's body; its text is cleaned, since it may come from a stranger."""
        if len(body) < _ERROR_HEAD.size:
            sentence = "The server refused without saying why: see its own messages."
            return cls(ErrorCode.INTERNAL, True, True, sentence)
        code, retryable, closing = _ERROR_HEAD.unpack_from(body)
        return cls(code, bool(retryable), bool(closing), clean_text(body[_ERROR_HEAD.size :]))


class RemoteError(Exception):
    """The server refused. `code`, `retryable`, `closing` and `sentence` as in `ErrorBody`."""

    def __init__(self, body: ErrorBody) -> None:
        super().__init__(body.sentence)
        self.code = body.code
        self.retryable = body.retryable
        self.closing = body.closing
        self.sentence = body.sentence


class Refusal(Exception):
    """On the server: what to answer a client with. `body` goes into the ERROR frame."""

    def __init__(self, body: ErrorBody) -> None:
        super().__init__(body.sentence)
        self.body = body


def clean_text(data: bytes) -> str:
    """Text from the wire without control characters: it may end up in a user's terminal."""
    text = data[:_MAX_SENTENCE_BYTES].decode(errors="replace")
    return "".join(character for character in text if character.isprintable())
