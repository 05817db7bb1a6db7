/* rt_infer.h: the shared memory region between a robot's network process and its realtime core.
 *
 * Public, C11 and C++. It describes bytes, not behaviour: a tool that only watches maps the region
 * read-only and needs nothing but this header; a controller of your own attaches as the consumer.
 *
 *   offset 0          rti_header              written once by the creator, immutable once published
 *   ring_offset       rti_ring, rti_action[]  actions: network process -> core (SPSC)
 *   mailbox_offset    rti_mailbox, cells      the core's latest state: core -> everyone
 *   stats_offset      rti_stats               counters and histograms of the run: core -> everyone
 *   telemetry_offset  rti_telemetry, slots    one record a cycle: core -> everyone, may be lost
 *
 * rti_region at the end of this file is all of it as one type.
 *
 * Birth. The creator makes the object exclusively, takes flock(LOCK_EX) on its descriptor, sizes it
 * with posix_fallocate, fills the header, and stores `published` last, with release order. An
 * opener loads `published` with acquire order until it is not 0, or gives up. It goes on only if
 * magic, published (= RTI_ABI_VERSION), layout_hash (= RTI_LAYOUT_HASH), total_size and the size of
 * the object are what it expects: no number of the header is used unchecked. `magic` and
 * `published` keep their places in every version.
 *
 * Life. The lock belongs to an open file description that the network process and the core share:
 * the region is alive while anyone holds that lock, and dead when flock(LOCK_SH|LOCK_NB) succeeds
 * for a stranger. Process ids in the header are for messages only.
 *
 * Words. Every field marked (atomic) is a naturally aligned 32- or 64-bit word that is loaded and
 * stored atomically (C11: __atomic builtins, C++: std::atomic_ref). Everything else is written
 * before an (atomic) word is stored with release order, and read after that word was loaded with
 * acquire order.
 *
 * Times. All *_ns are CLOCK_MONOTONIC of the robot's machine.
 */
#ifndef RT_INFER_H
#define RT_INFER_H

#include <stdint.h>

#define RTI_MAGIC 0x005245464e495452u /* "RTINFER\0", little-endian */
#define RTI_ABI_VERSION 1u
#define RTI_LAYOUT_HASH 0x1ad15c2f6c759261u /* checked by csrc/memory/layout.hpp when compiled */

#define RTI_DOF 7u              /* joints of the arm */
#define RTI_MAX_VALUES 16u      /* values one action may carry: joints, then gripper and the like */
#define RTI_MAX_TOOL 9u         /* those beyond the joints */
#define RTI_RING_CAPACITY 1024u /* records; a power of two */
#define RTI_MAX_CHUNK 512u      /* actions of one chunk; half a ring, so that one always fits */
#define RTI_MAILBOX_CELLS 4u    /* a power of two, at least 2 */
#define RTI_TELEMETRY_CAPACITY 16384u /* slots: 16.4 s at 1 kHz; a power of two */
#define RTI_HISTOGRAM_BUCKETS 1280u   /* log-linear, 32 an octave: 3.1 % wide (histogram.hpp) */
#define RTI_MAX_REFLEXES 16u
#define RTI_LINE 128u /* bytes that two CPUs must not share; fixed, since this is an ABI */

/* ------------------------------------------------------------------ header */
typedef struct rti_header {
    uint64_t magic;               /* RTI_MAGIC */
    uint32_t published;           /* (atomic) RTI_ABI_VERSION once all of this is valid, else 0 */
    uint32_t header_size;         /* sizeof(rti_header) */
    uint64_t layout_hash;         /* RTI_LAYOUT_HASH: of every name, offset, size and capacity */
    uint64_t total_size;          /* bytes of the whole region */
    uint64_t generation;          /* rises by one each time this name is created again */
    uint64_t creator_start_ticks; /* field 22 of /proc/PID/stat: tells a reused pid */
    uint32_t creator_pid;
    uint32_t dof; /* RTI_DOF */
    int64_t created_ns;
    uint8_t boot_id[16]; /* of the kernel, /proc/sys/kernel/random/boot_id */
    double fps;          /* policy steps a second */
    uint64_t ring_offset;
    uint64_t mailbox_offset;
    uint64_t stats_offset;
    uint64_t telemetry_offset;
    uint32_t ring_capacity;
    uint32_t action_size; /* sizeof(rti_action) */
    uint32_t mailbox_cells;
    uint32_t mailbox_cell_size; /* sizeof(rti_mailbox_cell) */
    uint32_t telemetry_capacity;
    uint32_t telemetry_slot_size; /* sizeof(rti_telemetry_slot) */
    char robot_id[64];            /* UTF-8, ends with a zero */
    uint8_t pad0[48];
} rti_header;

/* ------------------------------------------------------------------ action ring (SPSC)
 * Free-running 64-bit indices, index & (capacity - 1) is the slot. The producer fills the slots of
 * a whole chunk and then stores write_index once, with release order: a consumer sees all of a
 * chunk or nothing of it. A consumer that attaches starts at write_index: old actions are never
 * executed. */
typedef struct rti_ring {
    uint64_t write_index; /* (atomic) producer: release; consumer: acquire */
    uint64_t rejected;    /* (atomic) pushes refused because the ring was full */
    uint8_t pad0[112];
    uint64_t read_index; /* (atomic) consumer: release, once it has copied; producer: acquire */
    uint8_t pad1[120];
} rti_ring;

enum rti_record_kind {
    RTI_RECORD_ACTION = 1,
    RTI_RECORD_NEW_EPOCH = 2 /* everything queued is void; the core rests and raises its epoch */
};

typedef struct rti_action {
    uint32_t kind;       /* rti_record_kind */
    uint32_t epoch;      /* the epoch the observation was captured in */
    uint64_t chunk_id;   /* rises with every chunk of a run */
    uint32_t index;      /* of this action in its chunk, 0 … count - 1 */
    uint32_t count;      /* actions in the chunk */
    int64_t capture_ns;  /* when the observation's state and images were captured */
    double origin_step;  /* the policy clock at that moment: action i belongs to origin_step + i */
    int64_t received_ns; /* when the network process had the chunk */
    uint32_t dim;        /* values in use: RTI_DOF joint positions [rad], then the tool's */
    uint32_t flags;      /* 0 */
    double values[16];
    uint64_t pad0; /* 0; 192 bytes: no two records share a cache line */
} rti_action;

/* ------------------------------------------------------------------ state mailbox
 * The writer fills cell (n % cells), then stores count = n + 1. The newest complete cell is
 * (count - 1) % cells. A reader loads count, copies the cell, and loads count again: the copy is
 * whole unless the second count is above the first by cells - 1 or more: then the writer may have
 * come round to that cell. A writer that dies in the middle of a cell leaves the one before it
 * complete. Every word is stored with release and loaded with acquire order, so that no fence is
 * needed. */
typedef struct rti_mailbox {
    uint64_t count; /* (atomic) states published since the start */
    uint8_t pad0[120];
} rti_mailbox;

enum rti_phase {
    RTI_PHASE_STARTING = 0,
    RTI_PHASE_HOLD = 1,     /* at rest, waiting for an admissible chunk */
    RTI_PHASE_FOLLOW = 2,   /* on the path */
    RTI_PHASE_BRAKE = 3,    /* to rest along the path: stop, pause, new epoch, stale heartbeat */
    RTI_PHASE_FINISHED = 4, /* motion ended in order */
    RTI_PHASE_FAULT = 5     /* the arm stopped by itself */
};

enum rti_refusal {
    RTI_ADMITTED = 0,
    RTI_REFUSED_EPOCH = 1,      /* its observation belongs to an older epoch */
    RTI_REFUSED_AGE = 2,        /* its observation is further than max_age from now */
    RTI_REFUSED_ORDER = 3,      /* its observation is not newer than the one last admitted */
    RTI_REFUSED_NOT_FINITE = 4, /* NaN or infinity */
    RTI_REFUSED_START = 5,      /* its first target is further away than max_start_distance */
    RTI_REFUSED_LATE = 6,       /* every step of it was already behind the policy clock */
    RTI_REFUSED_MALFORMED = 7,  /* dim, count or index make no chunk */
    RTI_REFUSED_STOPPING = 8,   /* the core was asked to stop, or its heartbeat is stale */
    RTI_REFUSED_FENCE = 9,      /* it leads the hand out of its box, from where the arm rests */
    RTI_REFUSALS = 10
};

typedef struct rti_state {
    uint64_t cycle;
    int64_t time_ns;        /* when this state was received from the arm */
    double policy_step;     /* the policy clock */
    double policy_rate;     /* its speed, steps/s */
    double steps_queued;    /* what is left of the chunk admitted last, steps; 0 if void */
    int64_t epoch_since_ns; /* observations captured before this are void */
    uint32_t epoch;
    uint32_t phase;        /* rti_phase */
    uint32_t reflex;       /* rti::Reflex of arms/arm.hpp; 0 = none */
    uint32_t last_refusal; /* rti_refusal of the last chunk that was refused */
    uint64_t chunk_id;     /* the chunk being followed; 0 = none yet */
    uint64_t chunks_admitted;
    uint64_t chunks_refused;
    double start_distance_rad; /* of the last chunk refused for RTI_REFUSED_START */
    double q[7];               /* measured [rad] */
    double dq[7];              /* measured [rad/s] */
    double q_command[7];       /* last command [rad] */
    double tool[9];            /* tool values of the newest action whose step has come */
    uint32_t tool_values;      /* how many of them are in use; 0: none of this epoch has come yet */
    uint32_t pad0;
} rti_state;

typedef struct rti_mailbox_cell {
    uint64_t words[43]; /* (atomic) an rti_state */
    uint64_t pad0[5];
} rti_mailbox_cell;

/* ------------------------------------------------------------------ run statistics
 * Written by the core only, one whole field at a time, relaxed (every field is (atomic)); complete
 * whatever the telemetry ring loses. */
typedef struct rti_histogram {
    uint64_t count;         /* (atomic) */
    uint64_t max_ns;        /* (atomic) */
    uint64_t sum_ns;        /* (atomic) */
    uint64_t buckets[1280]; /* (atomic) */
} rti_histogram;

typedef struct rti_stats {
    uint64_t cycles;
    uint64_t late_cycles;  /* cycles the arm went on without us (elapsed_cycles above 1) */
    uint64_t minor_faults; /* of the loop's thread, since the warm-up */
    uint64_t major_faults;
    uint64_t holds;   /* times the path ran dry and the arm came to rest */
    uint64_t held_ns; /* time at rest after the first chunk */
    uint64_t chunks_received;
    uint64_t refused[10]; /* by rti_refusal */
    uint64_t late_steps;  /* actions dropped because the clock had passed them */
    uint64_t splices;
    uint64_t bridges_lengthened;    /* splices that needed more than the first choice of bridge */
    uint64_t splices_delayed;       /* splices that had to wait while the old path slowed */
    uint64_t waypoints_clamped;     /* targets moved inside the joint range */
    uint64_t reseeds;               /* times the reference was taken again from the arm */
    uint64_t limiter_interventions; /* cycles in which the limiter changed the command */
    uint64_t slowed_ns;             /* time in which the path, not fps, set the clock's pace */
    uint64_t fence_stops;           /* times the arm rested before the hand left its box */
    uint64_t followed_cycles;       /* cycles on a path */
    double steps_executed;
    double splice_jump_max_rad; /* greatest change of the reference that a splice had to take up */
    double policy_distance_squared_sum; /* command to the policy's own actions, worst joint, over
                                           the followed cycles [rad²] */
    double jerk_squared_sum;  /* of the commands: mean over the joints, over all cycles [rad²/s⁶] */
    double lost_to_slowing_s; /* by which the clock fell behind its nominal rate while following */
    double velocity_ratio_max; /* commanded over limit, worst joint and cycle, as the arm saw it */
    double acceleration_ratio_max;
    double jerk_ratio_max;
    uint32_t scheduling_policy; /* SCHED_OTHER 0, SCHED_FIFO 1: read back from the loop's thread */
    uint32_t scheduling_priority;
    int32_t cpu; /* the one CPU it is bound to; -1 = any */
    uint32_t memory_locked;
    uint32_t outcome;  /* rti_phase at the end: FINISHED or FAULT; else it was cut off */
    uint32_t reflexes; /* how many of the following are set */
    uint32_t reflex_code[16];
    uint64_t reflex_cycle[16];
    rti_histogram period;    /* from one state's reception to the next */
    rti_histogram wake_late; /* reception after the arm's own grid, where the arm has one */
    rti_histogram response;  /* state received -> command written */
    rti_histogram step;      /* the whole step with the planning after the write */
    rti_histogram splice;    /* chunk received by the network process -> followed */
    uint8_t pad0[24];
} rti_stats;

/* ------------------------------------------------------------------ telemetry
 * Slot n % capacity holds record n. The writer stores sequence = 2n + 1, the words, sequence = 2n +
 * 2, all with release order, and then count = n + 1. A reader that keeps a cursor n copies the
 * words with acquire order and takes them only if sequence was 2n + 2 before and after; anything
 * else means that the record is lost. Nobody ever waits. */
typedef struct rti_telemetry {
    uint64_t count; /* (atomic) records written since the start */
    uint8_t pad0[120];
} rti_telemetry;

enum rti_telemetry_flags {
    RTI_CYCLE_SPLICED = 1,  /* a new chunk was adopted in this cycle */
    RTI_CYCLE_LIMITED = 2,  /* the limiter changed the command */
    RTI_CYCLE_RESEEDED = 4, /* the reference was taken again from the arm */
    RTI_CYCLE_SLOWED = 8,   /* the policy clock ran below its nominal rate */
    RTI_CYCLE_REFUSED = 16  /* a chunk was refused in this cycle */
};

typedef struct rti_record {
    uint64_t cycle;
    int64_t time_ns; /* when the state was received */
    double policy_step;
    double policy_rate; /* steps/s */
    uint64_t chunk_id;
    uint32_t epoch;
    uint16_t phase;
    uint16_t flags; /* rti_telemetry_flags */
    uint32_t wake_late_ns;
    uint32_t response_ns;
    uint64_t elapsed_cycles;
    double q_command[7]; /* rad */
    double q[7];         /* rad, measured */
    /* With the ring's records, the rest of what a cycle was decided by: it can be played again. */
    double q_d[7]; /* as the arm had the command before [rad, rad/s, rad/s²] */
    double dq_d[7];
    double ddq_d[7];
    uint64_t ring_index; /* of the ring, once this cycle had drained it; the first drains none */
    uint32_t request;    /* rti::Request of control/stepper.hpp */
    uint32_t pad0;
} rti_record;

typedef struct rti_telemetry_slot {
    uint64_t sequence;  /* (atomic) */
    uint64_t words[45]; /* (atomic) an rti_record */
    uint64_t pad0[2];
} rti_telemetry_slot;

/* ------------------------------------------------------------------ the whole region
 * Every part begins at a multiple of RTI_LINE. */
typedef struct rti_region {
    rti_header header;
    rti_ring ring;
    rti_action actions[1024];
    rti_mailbox mailbox;
    rti_mailbox_cell cells[4];
    rti_stats stats;
    rti_telemetry telemetry;
    rti_telemetry_slot slots[16384];
} rti_region;

#endif
