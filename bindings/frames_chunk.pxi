"""The fixed part of a CHUNK body (docs/protocol.md, section 5.2)."""

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

assert sizeof(ChunkBytes) == 64

cdef uint8_t C_FLOAT32 = 1

CHUNK_HEAD_SIZE = sizeof(ChunkBytes)


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
