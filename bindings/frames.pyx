# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The codec of the wire's fixed parts (docs/protocol.md): header, OBSERVE, CHUNK.

Each object holds the fields of one frame and is used again for the next: it packs into and unpacks
from memory that the caller owns, and nothing here allocates once an object is made. Unpacking
reports a `Fault`, never an exception: what comes from the wire is data, and a stranger's bytes are
no reason to build a traceback. `rt_infer.wire.frames` turns faults into sentences.

A call raises only for the caller's own mistakes: ValueError when a buffer is too short,
OverflowError when a value does not fit its field.

An object belongs to one thread at a time.

One extension in four files: what all frames need is here, and each fixed part has a file of its own
with its bytes and its class. The structs are C views of the page's tables; `packed`, since their
offsets are the page's and not the ABI's.
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


ALIGNMENT = 64

include "frames_header.pxi"
include "frames_observe.pxi"
include "frames_chunk.pxi"
