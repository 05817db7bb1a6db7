"""The names of a policy's actions decide what they mean. Pure; the robot asks once a connection.

An action is of one kind, complete, its entries in any order, and beside it what the robot's tools
take. Nothing is guessed: a name that is not in these tables, a joint that is missing, two kinds at
once are refused with both lists, since entries taken for others would move an arm anywhere.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

GRIPPER = "gripper.pos"
"""0 closed to 1 open."""

ALIASES = {"ee.gripper_pos": GRIPPER}
"""LeRobot's end-effector robots call it so."""

TOOL_NAMES = frozenset({GRIPPER})

_LISTED = 24  # names of a policy that a sentence can hold


class Kind(enum.Enum):
    """What the numbers are; lengths in m, angles in rad, poses those of the TCP."""

    POSITION = "pos"  # where the joints are to be
    OFFSET = "rel"  # the same, from where they were measured at the observation
    DELTA = "delta"  # how they change in a step, from where they were told to be
    VELOCITY = "vel"  # the same a second
    POSE_VECTOR = "pose"  # in the base frame, turned by a rotation vector
    POSE_QUATERNION = "quaternion"  # in the base frame, turned by a quaternion, scalar last
    POSE_DELTA = "pose delta"  # in a step: a translation in the base frame, a turn in the tool's


def _joints(what: str) -> tuple[str, ...]:
    return tuple(f"joint_{i}.{what}" for i in range(1, 8))


def _hand(*parts: str) -> tuple[str, ...]:
    return tuple(f"ee.{part}" for part in parts)


ENTRIES: dict[Kind, tuple[str, ...]] = {
    Kind.POSITION: _joints("pos"),
    Kind.OFFSET: _joints("rel"),
    Kind.DELTA: _joints("delta"),
    Kind.VELOCITY: _joints("vel"),
    Kind.POSE_VECTOR: _hand("x", "y", "z", "wx", "wy", "wz"),
    Kind.POSE_QUATERNION: _hand("x", "y", "z", "qx", "qy", "qz", "qw"),
    Kind.POSE_DELTA: _hand(*(f"delta_{part}" for part in ("x", "y", "z", "wx", "wy", "wz"))),
}
"""The entries of each kind, in the order in which `Layout.columns` finds them."""

KINDS_IN_WORDS = (
    "joint_1.pos … joint_7.pos, or all seven as .rel, .delta or .vel, or ee.x, ee.y, ee.z with "
    "ee.wx, ee.wy, ee.wz or ee.qx, ee.qy, ee.qz, ee.qw, or ee.delta_x, ee.delta_y, ee.delta_z, "
    "ee.delta_wx, ee.delta_wy, ee.delta_wz"
)


class UnfitActions(ValueError):
    """Actions that this robot cannot take: one sentence with both lists."""


@dataclass(frozen=True)
class Layout:
    """Where an action's entries stand."""

    kind: Kind
    size: int  # entries of an action
    columns: tuple[int, ...]  # of ENTRIES[kind], in that order
    tools: tuple[int, ...]  # of the robot's tools, in its order; empty: the policy moves none


def layout_of(names: Sequence[str], tools: Sequence[str] = ()) -> Layout:
    """What actions of these names are to a robot with these tools; UnfitActions."""
    known = [ALIASES.get(name, name) for name in names]
    body = [name for name in known if name not in TOOL_NAMES]
    kind = next((kind for kind, entries in ENTRIES.items() if set(entries) == set(body)), None)
    wrong = _what_is_wrong(known, body, kind, tools)
    if wrong is not None or kind is None:
        raise UnfitActions(
            f"The policy's actions are {_list(names)}, {wrong}; this robot takes "
            f"{KINDS_IN_WORDS}, {_tools_in_words(tools)}: choose a policy made for it."
        )
    return Layout(
        kind=kind,
        size=len(known),
        columns=tuple(known.index(name) for name in ENTRIES[kind]),
        tools=tuple(known.index(name) for name in tools if name in known),
    )


def _what_is_wrong(
    known: Sequence[str], body: Sequence[str], kind: Kind | None, tools: Sequence[str]
) -> str | None:
    repeated = sorted({name for name in known if known.count(name) > 1})
    if repeated:
        return f"of which {_list(repeated)} {_is(repeated)} there more than once"
    strangers = [name for name in body if not any(name in each for each in ENTRIES.values())]
    if strangers:
        return f"of which {_list(strangers)} {_is(strangers)} unknown"
    lacking = [name for name in known if name in TOOL_NAMES and name not in tools]
    if lacking:
        return f"and there is nothing here that {_list(lacking)} could move"
    if kind is not None:
        return None
    if not body:
        return "none of which moves the arm"
    meant = [each for each in ENTRIES.values() if set(body) <= set(each)]
    if not meant:
        return "which are of more than one kind"
    return f"without {_list([name for name in min(meant, key=len) if name not in body])}"


def _tools_in_words(tools: Sequence[str]) -> str:
    return f"and {_list(tools)} beside any of them" if tools else "and has no gripper"


def _list(names: Sequence[str]) -> str:
    rest = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + rest


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"
