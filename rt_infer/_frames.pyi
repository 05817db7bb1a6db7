from collections.abc import Mapping, Sequence
from enum import IntEnum

from _typeshed import ReadableBuffer, WriteableBuffer

class Fault(IntEnum):
    NONE = 0
    MAGIC = 1
    CHECK = 2
    VERSION = 3
    KIND = 4
    FLAGS = 5
    STEP = 6
    TOO_LARGE = 7
    HISTORY = 16
    FIELD_COUNT = 17
    FIELD_LENGTH = 18
    PREFIX = 19
    BODY_LENGTH = 20
    NOT_FINITE = 21
    OBSERVE_FLAGS = 22
    SHAPE = 32
    DTYPE = 33

PROTOCOL_MAGIC: int
PROTOCOL_VERSION: int
HEADER_SIZE: int
OBSERVE_HEAD_SIZE: int
CHUNK_HEAD_SIZE: int
ALIGNMENT: int

def all_finite(buffer: ReadableBuffer) -> bool: ...

class Header:
    version: int
    kind: int
    flags: int
    body_length: int
    session: int
    sequence: int
    reply_to: int
    epoch: int
    policy_step: float
    send_ns: int
    def __init__(self, limits: Mapping[int, int] | None = None) -> None: ...
    def set_limit(self, kind: int, body_length: int) -> None: ...
    def pack_into(self, buffer: WriteableBuffer, offset: int = 0) -> None: ...
    def unpack_from(self, buffer: ReadableBuffer, offset: int = 0) -> int: ...

class ObserveHead:
    capture_ns: int
    slack_us: int
    delay_steps: int
    prefix_steps: int
    @property
    def fields(self) -> int: ...
    @property
    def count(self) -> int: ...
    @property
    def history(self) -> int: ...
    @property
    def steps(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def greatest_body_length(self) -> int: ...
    @property
    def body_length(self) -> int: ...
    @property
    def prefix_offset(self) -> int: ...
    @property
    def fault_field(self) -> int: ...
    def __init__(
        self,
        minimum: Sequence[int],
        maximum: Sequence[int],
        history: int,
        steps: int,
        width: int,
    ) -> None: ...
    def set_length(self, i: int, length: int) -> None: ...
    def offset(self, i: int) -> int: ...
    def length(self, i: int) -> int: ...
    def pack_into(self, buffer: WriteableBuffer, offset: int = 0) -> int: ...
    def unpack_from(self, buffer: ReadableBuffer, offset: int, body_length: int) -> int: ...

class ChunkHead:
    steps: int
    width: int
    capture_ns: int
    queue_us: int
    prepare_us: int
    infer_us: int
    finish_us: int
    total_us: int
    def __init__(self, steps: int = 0, width: int = 0) -> None: ...
    def pack_into(self, buffer: WriteableBuffer, offset: int = 0) -> None: ...
    def unpack_from(
        self, buffer: ReadableBuffer, offset: int, body_length: int, steps: int, width: int
    ) -> int: ...
