# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The codec of the wire's fixed parts (docs/protocol.md): header, OBSERVE, CHUNK.

Each object holds the fields of one frame and is used again for the next: it packs into and unpacks
from memory that the caller owns, and nothing here allocates once an object is made. Unpacking
reports a `Fault`, never an exception: what comes from the wire is data, and a stranger's bytes are
no reason to build a traceback. `rt_infer.wire.frames` turns faults into sentences.

A call raises only for the caller's own mistakes: ValueError when a buffer is too short,
OverflowError when a value does not fit its field.

An object belongs to one thread at a time.
"""
import sys

from cpython.buffer cimport (
    PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer,
)
from libc.math cimport isfinite
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

if sys.byteorder != "little":
    raise ImportError("rt-infer's frames are little-endian and this machine is not.")

cpdef enum Fault:
    """Why bytes from the wire were refused; 0 is none."""
    NONE = 0
    # header, in the order in which they are looked for
    MAGIC = 1
    CHECK = 2
    VERSION = 3
    KIND = 4
    FLAGS = 5
    STEP = 6
    TOO_LARGE = 7
    # OBSERVE
    HISTORY = 16
    FIELD_COUNT = 17
    FIELD_LENGTH = 18
    PREFIX = 19
    BODY_LENGTH = 20
    NOT_FINITE = 21
    OBSERVE_FLAGS = 22
    # CHUNK
    SHAPE = 32
    DTYPE = 33


# The C views of the tables in docs/protocol.md. `packed`: the offsets are the page's, not the ABI's.
cdef packed struct HeaderBytes:
    uint32_t magic
    uint8_t version
    uint8_t kind
    uint16_t flags
    uint32_t body_length
    uint32_t session
    uint64_t sequence
    uint64_t reply_to
    uint32_t epoch
    uint32_t reserved0
    double policy_step
    int64_t send_ns
    uint32_t reserved1
    uint32_t check

cdef packed struct ObserveBytes:
    int64_t capture_ns
    uint32_t slack_us
    uint16_t flags
    uint16_t history
    uint16_t field_count
    uint16_t delay_steps
    uint16_t prefix_steps
    uint16_t prefix_width
    uint64_t reserved

cdef packed struct ChunkBytes:
    uint32_t steps
    uint16_t width
    uint8_t dtype
    uint8_t reserved0
    int64_t capture_ns
    uint32_t queue_us
    uint32_t prepare_us
    uint32_t infer_us
    uint32_t finish_us
    uint32_t total_us
    uint8_t reserved1[28]

assert sizeof(HeaderBytes) == 64 and sizeof(ObserveBytes) == 32 and sizeof(ChunkBytes) == 64

cdef uint32_t C_MAGIC = 0x46495452u
cdef uint8_t C_VERSION = 1
cdef uint8_t C_FLOAT32 = 1

PROTOCOL_MAGIC = C_MAGIC
PROTOCOL_VERSION = C_VERSION
HEADER_SIZE = sizeof(HeaderBytes)
OBSERVE_HEAD_SIZE = sizeof(ObserveBytes)
CHUNK_HEAD_SIZE = sizeof(ChunkBytes)
ALIGNMENT = 64

cdef uint32_t crc_table[256]

cdef void fill_crc_table() noexcept:
    cdef uint32_t n, k, c
    for n in range(256):
        c = n
        for k in range(8):
            c = (c >> 1) ^ (0xEDB88320u if c & 1 else 0)
        crc_table[n] = c

fill_crc_table()


cdef inline uint32_t crc32(const uint8_t* data, size_t size) noexcept nogil:
    cdef uint32_t c = 0xFFFFFFFFu
    cdef size_t i
    for i in range(size):
        c = crc_table[(c ^ data[i]) & 0xFF] ^ (c >> 8)
    return c ^ 0xFFFFFFFFu


cdef inline uint64_t up(uint64_t x) noexcept nogil:
    """x rounded up to a multiple of 64."""
    return (x + 63) & ~<uint64_t>63


cdef inline bint finite_at(const uint8_t* data, size_t count) noexcept nogil:
    """Whether `count` f32 at `data`, which need not be aligned, are all finite."""
    cdef size_t i
    cdef float value
    for i in range(count):
        memcpy(&value, data + 4 * i, 4)
        if not isfinite(value):
            return False
    return True


def all_finite(buffer):
    """Whether every f32 in a contiguous buffer is finite."""
    cdef Py_buffer view
    PyObject_GetBuffer(buffer, &view, PyBUF_SIMPLE)
    cdef bint finite = finite_at(<uint8_t*>view.buf, view.len // 4)
    PyBuffer_Release(&view)
    return finite


cdef inline uint8_t* hold(object buffer, Py_buffer* view, size_t offset, size_t size,
                          int flags) except NULL:
    """The bytes [offset, offset + size) of `buffer`, held until PyBuffer_Release(view)."""
    PyObject_GetBuffer(buffer, view, flags)
    if offset > <size_t>view.len or size > <size_t>view.len - offset:
        length = view.len
        PyBuffer_Release(view)
        raise ValueError(f"The buffer has {length} bytes; {size} are needed at offset {offset}.")
    return <uint8_t*>view.buf + offset


cdef class Header:
    """The 64 bytes in front of every body.

    `limits` says what a receiver takes: kind number to its greatest body_length. A kind that is not
    in it is a Fault.KIND; `set_limit` changes one later, when more is known. A Header that only
    packs needs none.
    """
    cdef int64_t limit[256]  # -1: the kind is not taken
    cdef public uint8_t kind
    cdef public uint8_t version
    cdef public uint16_t flags
    cdef public uint32_t body_length
    cdef public uint32_t session
    cdef public uint64_t sequence
    cdef public uint64_t reply_to
    cdef public uint32_t epoch
    cdef public double policy_step
    cdef public int64_t send_ns

    def __init__(self, limits=None):
        cdef int kind
        for kind in range(256):
            self.limit[kind] = -1
        self.version = C_VERSION
        for k, body_length in (limits or {}).items():
            self.set_limit(k, body_length)

    def set_limit(self, uint8_t kind, uint32_t body_length):
        """Take frames of this kind, with bodies of at most `body_length` bytes."""
        self.limit[kind] = body_length

    def pack_into(self, buffer, size_t offset=0):
        """Write the fields as 64 bytes with their check; `version` too, as it stands."""
        cdef Py_buffer view
        cdef HeaderBytes raw
        memset(&raw, 0, sizeof(raw))
        raw.magic = C_MAGIC
        raw.version = self.version
        raw.kind = self.kind
        raw.flags = self.flags
        raw.body_length = self.body_length
        raw.session = self.session
        raw.sequence = self.sequence
        raw.reply_to = self.reply_to
        raw.epoch = self.epoch
        raw.policy_step = self.policy_step
        raw.send_ns = self.send_ns
        raw.check = crc32(<uint8_t*>&raw, 60)
        cdef uint8_t* place = hold(buffer, &view, offset, sizeof(raw), PyBUF_WRITABLE)
        memcpy(place, &raw, sizeof(raw))
        PyBuffer_Release(&view)

    def unpack_from(self, buffer, size_t offset=0):
        """Read 64 bytes into the fields and check them; the Fault found, NONE if none.

        The fields are set even when a fault is found: `version` names what a stranger speaks.
        """
        cdef Py_buffer view
        cdef HeaderBytes raw
        cdef uint8_t* place = hold(buffer, &view, offset, sizeof(raw), PyBUF_SIMPLE)
        memcpy(&raw, place, sizeof(raw))
        PyBuffer_Release(&view)
        self.version = raw.version
        self.kind = raw.kind
        self.flags = raw.flags
        self.body_length = raw.body_length
        self.session = raw.session
        self.sequence = raw.sequence
        self.reply_to = raw.reply_to
        self.epoch = raw.epoch
        self.policy_step = raw.policy_step
        self.send_ns = raw.send_ns
        if raw.magic != C_MAGIC:
            return <int>Fault.MAGIC
        if raw.check != crc32(<uint8_t*>&raw, 60):
            return <int>Fault.CHECK
        if raw.version != C_VERSION:
            return <int>Fault.VERSION
        if self.limit[raw.kind] < 0:
            return <int>Fault.KIND
        if raw.flags & 0xFF00:
            return <int>Fault.FLAGS
        if not isfinite(raw.policy_step):
            return <int>Fault.STEP
        if raw.body_length > <uint64_t>self.limit[raw.kind]:
            return <int>Fault.TOO_LARGE
        return <int>Fault.NONE


cdef class ObserveHead:
    """The fixed part and the table of an OBSERVE body, for one agreed observation.

    minimum, maximum: bytes of each field of one moment, in order; field 0 is the state (f32).
    history: moments in one observation. steps, width: T and A, which bound the prefix.

    After `pack_into` or a faultless `unpack_from`, `offset(i)` and `length(i)` say where field i
    lies in the body, i in 0 … history * fields - 1, the oldest moment first.
    """
    cdef uint32_t* minimum
    cdef uint32_t* maximum
    cdef uint32_t* lengths
    cdef uint64_t* offsets
    cdef readonly uint32_t fields
    cdef readonly uint32_t count
    cdef readonly uint16_t history
    cdef readonly uint32_t steps
    cdef readonly uint16_t width
    cdef readonly uint64_t greatest_body_length
    cdef readonly uint64_t body_length
    cdef readonly uint64_t prefix_offset
    cdef readonly uint32_t fault_field
    cdef public int64_t capture_ns
    cdef public uint32_t slack_us
    cdef public uint16_t delay_steps
    cdef public uint16_t prefix_steps

    def __cinit__(self, minimum, maximum, uint16_t history, uint32_t steps, uint16_t width):
        cdef uint32_t i
        if not 0 < len(minimum) == len(maximum) or history < 1:
            raise ValueError("An observation needs fields, a minimum and a maximum for each, and "
                             "a history of at least 1.")
        if len(minimum) * history > 0xFFFF:
            raise ValueError("An observation holds at most 65535 fields.")
        self.fields = len(minimum)
        self.count = self.fields * history
        self.history = history
        self.steps = steps
        self.width = width
        self.minimum = <uint32_t*>calloc(self.fields, sizeof(uint32_t))
        self.maximum = <uint32_t*>calloc(self.fields, sizeof(uint32_t))
        self.lengths = <uint32_t*>calloc(self.count, sizeof(uint32_t))
        self.offsets = <uint64_t*>calloc(self.count, sizeof(uint64_t))
        if not (self.minimum and self.maximum and self.lengths and self.offsets):
            raise MemoryError
        for i in range(self.fields):
            self.minimum[i] = minimum[i]
            self.maximum[i] = maximum[i]
        cdef uint64_t place = up(sizeof(ObserveBytes) + 4 * self.count)
        place = up(place + 4 * <uint64_t>steps * width)
        for i in range(self.count):
            self.lengths[i] = self.minimum[i % self.fields]
            self.greatest_body_length = place + self.maximum[i % self.fields]
            place = up(self.greatest_body_length)

    def __dealloc__(self):
        free(self.minimum)
        free(self.maximum)
        free(self.lengths)
        free(self.offsets)

    cdef void lay_out(self) noexcept nogil:
        """Set prefix_offset, offsets and body_length from prefix_steps and lengths."""
        cdef uint32_t i
        cdef uint64_t place = up(sizeof(ObserveBytes) + 4 * self.count)
        self.prefix_offset = place
        place = up(place + 4 * <uint64_t>self.prefix_steps * self.width)
        for i in range(self.count):
            self.offsets[i] = place
            self.body_length = place + self.lengths[i]
            place = up(self.body_length)

    def set_length(self, uint32_t i, uint32_t length):
        """Say how long field i is, before `pack_into`; it stays so for later frames."""
        if i >= self.count or not (self.minimum[i % self.fields] <= length
                                   <= self.maximum[i % self.fields]):
            raise ValueError(f"Field {i} of an observation cannot have {length} bytes.")
        self.lengths[i] = length

    def offset(self, uint32_t i):
        """Where field i starts, in bytes from the body's start; a multiple of 64."""
        if i >= self.count:
            raise IndexError(i)
        return self.offsets[i]

    def length(self, uint32_t i):
        """Bytes of field i."""
        if i >= self.count:
            raise IndexError(i)
        return self.lengths[i]

    def pack_into(self, buffer, size_t offset=0):
        """Write fixed part and table; the body_length that follows from the lengths.

        Writes 32 + 4 * count bytes. A length that was never set is its field's minimum.
        """
        cdef Py_buffer view
        cdef ObserveBytes raw
        cdef size_t table = 4 * <size_t>self.count
        memset(&raw, 0, sizeof(raw))
        raw.capture_ns = self.capture_ns
        raw.slack_us = self.slack_us
        raw.history = self.history
        raw.field_count = <uint16_t>self.count
        raw.delay_steps = self.delay_steps
        raw.prefix_steps = self.prefix_steps
        raw.prefix_width = self.width if self.prefix_steps else 0
        cdef uint8_t* place = hold(buffer, &view, offset, sizeof(raw) + table, PyBUF_WRITABLE)
        memcpy(place, &raw, sizeof(raw))
        memcpy(place + sizeof(raw), self.lengths, table)
        PyBuffer_Release(&view)
        self.lay_out()
        return self.body_length

    def unpack_from(self, buffer, size_t offset, size_t body_length):
        """Read and check a whole body of `body_length` bytes; the Fault found, NONE if none.

        After FIELD_LENGTH or NOT_FINITE, `fault_field` is the field's number (`count`: the prefix).
        """
        cdef Py_buffer view
        cdef uint8_t* body = hold(buffer, &view, offset, body_length, PyBUF_SIMPLE)
        cdef Fault fault = self.check(body, body_length)
        PyBuffer_Release(&view)
        return <int>fault

    cdef Fault check(self, const uint8_t* body, size_t body_length) noexcept nogil:
        cdef ObserveBytes raw
        cdef uint32_t i, moment
        if body_length < sizeof(raw) + 4 * <size_t>self.count:
            return Fault.BODY_LENGTH
        memcpy(&raw, body, sizeof(raw))
        self.capture_ns = raw.capture_ns
        self.slack_us = raw.slack_us
        self.delay_steps = raw.delay_steps
        self.prefix_steps = raw.prefix_steps
        if raw.flags != 0:
            return Fault.OBSERVE_FLAGS
        if raw.history != self.history:
            return Fault.HISTORY
        if raw.field_count != self.count:
            return Fault.FIELD_COUNT
        if raw.prefix_steps > self.steps or raw.prefix_width != (
                self.width if raw.prefix_steps else 0):
            return Fault.PREFIX
        memcpy(self.lengths, body + sizeof(raw), 4 * <size_t>self.count)
        for i in range(self.count):
            if not self.minimum[i % self.fields] <= self.lengths[i] <= self.maximum[i % self.fields]:
                self.fault_field = i
                return Fault.FIELD_LENGTH
        self.lay_out()
        if self.body_length != body_length:
            return Fault.BODY_LENGTH
        if not finite_at(body + self.prefix_offset, <size_t>raw.prefix_steps * raw.prefix_width):
            self.fault_field = self.count
            return Fault.NOT_FINITE
        for moment in range(self.history):
            i = moment * self.fields
            if not finite_at(body + self.offsets[i], self.lengths[i] // 4):
                self.fault_field = i
                return Fault.NOT_FINITE
        return Fault.NONE


cdef class ChunkHead:
    """The fixed part of a CHUNK body: its shape and the server's stage times in µs."""
    cdef public uint32_t steps
    cdef public uint16_t width
    cdef public int64_t capture_ns
    cdef public uint32_t queue_us
    cdef public uint32_t prepare_us
    cdef public uint32_t infer_us
    cdef public uint32_t finish_us
    cdef public uint32_t total_us

    def __init__(self, uint32_t steps=0, uint16_t width=0):
        self.steps = steps
        self.width = width

    def pack_into(self, buffer, size_t offset=0):
        """Write the 64 bytes in front of the actions."""
        cdef Py_buffer view
        cdef ChunkBytes raw
        memset(&raw, 0, sizeof(raw))
        raw.steps = self.steps
        raw.width = self.width
        raw.dtype = C_FLOAT32
        raw.capture_ns = self.capture_ns
        raw.queue_us = self.queue_us
        raw.prepare_us = self.prepare_us
        raw.infer_us = self.infer_us
        raw.finish_us = self.finish_us
        raw.total_us = self.total_us
        cdef uint8_t* place = hold(buffer, &view, offset, sizeof(raw), PyBUF_WRITABLE)
        memcpy(place, &raw, sizeof(raw))
        PyBuffer_Release(&view)

    def unpack_from(self, buffer, size_t offset, size_t body_length, uint32_t steps, uint16_t width):
        """Read and check a whole body against the agreed shape (steps, width); the Fault found."""
        cdef Py_buffer view
        cdef ChunkBytes raw
        cdef Fault fault = Fault.NONE
        cdef size_t values = <size_t>steps * width
        cdef uint8_t* body = hold(buffer, &view, offset, body_length, PyBUF_SIMPLE)
        if body_length < sizeof(raw):
            fault = Fault.BODY_LENGTH
        else:
            memcpy(&raw, body, sizeof(raw))
            self.steps = raw.steps
            self.width = raw.width
            self.capture_ns = raw.capture_ns
            self.queue_us = raw.queue_us
            self.prepare_us = raw.prepare_us
            self.infer_us = raw.infer_us
            self.finish_us = raw.finish_us
            self.total_us = raw.total_us
            if raw.dtype != C_FLOAT32:
                fault = Fault.DTYPE
            elif raw.steps != steps or raw.width != width:
                fault = Fault.SHAPE
            elif body_length != sizeof(raw) + 4 * values:
                fault = Fault.BODY_LENGTH
            elif not finite_at(body + sizeof(raw), values):
                fault = Fault.NOT_FINITE
        PyBuffer_Release(&view)
        return <int>fault
