"""Does an FR3 accept this stream of joint positions? From Franka's documents, not from our code.

Joint limits are those of libfranka's test/fr3.urdf, ddq_max and dddq_max those of rate_limiting.h,
the velocity that depends on position that of joint_velocity_limits.cpp. All are checked by backward
Euler at 1 ms over what the arm was told or, over lost packets, went on with by itself.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

DT_S = 1e-3
Q_MIN = np.array([-2.7501, -1.7918, -2.9065, -3.0481, -2.8101, 0.54092, -3.0196])
Q_MAX = np.array([2.7501, 1.7918, 2.9065, -0.1458, 2.8101, 4.5205, 3.0196])
DQ_MAX = np.array([2.62, 2.62, 2.62, 2.62, 5.26, 4.18, 5.26])
OFFSET = np.array([0.30, 0.20, 0.20, 0.30, 0.35, 0.35, 0.35])
DECELERATION = np.array([6.0, 2.585, 3.50, 4.00, 17.0, 5.5, 17.0])
DDQ_MAX, DDDQ_MAX, LIMIT_EPS = 10.0, 5000.0, 1e-3


def broken_limit(start: Array, commands: Array, lost: dict[int, int]) -> str | None:
    """Which limit the commands (N, 7) break from rest at ``start``, and where; None if none.

    ``lost[i]`` cycles pass unanswered before command i: the arm goes on with the acceleration it
    had, which is zero jerk in backward differences.
    """
    rows = [start, start, start]
    for i, command in enumerate(commands):
        for _ in range(lost.get(i, 0)):
            rows.append(3.0 * rows[-1] - 3.0 * rows[-2] + rows[-3])
        rows.append(command)
    q = np.array(rows)
    dq, ddq, dddq = (np.diff(q, n=n, axis=0)[3 - n :] / DT_S**n for n in (1, 2, 3))
    before, q = q[2:-1], q[3:]
    # Nearer to an end than where its envelope closes, the formula would forbid standing still.
    up = np.sqrt(2.0 * DECELERATION * np.maximum(0.0, Q_MAX - before)) - OFFSET
    low = np.sqrt(2.0 * DECELERATION * np.maximum(0.0, before - Q_MIN)) - OFFSET
    fastest_up = np.maximum(0.0, np.minimum(DQ_MAX, up) - LIMIT_EPS)
    fastest_down = np.maximum(0.0, np.minimum(DQ_MAX, low) - LIMIT_EPS)
    broken = {
        "position": (q < Q_MIN) | (q > Q_MAX) | ~np.isfinite(q),
        "velocity": (dq > fastest_up) | (-dq > fastest_down),
        "acceleration": np.abs(ddq) > DDQ_MAX,
        "jerk": np.abs(dddq) > DDDQ_MAX,
    }
    rows_broken = [rows.any(axis=1) for rows in broken.values()]
    if not np.any(rows_broken):
        return None
    first = int(np.argmax(np.any(rows_broken, axis=0)))
    name = next(name for name, rows in broken.items() if rows[first].any())
    return f"{name} of joint {np.argmax(broken[name][first]) + 1} in cycle {first}"
