"""Where an observation's fields lie in an OBSERVE body, agreed once for a session.

The client packs with it (`rt_infer.wire.packer`), the door checks with it (`check`), the worker
looks at the fields where they lie (`views`). docs/protocol.md, section 5.1.

An object belongs to one thread at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rt_infer._frames import ObserveHead
from rt_infer.wire.frames import GREATEST_BODY, Fault
from rt_infer.wire.messages import MAX_TASK_BYTES, ObservationSpec, Welcome

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STATE_KEY = "observation.state"
IMAGE_KEY_PREFIX = "observation.images."
TASK_KEY = "task"

_PIXEL, _STATE = np.dtype(np.uint8), np.dtype(np.float32)

Observation = Mapping[str, Any]
"""One moment: "observation.state" (S,), "observation.images.<name>" uint8 (H, W, 3), "task" str."""


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
        self._shapes: list[tuple[int, ...] | None] = [
            (spec.state_size,),
            *self.images.values(),
            None,
        ]
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
        memory = memoryview(body).toreadonly()
        head = self.head
        moments = []
        for first in range(0, head.count, head.fields):
            moment: dict[str, npt.NDArray[Any] | str] = {TASK_KEY: ""}
            for i, key in enumerate(self.keys):
                offset, shape = head.offset(first + i), self._shapes[i]
                if shape is None:
                    text = memory[offset : offset + head.length(first + i)]
                    moment[key] = str(text, "utf-8", "replace")
                else:
                    moment[key] = np.ndarray(shape, _PIXEL if i else _STATE, memory, offset)
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
