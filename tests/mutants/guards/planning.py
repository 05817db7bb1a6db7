"""The clock along the path, and the splice from one path to the next."""

from __future__ import annotations

from guards.guard import Guard

STEPPER = "control/stepper.cpp"
CLOCK = "motion/policy_clock.cpp"
SMOOTH = "motion/smooth.cpp"
SPLICE = "motion/splice.cpp"
BLEND = "motion/blend.cpp"
PROFILE = "motion/speed_profile.cpp"

GUARDS = (
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
        "path.bridge().set(from.step, length, gap.value, gap.slope, gap.curvature);\n"
        "    if (from.rate == 0.0)",
        "if (from.rate == 0.0)",
        ("targets that jump at every chunk become motion the arm accepts, by planning alone",),
    ),
    Guard(
        "splice: near the end of its range a joint that rests goes straight to the chunk",
        SPLICE,
        "if (from.rate == 0.0) straighten(path, from, length, envelope, gap);",
        "",
        (
            "a joint where its envelope is shut is not kept there by a corner in its targets",
            "from wherever an arm stands near a joint's end a curve that begins outward is "
            "followed",
        ),
    ),
    Guard(
        "path: between two targets the curve stays where it may be",
        "motion/path.cpp",
        "if (up > room_up) share = std::min(share, room_up / up);",
        "",
        ("between two targets at the end of the range a curve swings no further than it may",),
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
        "following_ && !void_path_ && !given_up ? &path() : nullptr;",
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
)
