"""Joint actions as joint waypoints [rad]. Pure numpy; any thread."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rt_infer.actions.names import Kind

Array = npt.NDArray[np.float64]

JOINT_KINDS = frozenset({Kind.POSITION, Kind.OFFSET, Kind.DELTA, Kind.VELOCITY})


def joint_waypoints(
    kind: Kind, values: Array, *, fps: float, q_rad: Array, q_command_rad: Array
) -> Array:
    """The waypoints of one chunk: (T, 7) joint values of `kind` -> (T, 7) or (T + 1, 7) rad.

    Waypoint i belongs to the policy step of the observation + i. `q_rad` is where the joints were
    measured at the observation and `q_command_rad` where they were told to be, (7,) each.

    What happens in step i is over when step i + 1 begins, so T changes have T + 1 waypoints, of
    which the first is where they start from: the command. Started from the measured joints, every
    chunk would take back what the arm lags behind; without that first waypoint every chunk would be
    a change ahead of the one before, and the arm faster the more often it asks.
    """
    if kind is Kind.POSITION:
        return values
    if kind is Kind.OFFSET:
        return values + q_rad
    changes = values if kind is Kind.DELTA else values / fps
    return np.concatenate([q_command_rad[None], q_command_rad + np.cumsum(changes, axis=0)])
