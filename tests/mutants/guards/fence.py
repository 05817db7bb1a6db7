"""The workspace box: the last point that the arm could still stop at is inside."""

from __future__ import annotations

from guards.guard import Guard

STEPPER = "control/stepper.cpp"
CLOCK = "motion/policy_clock.cpp"
FENCE = "motion/fence.cpp"

GUARDS = (
    Guard(
        "stepper: a hand that would leave its box is braked",
        STEPPER,
        "void_path_ = true;\n        ++progress_.fence_stops;",
        "++progress_.fence_stops;",
        ("a policy that dives through the floor rests above it, at every speed and rate",),
    ),
    Guard(
        "stepper: no path is entered that the hand could not be stopped on",
        STEPPER,
        "fence_.admits(next, next_profile, clock_, planner_)",
        "true",
        ("a chunk that leads out from rest is refused, moves nothing, and the next may come in",),
    ),
    Guard(
        "stepper: from rest, too",
        STEPPER,
        "fence_.admits(next, next_profile, clock_, planner_)",
        "(!following_ || fence_.admits(next, next_profile, clock_, planner_))",
        ("ten thousand chunks that lead out, each from rest, wear no fence down",),
    ),
    Guard(
        "stepper: what leads out from rest is refused",
        STEPPER,
        "give_up(RTI_REFUSED_FENCE);",
        "waiting_to_splice_ = true;",
        ("a chunk that leads out from rest is refused, moves nothing, and the next may come in",),
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
        "const double way = next.step() - step + next.braking_distance(path, limits);",
        "const double way = 0.5 * next.braking_distance(path, limits);",
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
        "least_[i] = std::min(least_[i], here[i]);",
        "least_[i] = here[i];",
        ("ten thousand chunks that lead out, each from rest, wear no fence down",),
    ),
    Guard(
        "fence: a path that comes in first may not go out as far as it began",
        FENCE,
        "least[i] = std::min(least[i], there[i]);",
        "",
        ("ten thousand chunks that lead out, at any moment of a motion, wear no fence down",),
    ),
    Guard(
        "fence: the way in may need a ripple, which no other path may use up",
        FENCE,
        "constexpr double kRippleOfAny_m = 0.5 * kRipple_m;",
        "constexpr double kRippleOfAny_m = 0.8 * kRipple_m;",
        ("what no other path may use up is left for a ripple on the way in",),
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
)
