"""What begins an epoch, what brings the arm to rest, and what a lost packet changes."""

from __future__ import annotations

from guards.guard import Guard

STEPPER = "control/stepper.cpp"
DETOUR = "motion/detour.cpp"

GUARDS = (
    # ---------------------------------------------------------------- epochs and ways to rest
    Guard(
        "stepper: a new epoch makes the path void",
        STEPPER,
        "void_path_ = following_;",
        "",
        ("a new epoch in the middle of a motion brakes on the path, and a fresh chunk goes on",),
    ),
    Guard(
        "stepper: a new epoch drops the chunk that waits",
        STEPPER,
        "admission_.begin_epoch();\n    has_pending_ = false;",
        "admission_.begin_epoch();",
        ("a chunk that is admitted just before the epoch rises moves nothing",),
    ),
    Guard(
        "stepper: the heartbeat's return is a new epoch",
        STEPPER,
        "if (request_ == Request::kRest && request == Request::kFollow) begin_epoch();",
        "",
        ("a stale heartbeat rests the arm on its path; its return wants a fresh observation",),
    ),
    Guard(
        "stepper: a request to rest brakes",
        STEPPER,
        "braking_ = void_path_ || waiting_to_splice_ || request != Request::kFollow;",
        "braking_ = void_path_ || waiting_to_splice_;",
        ("a stale heartbeat brakes at once, not at the end of the path",),
    ),
    Guard(
        "stepper: motion_finished only at rest",
        STEPPER,
        "request == Request::kFinish && still;",
        "request == Request::kFinish;",
        ("a finish request rests first and then ends the motion, accepted by the arm",),
    ),
    # ---------------------------------------------------------------- lost packets
    Guard(
        "stepper: reseed after lost packets",
        STEPPER,
        "limiter_.seed(state.q_d, state.dq_d, state.ddq_d);\n    if (ours",
        "if (ours",
        ("lost packets at every phase of a motion are bridged, never caught up",),
    ),
    Guard(
        "stepper: an arm that is not where it was told to be was not told",
        STEPPER,
        "constexpr double kSamePosition_rad = 1e-8;",
        "constexpr double kSamePosition_rad = 1.0;",
        ("a lost answer that moves the arm by less than a microradian is noticed",),
    ),
    Guard(
        "stepper: a detour leads back onto the path",
        STEPPER,
        "detour_.add_to(point);",
        "",
        ("lost packets are bridged by planning alone",),
    ),
    Guard(
        "detour: an acceleration is shed at once, however long the way",
        DETOUR,
        "way_.set(0.0, length_s, value, slope, {});\n"
        "    shedding_.set(0.0, kShedding_s, {}, {}, curvature);",
        "way_.set(0.0, length_s, value, slope, curvature);\n    shedding_.clear();",
        (
            "packets that get lost on the way back, again and again, lead no further astray",
            "an acceleration that a loss has left behind is shed at once, however long the way",
        ),
    ),
    Guard(
        "stepper: no more cycles are played than FCI lets pass",
        STEPPER,
        "std::min(lost_cycles(state), kLongestHold_cycles)",
        "lost_cycles(state)",
        ("an arm that counts no cycle, or all there are, does not use up the path",),
    ),
)
