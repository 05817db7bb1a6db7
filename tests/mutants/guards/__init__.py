"""Every guard of the motion, what the code looks like without it, and the test that notices.

One guard is taken out at a time. A guard that nothing tests, or a table that the code has left
behind, is an error. The tables follow the rooms of the code.
"""

from guards import admission, fence, limiter, planning, rest
from guards.guard import Guard

__all__ = ["GUARDS", "Guard"]

GUARDS: tuple[Guard, ...] = (
    *admission.GUARDS,
    *rest.GUARDS,
    *planning.GUARDS,
    *fence.GUARDS,
    *limiter.GUARDS,
)
