"""What is said in the handshake's maps: checked structs, MessagePack and no code.

Decoding checks types and limits (docs/protocol.md, section 4); what does not fit is a
ValueError with one sentence. Unknown keys are ignored, so that later versions may add some.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

MAX_IMAGES = 16
MAX_TASK_BYTES = 4096
MAX_STEPS = 4096
MAX_HISTORY = 16
MAX_NAME_BYTES = 64
MAX_PATH_BYTES = 4096

Text = Annotated[str, Meta(max_length=256)]
Steps = Annotated[int, Meta(ge=1, le=MAX_STEPS)]
Side = Annotated[int, Meta(ge=1, le=8192)]


class ObservationSpec(msgspec.Struct, frozen=True):
    """What every observation of a session looks like; agreed once, so frames carry no names.

    state: the number of entries S of `observation.state` (float32), or the list of their names.
    images: camera name to (height, width, 3); each is `observation.images.<name>`, uint8 RGB.
    task: whether an observation carries a line of text, `task`; "" if it is left out.
    codecs: camera name to how its pixels travel; only "raw" today, the default.

    Raises ValueError with one sentence for anything that no frame could carry.
    """

    state: int | list[str]
    images: dict[str, tuple[Side, Side, int]] = {}
    task: bool = True
    codecs: dict[str, str] = {}

    def __post_init__(self) -> None:
        # The user's own values, whatever the annotations say; called after decoding too.
        _check_state(self.state)
        _check_images(self.images)
        for name, codec in self.codecs.items():
            if name not in self.images:
                raise ValueError(
                    f"There is a codec for {name!r}, which is no image; name one of "
                    f"{sorted(self.images)}."
                )
            if codec != "raw":
                raise ValueError(f"Codec {codec!r} of image {name!r} is not built yet; use 'raw'.")

    @property
    def state_size(self) -> int:
        """S, the entries of the state."""
        return self.state if isinstance(self.state, int) else len(self.state)

    @property
    def image_names(self) -> list[str]:
        """The cameras in the order in which their pixels travel: by the bytes of their names."""
        return sorted(self.images, key=lambda name: name.encode())


class PolicyRequest(msgspec.Struct, frozen=True):
    """Which policy a robot wants: LeRobot's names without their prefixes.

    actions_per_chunk: the most actions in one chunk, 1 to 4096; the policy may have fewer.
    """

    type: Annotated[str, Meta(min_length=1)]
    path: str = ""
    device: str = "cpu"
    actions_per_chunk: Steps = 50

    def __post_init__(self) -> None:
        _check_bytes("The policy's type", self.type, MAX_NAME_BYTES)
        _check_bytes("The policy's path", self.path, MAX_PATH_BYTES)
        _check_bytes("The policy's device", self.device, MAX_NAME_BYTES)


class AuthRequest(msgspec.Struct, frozen=True):
    """What a client asks for, under its proof."""

    policy: PolicyRequest
    spec: ObservationSpec
    robot_id: str = ""
    client: Text = ""

    def __post_init__(self) -> None:
        _check_bytes("robot_id", self.robot_id, MAX_NAME_BYTES)


class Welcome(msgspec.Struct, frozen=True):
    """What a server agrees to, under its proof.

    session: goes into every later header. chunk_size: T of every chunk. actions: the A names of
    an action's entries. history: moments in every observation. fps: the rate in 1/s at which
    the actions are meant to be executed, if the policy cares.
    """

    session: Annotated[int, Meta(ge=1, le=0xFFFF_FFFF)]
    chunk_size: Steps
    actions: Annotated[list[str], Meta(min_length=1, max_length=256)]
    history: Annotated[int, Meta(ge=1, le=MAX_HISTORY)] = 1
    fps: float | None = None
    server: Text = ""

    def __post_init__(self) -> None:
        _check_names("actions", self.actions, least=1, most=256)
        if self.fps is not None and not 0.0 < self.fps < float("inf"):
            raise ValueError(f"fps is {self.fps}; give a rate above 0 or none.")


Message = TypeVar("Message", AuthRequest, Welcome)


def encode(message: AuthRequest | Welcome) -> bytes:
    """The map as MessagePack."""
    return msgspec.msgpack.encode(message)


def decode(data: bytes, kind: type[Message]) -> Message:
    """Read and check a map; ValueError with one sentence when it is not what it must be."""
    try:
        return msgspec.msgpack.decode(data, type=kind)
    except msgspec.MsgspecError as error:
        raise ValueError(f"The other side's {kind.__name__} was not understood: {error}.") from None


def checked(message: Message) -> Message:
    """The message, with the limits that decoding would check; ValueError when it breaks one."""
    try:
        return msgspec.convert(msgspec.to_builtins(message), type(message))
    except msgspec.MsgspecError as error:
        raise ValueError(f"This cannot be asked for: {error}.") from None


def _check_state(state: object) -> None:
    """Raise ValueError unless `state` is a size or a list of names."""
    if isinstance(state, list | tuple):
        _check_names("state", state, least=1, most=1024)
    elif isinstance(state, bool) or not isinstance(state, int):
        raise ValueError(
            f"state is {state!r}; give the number of its entries or the list of their names."
        )
    elif not 1 <= state <= 1024:
        raise ValueError(f"state has {state} entries; give 1 to 1024.")


def _check_images(images: object) -> None:
    """Raise ValueError unless `images` maps names to (height, width, 3)."""
    if not isinstance(images, dict):
        raise ValueError("images must be a dict: camera name to (height, width, 3).")
    _check_names("images", list(images), least=0, most=MAX_IMAGES)
    for name, shape in images.items():
        if (
            not isinstance(shape, list | tuple)
            or len(shape) != 3
            or shape[2] != 3
            or not all(isinstance(side, int) and 1 <= side <= 8192 for side in shape)
        ):
            raise ValueError(
                f"Image {name!r} has shape {shape!r}; give (height, width, 3), each side at most "
                "8192."
            )


def _check_names(what: str, names: Sequence[object], *, least: int, most: int) -> None:
    """Raise ValueError unless `names` are `least` to `most` different, printable names."""
    if not least <= len(names) <= most:
        raise ValueError(f"{what} has {len(names)} names; give {least} to {most}.")
    for name in names:
        if (
            not isinstance(name, str)
            or not name.isprintable()
            or not 1 <= len(name.encode()) <= MAX_NAME_BYTES
        ):
            raise ValueError(f"{what} has the name {name!r}; use 1 to 64 bytes of printable text.")
    if len(set(names)) != len(names):
        raise ValueError(f"{what} names an entry twice: {', '.join(map(str, names))}.")


def _check_bytes(what: str, text: object, most: int) -> None:
    """Raise ValueError unless `text` is text of at most `most` bytes."""
    try:
        fits = isinstance(text, str) and len(text.encode()) <= most
    except UnicodeEncodeError:
        fits = False
    if not fits:
        raise ValueError(f"{what} must be text of at most {most} bytes in UTF-8.")
