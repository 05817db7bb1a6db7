"""What robot and policy agree on before the first observation. Pure: no I/O, no model."""

from __future__ import annotations

from rt_infer import __version__
from rt_infer.policies.base import PolicySpec
from rt_infer.wire.layout import ObservationLayout
from rt_infer.wire.messages import AuthRequest, ObservationSpec, Welcome
from rt_infer.wire.refusals import ErrorBody, ErrorCode, Refusal

MAX_ACTION_WIDTH = 256


def hold_spec(request: AuthRequest) -> PolicySpec:
    """What `hold` is for this robot: it takes what the robot has and answers with states."""
    state = request.spec.state
    names = [f"state_{i}" for i in range(1, state + 1)] if isinstance(state, int) else state
    if len(names) > MAX_ACTION_WIDTH:
        raise _mismatch(
            f"hold answers with the state, and an action has at most {MAX_ACTION_WIDTH} entries: "
            f"leave some of the {len(names)} out of the state."
        )
    return PolicySpec(
        state=tuple(names),
        images=dict(request.spec.images),
        actions=tuple(names),
        chunk_size=request.policy.actions_per_chunk,
    )


def agree(
    request: AuthRequest, policy: PolicySpec, session: int
) -> tuple[Welcome, ObservationLayout]:
    """What to answer, and what observations will look like; Refusal when the two do not fit.

    What the policy does not know, a camera or a named entry of the state, is allowed and never
    reaches it; what it lacks is not.
    """
    spec = request.spec
    if isinstance(spec.state, int):
        if spec.state != len(policy.state):
            raise _mismatch(
                f"The policy wants a state of {len(policy.state)} entries "
                f"({', '.join(policy.state)}) and the robot's has {spec.state}."
            )
    elif not set(policy.state) <= set(spec.state):
        raise _mismatch(
            f"The policy wants the state {', '.join(policy.state)} and the robot has "
            f"{', '.join(spec.state)}: give the entries the policy's names."
        )
    for name, shape in policy.images.items():
        if name not in spec.images:
            raise _mismatch(
                f"The policy wants a camera called {name!r} and the robot has "
                f"{', '.join(map(repr, spec.images)) or 'none'}: add it or rename one."
            )
        if tuple(spec.images[name]) != tuple(shape):
            raise _mismatch(
                f"The policy wants images of {_size(shape)} from camera {name!r} and the robot's "
                f"are {_size(spec.images[name])}: set the camera's width and height."
            )
    try:
        welcome = Welcome(
            session=session,
            chunk_size=min(policy.chunk_size, request.policy.actions_per_chunk),
            actions=list(policy.actions),
            history=policy.history,
            fps=policy.fps,
            server=f"rt-infer {__version__}",
        )
        return welcome, ObservationLayout.agreed(spec, welcome)
    except ValueError as error:
        raise _mismatch(str(error)) from None


def entries_of_state(spec: ObservationSpec, policy: PolicySpec) -> list[int] | None:
    """Which entries of the robot's state the policy gets, in its order; None: all as they are."""
    if isinstance(spec.state, int) or tuple(spec.state) == policy.state:
        return None
    return [spec.state.index(name) for name in policy.state]


def _size(shape: tuple[int, int, int]) -> str:
    return f"{shape[1]}×{shape[0]}"


def _mismatch(sentence: str) -> Refusal:
    return Refusal(ErrorBody.of(ErrorCode.SPEC_MISMATCH, sentence))
