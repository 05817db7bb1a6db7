"""The life of one worker in the door: started, loading, ready, gone.

A host has a thread of its own, which lives exactly as long as its worker: it starts the process,
reads its messages, delivers its answers and reaps it. Delivering never blocks (`Seat.deliver`), so
no robot holds up another's answer. A host is never started again; after its end a new one is made.

Connections' threads watch a host while it loads, then work with its `desk`.
"""

from __future__ import annotations

import enum
import logging
import mmap
import os
import threading
from collections.abc import Callable, Sequence

import numpy as np

from rt_infer.policies.base import PolicySpec
from rt_infer.policies.registry import PolicyKey
from rt_infer.server import memory, worker_wire
from rt_infer.server.desk import Desk
from rt_infer.server.metrics import Metrics
from rt_infer.server.seat import Answer, Refused
from rt_infer.server.wakeup import Wakeup
from rt_infer.server.worker_process import WorkerProcess
from rt_infer.server.worker_wire import Kind
from rt_infer.wire.refusals import ErrorBody, ErrorCode

log = logging.getLogger(__name__)

SHUTTING_DOWN = ErrorBody.of(
    ErrorCode.SHUTTING_DOWN, "The server is stopping: connect again when it is back."
)


class State(enum.Enum):
    """A host's life, in this order; READY may be left out."""

    LOADING = "loading"
    READY = "ready"
    GONE = "gone"


class WorkerHost:
    """One worker process and the desk of the sessions that use its policy."""

    def __init__(
        self,
        key: PolicyKey,
        allow_python: Sequence[str],
        metrics: Metrics,
        on_end: Callable[[WorkerHost], None],
    ) -> None:
        self.key = key
        self.desk = Desk()
        self.state = State.LOADING
        self.progress = "starting"
        self.spec: PolicySpec | None = None  # set before `state` becomes READY
        self.reason = ""  # why it is gone, one line; set before `state` becomes GONE
        self.load_failed = False  # gone because the policy's own loader raised an error
        self.stopping = False  # gone because it was asked to be
        self._allow_python = allow_python
        self._metrics = metrics
        self._on_end = on_end
        self._lock = threading.Lock()  # guards the watchers, and the process against stop()
        self._watchers: set[Wakeup] = set()
        self._process: WorkerProcess | None = None
        self._area: mmap.mmap | None = None
        self._thread = threading.Thread(target=self._run, name=f"worker {key}", daemon=True)
        self._thread.start()

    def watch(self, wakeup: Wakeup) -> None:
        """Wake `wakeup` whenever `state` or `progress` changes, until `unwatch`."""
        with self._lock:
            self._watchers.add(wakeup)

    def unwatch(self, wakeup: Wakeup) -> None:
        """Leave `wakeup` alone from now on."""
        with self._lock:
            self._watchers.discard(wakeup)

    def why_gone(self) -> ErrorBody:
        """What to tell a robot, once `state` is GONE."""
        if self.stopping:
            return SHUTTING_DOWN
        if self.spec is not None:
            sentence = f"The worker of policy {self.key} died ({self.reason}): connect again."
            return ErrorBody.of(ErrorCode.WORKER_LOST, sentence)
        sentence = f"The policy {self.key} could not be loaded: {self.reason.rstrip('.')}."
        # What its loader refused, it will refuse again; a process that died may do better.
        return ErrorBody(ErrorCode.LOAD_FAILED, not self.load_failed, True, sentence)

    @property
    def pid(self) -> int | None:
        """The worker's process, while there is one."""
        process = self._process
        return None if process is None else process.pid

    def stop(self) -> None:
        """Have the worker end; does not wait. From any thread."""
        with self._lock:
            self.stopping = True
            if self._process is not None:
                self._process.hang_up()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait until the worker and everything of it is gone."""
        self._thread.join(timeout_s)

    # ---- the host's own thread ----------------------------------------------------------------

    def _run(self) -> None:
        try:
            process = WorkerProcess(self.key, self._allow_python)
        except (OSError, ValueError) as error:
            self._end(f"its process could not be started: {error}")
            return
        self._metrics.count("worker_starts_total")
        log.info("worker %d loads policy %s", process.pid, self.key)
        with self._lock:
            self._process = process
            if self.stopping:
                process.hang_up()
        try:
            self._read(process)
        except OSError:
            pass  # a reset channel is an ended one
        except Exception:
            # It said what no worker says: whatever it is by now, it serves nobody any more.
            log.exception("worker %d is not understood", process.pid)
            process.kill()
        with self._lock:
            self._process = None
        seats = self.desk.disconnect()
        ending = process.reap()
        last_line = process.last_line
        self._end(self.reason or (f"{last_line} ({ending})" if last_line else ending))
        for seat in seats:
            seat.worker_lost(self.why_gone())

    def _read(self, process: WorkerProcess) -> None:
        """Take the worker's messages until its end; raises what a malformed one leads to."""
        while True:
            packet, fd = worker_wire.receive(process.channel)
            if not packet:
                return
            kind = worker_wire.kind_of(packet)
            if fd is not None and kind != Kind.READY:
                os.close(fd)
            if kind == Kind.CHUNK:
                self._deliver(*self._chunk(packet))
            elif kind == Kind.REFUSED:
                request, code, text = worker_wire.refusal(packet)
                self._deliver(request, Refused(code, text))
            elif kind == Kind.READ:
                self.desk.flush()
            elif kind == Kind.PROGRESS:
                self._note(worker_wire.text_of(packet, worker_wire.KIND.size))
            elif kind == Kind.READY:
                self._ready(process, packet[worker_wire.KIND.size :], fd)
            elif kind == Kind.FAILED:
                self.reason = worker_wire.text_of(packet, worker_wire.KIND.size)
                self.load_failed = True
            else:
                raise ValueError(f"a message of kind {kind}")

    def _ready(self, process: WorkerProcess, spec: bytes, area_fd: int | None) -> None:
        if area_fd is not None:
            self._area = memory.attach(area_fd)
        self.spec = worker_wire.decode_spec(spec)
        self.desk.connect(process.channel)
        self.state = State.READY
        log.info("worker %d: policy %s is ready", process.pid, self.key)
        self._note("ready")

    def _chunk(self, packet: bytes) -> tuple[int, Answer]:
        """The request and the answer in a CHUNK message; its actions stay as they are."""
        _, steps, width, in_area, request, *times = worker_wire.CHUNK.unpack_from(packet)
        source: bytes | mmap.mmap = packet
        offset = worker_wire.CHUNK.size
        if in_area:
            if self._area is None:
                raise ValueError("an answer in a reply area that it has not made")
            source, offset = self._area, 0
        if offset + steps * width * 4 > len(source):
            raise ValueError(f"an answer of {steps} × {width} in {len(source)} bytes")
        actions = np.frombuffer(source, np.float32, steps * width, offset).reshape(steps, width)
        return request, Answer(actions.copy() if in_area else actions, *times)

    def _deliver(self, request: int, outcome: Answer | Refused) -> None:
        seat, observation = self.desk.answered(request)
        if seat is None:
            self._metrics.count("dropped_answers_total")
        else:
            seat.deliver(observation, outcome)

    def _note(self, progress: str) -> None:
        self.progress = progress
        with self._lock:
            for wakeup in self._watchers:
                wakeup.wake()

    def _end(self, reason: str) -> None:
        """The worker is gone: keep nothing, say why."""
        self.reason = worker_wire.one_line(reason)
        self.state = State.GONE
        if self._area is not None:
            self._area.close()
        if not self.stopping:
            self._metrics.count("worker_deaths_total")
            log.error("the worker of policy %s ended: %s", self.key, self.reason)
        self._on_end(self)
        self._note("gone")
