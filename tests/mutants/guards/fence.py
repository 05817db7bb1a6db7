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
)
