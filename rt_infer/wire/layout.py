"""Where an observation's fields lie in an OBSERVE body, agreed once for a session.

The client packs with it (`Packer`), the door checks with it (`ObservationLayout.check`), the worker
looks at the fields where they lie (`ObservationLayout.views`). docs/protocol.md, section 5.1.

An object belongs to one thread at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rt_infer._frames import OBSERVE_HEAD_SIZE, ObserveHead, all_finite
from rt_infer.wire.frames import GREATEST_BODY, HEADER_SIZE, NOT_URGENT_US, Fault
from rt_infer.wire.messages import MAX_TASK_BYTES, ObservationSpec, Welcome

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STATE_KEY = "observation.state"
IMAGE_KEY_PREFIX = "observation.images."
TASK_KEY = "task"

Observation = Mapping[str, Any]
"""One moment: "observation.state" (S,), "observation.images.<name>" uint8 (H, W, 3), "task" str."""

_PADDING = [bytes(count) for count in range(64)]


class BadObservation(ValueError):
    """An observation that is not as agreed, in one sentence."""


class ObservationLayout:
    """The fields of one moment, in order, and the limits that follow from the agreement.

    spec: as asked for in AUTH. history, chunk_size (T), width (A): as answered in WELCOME.
    Raises ValueError when such observations could be longer than any frame may be.
    """

    def __init__(self, spec: ObservationSpec, history: int, chunk_size: int, width: int) -> None:
        self.spec = spec
        self.history = history
        self.images = {name: spec.images[name] for name in spec.image_names}
        sizes = [4 * spec.state_size, *(h * w * c for h, w, c in self.images.values())]
        least, most = list(sizes), list(sizes)
        self.keys = [STATE_KEY, *(IMAGE_KEY_PREFIX + name for name in self.images)]
        if spec.task:
            least.append(0)
            most.append(MAX_TASK_BYTES)
            self.keys.append(TASK_KEY)
        self.head = ObserveHead(least, most, history, chunk_size, width)
        self.greatest_body_length = self.head.greatest_body_length
        if self.greatest_body_length > GREATEST_BODY:
            raise ValueError(
                f"One observation would have up to {self.greatest_body_length} bytes, and a frame "
                f"has at most {GREATEST_BODY}: use smaller images or a shorter history."
            )

    @classmethod
    def agreed(cls, spec: ObservationSpec, welcome: Welcome) -> ObservationLayout:
        """The layout that both sides know after WELCOME."""
        return cls(spec, welcome.history, welcome.chunk_size, len(welcome.actions))

    def check(self, body: ReadableBuffer, body_length: int) -> ObserveHead:
        """Check a received body; its fixed part, valid until the next call. BadObservation."""
        fault = self.head.unpack_from(body, 0, body_length)
        if fault != Fault.NONE:
            raise BadObservation(self._sentence(Fault(fault)))
        return self.head

    def views(self, body: ReadableBuffer) -> list[dict[str, npt.NDArray[Any] | str]]:
        """The fields of the body that `check` accepted last, oldest moment first, without a copy.

        Each moment is an observation as policies want it; the arrays are read-only and end with the
        body's memory. "task" is "" where the spec has none.
        """
        moments = []
        fields = self.head.fields
        memory = memoryview(body)
        for first in range(0, self.head.count, fields):
            moment: dict[str, npt.NDArray[Any] | str] = {}
            for i, key in enumerate(self.keys, first):
                offset, length = self.head.offset(i), self.head.length(i)
                if key == TASK_KEY:
                    moment[key] = str(memory[offset : offset + length], "utf-8", "replace")
                    continue
                if key == STATE_KEY:
                    array: npt.NDArray[Any] = np.frombuffer(memory, np.float32, length // 4, offset)
                else:
                    array = np.frombuffer(memory, np.uint8, length, offset)
                    array = array.reshape(self.images[key.removeprefix(IMAGE_KEY_PREFIX)])
                array.flags.writeable = False
                moment[key] = array
            moment.setdefault(TASK_KEY, "")
            moments.append(moment)
        return moments

    def _sentence(self, fault: Fault) -> str:
        head = self.head
        if fault in (Fault.FIELD_LENGTH, Fault.NOT_FINITE):
            key = "the prefix"
            if head.fault_field < head.count:
                key = repr(self.keys[head.fault_field % head.fields])
            if fault == Fault.NOT_FINITE:
                return f"A value of {key} is not a finite number: check the robot's sensors."
            return f"{key} has a length that was not agreed: describe it as it is in the spec."
        what = {
            Fault.HISTORY: f"the history is not the agreed {head.history}",
            Fault.FIELD_COUNT: f"the number of fields is not the agreed {head.count}",
            Fault.PREFIX: f"the prefix is not of at most {head.steps} rows of {head.width}",
            Fault.BODY_LENGTH: "its length is not the sum of its fields",
            Fault.OBSERVE_FLAGS: "it has a flag that this version does not know",
        }[fault]
        return f"The observation is refused, since {what}: run the same version on both sides."


class Packer:
    """Turns observations into the buffers of OBSERVE frames, pixels untouched.

    Holds the small parts (header, table, states) in memory that is used again for each frame.
    """

    def __init__(self, layout: ObservationLayout) -> None:
        self._layout = layout
        count = layout.head.count
        self.head = bytearray(HEADER_SIZE + _up(OBSERVE_HEAD_SIZE + 4 * count))
        size = layout.spec.state_size
        self._states = np.zeros((layout.history, _up(4 * size) // 4), "<f4")
        self._takes_task = layout.spec.task

    def pack(
        self,
        observations: Sequence[Observation],
        *,
        capture_ns: int,
        slack_us: int = NOT_URGENT_US,
    ) -> tuple[list[ReadableBuffer], int]:
        """The buffers after `head` and the body_length; `head` holds the start of the body.

        observations: 1 to `history` moments, oldest first; missing ones repeat the oldest. The
        buffers are the images' own memory: leave it alone until the frame is sent. An image that
        is not contiguous is copied. Raises BadObservation.
        """
        layout = self._layout
        missing = layout.history - len(observations)
        if not observations or missing < 0:
            raise BadObservation(
                f"{len(observations)} observations were given; give 1 to {layout.history}."
            )
        buffers: list[ReadableBuffer] = []
        pending = 0  # zeros owed before the next field
        for moment in range(layout.history):
            observation = observations[max(0, moment - missing)]
            for i, key in enumerate(layout.keys, moment * layout.head.fields):
                field: ReadableBuffer
                if key == STATE_KEY:
                    field, length = self._state(observation, moment)
                elif key == TASK_KEY:
                    task = _task(observation)
                    field, length = task, len(task)
                    layout.head.set_length(i, length)
                else:
                    image = self._image(observation, key)
                    field, length = image.data, image.nbytes
                if pending:
                    buffers.append(_PADDING[pending])
                buffers.append(field)
                pending = -length % 64
            self._check_keys(observation)
        head = layout.head
        head.capture_ns = capture_ns
        head.slack_us = slack_us
        return buffers, head.pack_into(self.head, HEADER_SIZE)

    def _state(self, observation: Observation, moment: int) -> tuple[memoryview, int]:
        size = self._layout.spec.state_size
        given = _entry(observation, STATE_KEY)
        try:
            state = np.asarray(given, np.float32)
        except (TypeError, ValueError):
            raise BadObservation(
                f"{STATE_KEY!r} is not made of numbers: give {size} floats."
            ) from None
        if state.shape != (size,):
            raise BadObservation(
                f"{STATE_KEY!r} has shape {state.shape} and the agreed one is {(size,)}: correct "
                "it or the ObservationSpec."
            )
        row = self._states[moment]
        row[:size] = state
        if not all_finite(row):
            raise BadObservation(f"{STATE_KEY!r} has a value that is not finite: {state}.")
        return row[:size].data, 4 * size

    def _image(self, observation: Observation, key: str) -> npt.NDArray[np.uint8]:
        image = _entry(observation, key)
        shape = self._layout.images[key.removeprefix(IMAGE_KEY_PREFIX)]
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
            what = image.dtype if isinstance(image, np.ndarray) else type(image).__name__
            raise BadObservation(f"{key!r} is {what}: give a numpy array of uint8, R G B.")
        if image.shape != shape:
            raise BadObservation(
                f"{key!r} has shape {image.shape} and the agreed one is {shape}: resize it or "
                "correct the ObservationSpec."
            )
        return np.ascontiguousarray(image)

    def _check_keys(self, observation: Observation) -> None:
        """Refuse what would silently be left out: a misspelt camera must not go unnoticed."""
        known = len(self._layout.keys) - (self._takes_task and TASK_KEY not in observation)
        if len(observation) == known:
            return
        for key in observation:
            if key not in self._layout.keys and (key != TASK_KEY or observation[key]):
                raise BadObservation(
                    f"The observation has {key!r}, which the ObservationSpec does not: leave it "
                    "out or describe it there."
                )


def _entry(observation: Observation, key: str) -> Any:
    try:
        return observation[key]
    except KeyError:
        raise BadObservation(
            f"The observation lacks {key!r}: give it, or take it out of the ObservationSpec."
        ) from None


def _task(observation: Observation) -> bytes:
    task = observation.get(TASK_KEY, "")
    if not isinstance(task, str):
        raise BadObservation(f"{TASK_KEY!r} is {type(task).__name__}: give a line of text.")
    data = task.encode()
    if len(data) > MAX_TASK_BYTES:
        raise BadObservation(f"{TASK_KEY!r} has {len(data)} bytes: give at most {MAX_TASK_BYTES}.")
    return data


def _up(size: int) -> int:
    return (size + 63) // 64 * 64
