"""The bytes of a recording: a magic, then blocks, each with its kind, its length and a checksum.

    file    magic (8 bytes), block, block, …
    block   kind (4 ASCII capitals), crc32 (u32), length of the payload (u64), payload

Little-endian; the checksum is of kind, length and payload. Payloads are a multiple of 8 bytes long,
so that every record is aligned. A block is there as a whole or not at all: what follows the last
whole one was cut off, or is damaged, and is not read.

    HEAD    JSON, the first block: what was run, and how the records look
    RING    rti_action[]: what was pushed into the core's ring, in order
    CYCL    rti_record[]: one for each cycle
    LOST    JSON: cycles that nobody has, in the CYCL block that follows or before it
    DONE    JSON, the last block: the recording was closed in order

Kinds that a reader does not know are passed over: later versions may add some.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

SCHEMA = "rt-infer.recording/1"
MAGIC = b"RTIREC1\n"
HEAD, RING, CYCLES, LOST, DONE = b"HEAD", b"RING", b"CYCL", b"LOST", b"DONE"

_FRAME = struct.Struct("<4sIQ")
_ALIGNMENT = 8


class Block(NamedTuple):
    kind: bytes
    payload: npt.NDArray[np.uint8]  # in the file: nothing is copied
    end: int  # offset in the file, bytes


def pack(kind: bytes, payload: bytes) -> bytes:
    """A block, ready to be written."""
    return _FRAME.pack(kind, _checksum(kind, payload), len(payload)) + payload


def pack_json(kind: bytes, values: Mapping[str, Any]) -> bytes:
    """A block of JSON, with spaces up to the next multiple of 8 bytes."""
    text = json.dumps(values).encode()  # Infinity, the open side of a box, included
    return pack(kind, text + b" " * (-len(text) % _ALIGNMENT))


def blocks(file: npt.NDArray[np.uint8]) -> Iterator[Block]:
    """The whole blocks of a file's bytes, up to the first that is not whole."""
    at = len(MAGIC)
    while at + _FRAME.size <= len(file):
        kind, checksum, length = _FRAME.unpack_from(file.data, at)
        begin, end = at + _FRAME.size, at + _FRAME.size + length
        if end > len(file) or length % _ALIGNMENT:
            return
        payload = file[begin:end]
        if _checksum(kind, payload.data) != checksum:
            return
        yield Block(kind, payload, end)
        at = end


def damaged_at(file: npt.NDArray[np.uint8], at: int) -> bool:
    """Whether the bytes from `at` on are a block that is all there and is not what was written.

    A block that merely was cut off ends behind the file, or has nothing in its frame.
    """
    if at + _FRAME.size > len(file):
        return False
    kind, _, length = _FRAME.unpack_from(file.data, at)
    return any(kind) and at + _FRAME.size + length <= len(file)


def dtype_to_json(dtype: np.dtype[np.void]) -> dict[str, Any]:
    """A record's layout as plain values: [name, type, shape, offset] for each field."""
    assert dtype.fields is not None
    fields = [
        [name, kind.base.str, list(kind.shape), offset]
        for name, (kind, offset, *_) in dtype.fields.items()
    ]
    return {"itemsize": dtype.itemsize, "fields": fields}


def dtype_from_json(layout: Mapping[str, Any]) -> np.dtype[np.void]:
    """The same, read back. ValueError, KeyError or TypeError: it is no layout."""
    fields = layout["fields"]
    if any(np.dtype(kind).kind not in "iuf" for _, kind, *_ in fields):
        raise ValueError("a record holds numbers only")
    return np.dtype(
        {
            "names": [name for name, *_ in fields],
            "formats": [(kind, tuple(shape)) for _, kind, shape, _ in fields],
            "offsets": [offset for *_, offset in fields],
            "itemsize": layout["itemsize"],
        }
    )


def _checksum(kind: bytes, payload: bytes | memoryview) -> int:
    return zlib.crc32(payload, zlib.crc32(_FRAME.pack(kind, 0, len(payload))))
