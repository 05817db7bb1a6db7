"""The last line: no command that the arm would not take."""

from __future__ import annotations

from guards.guard import Guard

STEPPER = "control/stepper.cpp"
LIMITER = "motion/limiter.cpp"

GUARDS = (
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
        "limiter: what is wanted is followed with its acceleration",
        LIMITER,
        "return ahead - slope * relative",
        "return -slope * relative",
        ("one glitch is forgotten in a fifth of a second, however what is wanted moves",),
    ),
    Guard(
        "limiter: a motion is joined where that costs little jerk",
        LIMITER,
        "!detoured_[j] || jerk_of_joining(j) <= kJoinShare * dddq_max_",
        "true",
        ("one glitch is forgotten in a fifth of a second, however what is wanted moves",),
    ),
    Guard(
        "limiter: of what is not finite no velocity is taken",
        LIMITER,
        "std::isfinite(wanted_dq)",
        "true",
        ("NaN and infinity are not followed",),
    ),
)
