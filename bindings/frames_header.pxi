"""The header: 64 bytes in front of every body, with their check (docs/protocol.md, section 2)."""

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

assert sizeof(HeaderBytes) == 64

cdef uint32_t C_MAGIC = 0x46495452u
cdef uint8_t C_VERSION = 1

PROTOCOL_MAGIC = C_MAGIC
PROTOCOL_VERSION = C_VERSION
HEADER_SIZE = sizeof(HeaderBytes)

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
