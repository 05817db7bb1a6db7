"""Every guard of the motion, what the code looks like without it, and the test that notices.

One guard is taken out at a time. ``text`` must stand in ``file`` exactly once, and each of
``cases`` (names of doctest cases) must turn red: a guard that nothing tests, or a table that the
code has left behind, is an error.
"""

from __future__ import annotations

from typing import NamedTuple


class Guard(NamedTuple):
    name: str
    file: str  # under csrc/
    text: str
    without: str
    cases: tuple[str, ...]


ADMISSION = "control/admission.cpp"
STEPPER = "control/stepper.cpp"
CLOCK = "motion/policy_clock.cpp"
FENCE = "motion/fence.cpp"
LIMITER = "motion/limiter.cpp"
SMOOTH = "motion/smooth.cpp"
SPLICE = "motion/splice.cpp"
BLEND = "motion/blend.cpp"
PROFILE = "motion/speed_profile.cpp"
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
        "if (this->request() == Request::kFinish) return;",
        "",
        ("watch: f asks for the end, and no beat takes that back",),
    ),
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
        "stepper: no more cycles are played than FCI lets pass",
        STEPPER,
        "std::min(lost_cycles(state), kLongestHold_cycles)",
        "lost_cycles(state)",
        ("an arm that counts no cycle, or all there are, does not use up the path",),
    ),
    # ---------------------------------------------------------------- the clock
    Guard(
        "clock: limits are kept by slowing down",
        CLOCK,
        "double allowed = std::sqrt(std::max(0.0, pace.squared_rate));",
        "double allowed = nominal_;",
        ("a path that is too fast is slowed down on, never left",),
    ),
    Guard(
        "clock: an urgent stop brakes",
        CLOCK,
        "if (brake) wanted = std::min(",
        "if (false) wanted = std::min(",
        ("a new epoch in the middle of a motion brakes on the path, and a fresh chunk goes on",),
    ),
    Guard(
        "stepper: a path longer than the profile's window goes on",
        STEPPER,
        "profile().build(path(), clock_.step(), clock_.nominal_rate(), planner_);",
        "",
        ("a chunk longer than the window of the speed profile is followed without a rest",),
    ),
    # ---------------------------------------------------------------- the splice
    Guard(
        "smoothing: noise is taken out before the curve is laid",
        SPLICE,
        "smooth(smoothing, targets.data(), chunk.count);",
        "static_cast<void>(smoothing);",
        ("a policy that trembles by a milliradian is followed at its own pace",),
    ),
    Guard(
        "smoothing: no target moves by more than the tolerance",
        SMOOTH,
        "targets[i][j] = std::clamp(z[i], targets[i][j] - smoothing.tolerance_rad,\n"
        "                                       targets[i][j] + smoothing.tolerance_rad);",
        "targets[i][j] = z[i];",
        ("no target moves by more than the tolerance, whatever the policy says",),
    ),
    Guard(
        "smoothing: the last target is the place to rest at",
        SMOOTH,
        "for (std::size_t i = 0; i + 1 < count; ++i) {\n            targets[i][j] = std::clamp",
        "for (std::size_t i = 0; i < count; ++i) {\n            targets[i][j] = std::clamp",
        ("a line and the last target stay as they are",),
    ),
    Guard(
        "splice: a bridge takes up the difference",
        SPLICE,
        "path.bridge().set(from.step, length, gap.value, gap.slope, gap.curvature);",
        "",
        ("targets that jump at every chunk become motion the arm accepts, by planning alone",),
    ),
    Guard(
        "splice: where the envelope is shut a bridge leaves level",
        SPLICE,
        "} else if (envelope.speed(j, from.reference.q[j], target.d1[j]) <= 0.0) {",
        "} else if (envelope.speed(j, from.reference.q[j], target.d1[j]) < 0.0) {",
        ("a joint where its envelope is shut is not kept there by a corner in its targets",),
    ),
    Guard(
        "splice: a bridge leads nowhere far",
        SPLICE,
        "std::max(longest_bridge(gap.slope, gap.curvature), kShortestBridge_steps), room);",
        "room, room);",
        ("however often targets change, the arm stays where they are",),
    ),
    Guard(
        "splice: only a profile that can be entered is adopted",
        SPLICE,
        "if (from.rate == 0.0) return true;",
        "return true;",
        ("chunks of few actions, with their targets anywhere, are followed by planning alone",),
    ),
    Guard(
        "blend: the old chunk's share fades",
        BLEND,
        "return x * x * (3.0 - 2.0 * x);",
        "return x > 0.0 ? 1.0 : 0.0;",
        (
            "a policy that changes its mind is followed without slowing",
            "LeRobot's weights hold at the splice and fade to the old path's last target",
        ),
    ),
    Guard(
        "blend: a crossfade is cut to the overlap",
        BLEND,
        "std::min(from_step + blend.crossfade_steps, old_last)",
        "from_step + blend.crossfade_steps",
        ("a crossfade is the old path at the splice and the new chunk its length later",),
    ),
    Guard(
        "blend: an offset is gone at the chunk's last action",
        BLEND,
        "(here - at_last) / (1.0 - at_last)",
        "here",
        ("a chunk's last target is the policy's own under every rule, however short it is",),
    ),
    Guard(
        "blend: a splice on the chunk's last action leaves no offset",
        BLEND,
        "at_last < 1.0 ?",
        "at_last < 2.0 ?",
        ("a chunk's last target is the policy's own under every rule, however short it is",),
    ),
    Guard(
        "blend: where the arm rests nothing has another opinion",
        STEPPER,
        "following_ && !void_path_ ? &path() : nullptr;",
        "path().empty() ? nullptr : &path();",
        ("where the arm rests there is nothing to blend: all rules give the same motion",),
    ),
    Guard(
        "profile: every knot is a sample",
        PROFILE,
        "from_ = path.origin() + spacing_ * std::floor((from - path.origin()) / spacing_);",
        "from_ = from;",
        ("the speed profile knows the curvature at every knot, from wherever it is built",),
    ),
    Guard(
        "splice: targets stay where the planner can stop",
        SPLICE,
        "targets[i][j] = inside;",
        "",
        ("targets beyond the range are approached by planning alone",),
    ),
    # ---------------------------------------------------------------- the workspace box
    Guard(
        "stepper: a hand that would leave its box is braked",
        STEPPER,
        "void_path_ = true;\n        ++progress_.fence_stops;",
        "++progress_.fence_stops;",
        ("a policy that dives through the floor rests above it, at every speed and rate",),
    ),
    Guard(
        "stepper: no path is entered at speed that the hand could not be stopped on",
        STEPPER,
        "fence_.admits(next, clock_, planner_)",
        "true",
        ("chunks that dive at once, again and again, do not wear the fence down",),
    ),
    Guard(
        "stepper: where the arm was before a recovery says nothing of where it may be",
        FENCE,
        "least_.fill(Box::kOpen);",
        "",
        ("a curve inward may begin with a ripple, from wherever the arm is put",),
    ),
    Guard(
        "fence: the way to rest is seen in time",
        FENCE,
        "const double way = clock.braking_distance(path, limits);",
        "const double way = 0.5 * clock.braking_distance(path, limits);",
        ("a policy that dives through the floor rests above it, at every speed and rate",),
    ),
    Guard(
        "fence: a new path is looked at all along the way to rest",
        FENCE,
        "constexpr int kLooksAtNew = 16;",
        "constexpr int kLooksAtNew = 1;",
        ("a bulge of a new path is seen before it is reached, though it ends inside",),
    ),
    Guard(
        "fence: the flange stays in the box, too",
        FENCE,
        "out[axis] = std::max(0.0, inner_.outside_along(axis, hand.flange_m));",
        "out[axis] = 0.0;",
        ("the flange is kept in as the tool is",),
    ),
    Guard(
        "fence: each axis for itself",
        FENCE,
        "out[axis + 3] = std::max(0.0, inner_.outside_along(axis, hand.tip_m));",
        "out[axis + 3] = std::max(0.0, inner_.outside(hand.tip_m));",
        ("a hand that is outside may come in, and get no further out along any axis",),
    ),
    Guard(
        "fence: ripples do not add up",
        FENCE,
        "least_[i] = std::min(least_[i], allowed[i]);",
        "least_[i] = allowed[i];",
        ("an arm that starts below the floor may come up, and not go further down",),
    ),
    Guard(
        "clock: braking takes a while to build up",
        CLOCK,
        "ahead.step_ += ahead.rate_ * ramp_s;",
        "",
        ("the way of an urgent stop is never underestimated",),
    ),
    Guard(
        "clock: the last of an urgent stop is a way of its own",
        CLOCK,
        "ahead.step_ + ahead.rate_ * kBrakingTail_s, path.end()",
        "ahead.step_, path.end()",
        ("the way of an urgent stop is never underestimated",),
    ),
    # ---------------------------------------------------------------- the last line
    Guard(
        "limiter: what breaks a limit does not pass",
        LIMITER,
        "joins && std::abs(dddq) <= dddq_max_",
        "true || std::abs(dddq) <= dddq_max_",
        (
            "targets far outside the joint range never break a limit",
            "noise of every size at 1 kHz never breaks a limit",
        ),
    ),
    Guard(
        "limiter: a joint can always still be stopped inside its envelope",
        LIMITER,
        "return speed + kRounding <= envelope_.speed(j, q_[j] + side * way, side);",
        "return true;",
        ("targets far outside the joint range never break a limit",),
    ),
    Guard(
        "limiter: towards both ends",
        LIMITER,
        "return stoppable(j, ddq, 1.0) && stoppable(j, ddq, -1.0);",
        "return stoppable(j, ddq, dq_[j] > 0.0 ? 1.0 : -1.0);",
        ("losses lead no joint back into the closing band that it was leaving",),
    ),
    Guard(
        "limiter: one command may be in force for twenty cycles",
        LIMITER,
        "constexpr double kHold_s = kLongestHold_cycles * kCycle_s;",
        "constexpr double kHold_s = kCycle_s;",
        (
            "one command in twenty is enough to stay inside the limits",
            "losses of any length at any moment lead over no limit",
            "losses lead no joint back into the closing band that it was leaving",
        ),
    ),
    Guard(
        "limiter: and so may the next one, and the one after that",
        LIMITER,
        "push = std::max(push - dddq_max_ * kCycle_s, -ddq_max_);",
        "push = -ddq_max_;",
        ("one command in twenty is enough to stay inside the limits",),
    ),
    Guard(
        "limiter: the envelope is kept now, not only where a hold ends",
        LIMITER,
        "if (!inside(way)) return false;\n    double left_s",
        "double left_s",
        ("the limiter keeps an envelope of its own, inside the arm's, however late it is told",),
    ),
    Guard(
        "limiter: rounding is no speed towards the end of the range",
        LIMITER,
        "constexpr double kRounding = 1e-11;",
        "constexpr double kRounding = 0.0;",
        ("a joint that slows down in the closing band stays so slow that no loss turns it around",),
    ),
    Guard(
        "limiter: a joint that leaves the closing band may slow down in it",
        LIMITER,
        "if (between && stoppable(j, gentle, side)) good = gentle;",
        "",
        ("an arm that is stopped while it leaves the closing band comes to rest in silence",),
    ),
    Guard(
        "limiter: what stands outside of its range stands exactly",
        LIMITER,
        "dq_[j] == 0.0 ? 0.0 : slower",
        "slower",
        ("an arm outside of the user's range stands still, or moves inward only",),
    ),
    Guard(
        "limiter: rounding is no intervention",
        LIMITER,
        "constexpr double kSame_rad = 1e-12;",
        "constexpr double kSame_rad = 0.0;",
        ("an arm that is stopped while it leaves the closing band comes to rest in silence",),
    ),
    Guard(
        "stepper: an arm that came to rest past its path has nowhere to go back to",
        STEPPER,
        "rest_q_ = limiter_.q();",
        "",
        ("an arm that is stopped while it leaves the closing band comes to rest in silence",),
    ),
    Guard(
        "stepper: to be held elsewhere is no speed that is wanted",
        STEPPER,
        "limiter_.settle();",
        "",
        ("an arm that is stopped while it leaves the closing band comes to rest in silence",),
    ),
    Guard(
        "stepper: the limiter judges from where the arm is, to the last digit",
        STEPPER,
        "if (strayed == 0.0 && lost_cycles(state) == 0) return;",
        "if (ours && lost_cycles(state) == 0) return;",
        ("a lost answer is noticed where no speed is allowed, however little it moved the arm",),
    ),
    Guard(
        "limiter: of what is not finite no velocity is taken",
        LIMITER,
        "std::isfinite(wanted_dq)",
        "true",
        ("NaN and infinity are not followed",),
    ),
)
