"""Which chunk may move the arm, and what a heartbeat says about any of them."""

from __future__ import annotations

from guards.guard import Guard

ADMISSION = "control/admission.cpp"
WATCH = "control/watch.cpp"

GUARDS = (
    # ---------------------------------------------------------------- which chunk may move the arm
    Guard(
        "admission: a chunk is whole",
        ADMISSION,
        "if (!chunk.well_formed) return RTI_REFUSED_MALFORMED;",
        "",
        ("a chunk with NaN, infinity or a wrong shape is refused whole",),
    ),
    Guard(
        "admission: a chunk is finite",
        ADMISSION,
        "if (!chunk.finite) return RTI_REFUSED_NOT_FINITE;",
        "",
        ("a chunk with NaN, infinity or a wrong shape is refused whole",),
    ),
    Guard(
        "admission: nothing while stopping",
        ADMISSION,
        "if (moment.stopping) return RTI_REFUSED_STOPPING;",
        "",
        ("a stale heartbeat rests the arm on its path; its return wants a fresh observation",),
    ),
    Guard(
        "admission: of the present epoch",
        ADMISSION,
        "chunk.epoch != epoch_ || ",
        "",
        ("a chunk that names another epoch moves nothing, however fresh its observation",),
    ),
    Guard(
        "admission: captured since the epoch began",
        ADMISSION,
        " || chunk.capture_ns < epoch_since_ns_",
        "",
        ("an observation captured before the epoch began moves nothing, whatever epoch it claims",),
    ),
    Guard(
        "admission: an epoch begins no earlier than its first cycle",
        ADMISSION,
        "epoch_since_ns_ = kNotYet_ns;",
        "",
        ("an observation captured before the epoch began moves nothing, whatever epoch it claims",),
    ),
    Guard(
        "admission: not too old",
        ADMISSION,
        "std::abs(age_ns)",
        "-age_ns",
        ("an observation older than max_age is refused",),
    ),
    Guard(
        "admission: not of the future",
        ADMISSION,
        "std::abs(age_ns)",
        "age_ns",
        ("an observation of the future is refused, and makes no later one old",),
    ),
    Guard(
        "admission: newer than the one before",
        ADMISSION,
        "if (chunk.capture_ns <= last_capture_ns_) return RTI_REFUSED_ORDER;",
        "",
        ("a chunk whose observation is not newer than the last admitted one is refused",),
    ),
    Guard(
        "admission: something of it lies ahead",
        ADMISSION,
        "consumed >= chunk.count || ",
        "",
        ("a chunk of which nothing lies ahead does not displace one that waits",),
    ),
    Guard(
        "admission: it does not begin ahead of the clock",
        ADMISSION,
        " || consumed < 0.0",
        "",
        ("a chunk whose first step the clock has not reached is refused",),
    ),
    Guard(
        "admission: the first target is near",
        ADMISSION,
        "if (away_rad > rules_.max_start_distance_rad) {",
        "if (false) {",
        ("a first target too far from the arm is refused, and says how far it was",),
    ),
    Guard(
        "stepper: the start is behind us once a path is followed, not before",
        ADMISSION,
        "last_capture_ns_ = chunk.capture_ns;",
        "last_capture_ns_ = chunk.capture_ns; at_the_start_ = false;",
        ("an admitted chunk that was never followed leaves the start to be checked",),
    ),
    # ---------------------------------------------------------------- what the heartbeat says
    Guard(
        "watch: a pause is rest",
        WATCH,
        "heard.find('p') != heard.npos ? Request::kRest : Request::kFollow",
        "Request::kFollow",
        ("watch: a paused heart asks for rest as long as it says so",),
    ),
    Guard(
        "watch: a pause among other beats is not passed over",
        WATCH,
        "heard.find('p') != heard.npos",
        "heard.back() == 'p'",
        ("watch: a pause that is over when it is heard still asks for rest",),
    ),
    Guard(
        "watch: silence is rest",
        WATCH,
        "if (!finishing && !fresh) ask(Request::kRest);",
        "",
        ("watch: a silent heart asks for rest, and a beat takes that back",),
    ),
    Guard(
        "watch: there is no way back from the end",
        WATCH,
        "if (before == Request::kFinish) return;",
        "",
        ("watch: f asks for the end, and no beat takes that back",),
    ),
)
