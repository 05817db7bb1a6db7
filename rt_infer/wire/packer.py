"""Turns observations into the buffers of OBSERVE frames; pixels leave from where they lie.

Everything that does not change from frame to frame (order, shapes, padding) is worked out once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rt_infer._frames import ALIGNMENT, OBSERVE_HEAD_SIZE, all_finite
from rt_infer.wire.frames import HEADER_SIZE, NOT_URGENT_US
from rt_infer.wire.layout import (
    IMAGE_KEY_PREFIX,
    STATE_KEY,
    TASK_KEY,
    BadObservation,
    Observation,
    ObservationLayout,
)
from rt_infer.wire.messages import MAX_TASK_BYTES

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_PIXEL = np.dtype(np.uint8)
_PADDING = [bytes(count) for count in range(ALIGNMENT)]


class Packer:
    """Packs one observation after the other, into small parts that are used again for each.

    `head` is the memory of the frame's header and of the start of its body (fixed part and table).
    """

    def __init__(self, layout: ObservationLayout) -> None:
        self._layout = layout
        self._keys = frozenset(layout.keys)
        self._takes_task = layout.spec.task
        self.head = bytearray(HEADER_SIZE + _up(OBSERVE_HEAD_SIZE + 4 * layout.head.count))
        self._images = [
            (IMAGE_KEY_PREFIX + name, shape, _padding(shape[0] * shape[1] * shape[2]))
            for name, shape in layout.images.items()
        ]
        # A state is sent together with the zeros behind it, except where the body ends with it.
        size = layout.spec.state_size
        states = np.zeros((layout.history, _up(4 * size) // 4), np.float32)
        self._rows = [states[moment, :size] for moment in range(layout.history)]
        self._row_parts = [states[moment].data for moment in range(layout.history)]
        if layout.head.fields == 1:
            self._row_parts[-1] = self._rows[-1].data

    def pack(
        self,
        observations: Sequence[Observation],
        *,
        capture_ns: int,
        slack_us: int = NOT_URGENT_US,
    ) -> tuple[list[ReadableBuffer], int]:
        """The buffers after `head`, and the body_length.

        observations: 1 to `history` moments, oldest first; missing ones repeat the oldest. The
        buffers are the images' own memory: leave it alone until the frame is sent. An image that
        is not contiguous is copied. Raises BadObservation.
        """
        history = self._layout.history
        missing = history - len(observations)
        if not observations or missing < 0:
            raise BadObservation(
                f"{len(observations)} observations were given; give 1 to {history}."
            )
        buffers: list[ReadableBuffer] = []
        for moment in range(history):
            self._pack_moment(observations[max(0, moment - missing)], moment, buffers)
        if not self._takes_task and self._images and self._images[-1][2]:
            buffers.pop()  # the body ends with its last field and not with padding
        head = self._layout.head
        head.capture_ns = capture_ns
        head.slack_us = slack_us
        return buffers, head.pack_into(self.head, HEADER_SIZE)

    def _pack_moment(
        self, observation: Observation, moment: int, buffers: list[ReadableBuffer]
    ) -> None:
        given = 1 + len(self._images)
        self._set_state(observation, moment)
        buffers.append(self._row_parts[moment])
        for key, shape, padding in self._images:
            image = observation.get(key)
            if type(image) is not np.ndarray or image.dtype != _PIXEL or image.shape != shape:
                image = _converted(observation, key, shape)
            if not image.flags.c_contiguous:
                image = np.ascontiguousarray(image)
            buffers.append(image.data)
            if padding:
                buffers.append(padding)
        if self._takes_task:
            given += TASK_KEY in observation
            task = _task(observation)
            head = self._layout.head
            head.set_length((moment + 1) * head.fields - 1, len(task))
            buffers.append(task)
            if moment + 1 < self._layout.history:
                buffers.append(_padding(len(task)))
        if len(observation) != given:
            self._refuse_extra(observation)

    def _set_state(self, observation: Observation, moment: int) -> None:
        row = self._rows[moment]
        try:
            state = np.asarray(_entry(observation, STATE_KEY), np.float32)
        except (TypeError, ValueError):
            raise BadObservation(
                f"{STATE_KEY!r} is not made of numbers: give {len(row)} floats."
            ) from None
        if state.shape != row.shape:
            raise BadObservation(
                f"{STATE_KEY!r} has shape {state.shape} and the agreed one is {row.shape}: correct "
                "it or the ObservationSpec."
            )
        row[:] = state
        if not all_finite(self._row_parts[moment]):  # the padding is, too
            raise BadObservation(f"{STATE_KEY!r} has a value that is not finite: {state}.")

    def _refuse_extra(self, observation: Observation) -> None:
        """Refuse what would silently be left out: a misspelt camera must not go unnoticed."""
        for key in observation:
            if key not in self._keys and (key != TASK_KEY or observation[key]):
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


def _converted(
    observation: Observation, key: str, shape: tuple[int, int, int]
) -> npt.NDArray[np.uint8]:
    """The image, if it is a kind of uint8 array of this shape; else say what it is."""
    image = _entry(observation, key)
    if not isinstance(image, np.ndarray) or image.dtype != _PIXEL:
        what = image.dtype if isinstance(image, np.ndarray) else type(image).__name__
        raise BadObservation(f"{key!r} is {what}: give a numpy array of uint8, R G B.")
    if image.shape != shape:
        raise BadObservation(
            f"{key!r} has shape {image.shape} and the agreed one is {shape}: resize it or correct "
            "the ObservationSpec."
        )
    return np.asarray(image)


def _task(observation: Observation) -> bytes:
    task = observation.get(TASK_KEY, "")
    if not isinstance(task, str):
        raise BadObservation(f"{TASK_KEY!r} is {type(task).__name__}: give a line of text.")
    data = task.encode()
    if len(data) > MAX_TASK_BYTES:
        raise BadObservation(f"{TASK_KEY!r} has {len(data)} bytes: give at most {MAX_TASK_BYTES}.")
    return data


def _padding(length: int) -> bytes:
    """The zeros that bring `length` bytes to a multiple of 64."""
    return _PADDING[-length % ALIGNMENT]


def _up(size: int) -> int:
    return size + -size % ALIGNMENT
