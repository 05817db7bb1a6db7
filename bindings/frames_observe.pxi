"""The fixed part and the table of an OBSERVE body (docs/protocol.md, section 5.1)."""

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

assert sizeof(ObserveBytes) == 32

OBSERVE_HEAD_SIZE = sizeof(ObserveBytes)


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
