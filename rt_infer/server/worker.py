"""The worker: loads one policy, then answers one observation after the other. May import torch.

One thread does it all. It reads observations where the door received them, in memory mapped
read-only, and writes nothing but its answer. What a policy raises is logged here with its
traceback; the robot gets one sentence.
"""

from __future__ import annotations

import contextlib
import gc
import mmap
import os
import socket
import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from rt_infer.policies.base import (
    IMAGE_KEY_PREFIX,
    STATE_KEY,
    TASK_KEY,
    CannotLoad,
    Policy,
    PolicySpec,
)
from rt_infer.policies.registry import PolicyKey, load
from rt_infer.server import memory, worker_wire
from rt_infer.server.agreement import entries_of_state
from rt_infer.server.worker_wire import Kind
from rt_infer.wire.layout import BadObservation, ObservationLayout
from rt_infer.wire.messages import ObservationSpec
from rt_infer.wire.refusals import ErrorCode

Observation = Mapping[str, Any]


class _Session:
    """One robot as the worker knows it."""

    def __init__(self, spec: bytes, policy: PolicySpec, chunk_size: int) -> None:
        robot = msgspec.json.decode(spec, type=ObservationSpec)
        self.layout = ObservationLayout(robot, policy.history, chunk_size, len(policy.actions))
        self.entries = entries_of_state(robot, policy)
        self.chunk_size = chunk_size
        self.generation = -1  # none yet: the first observation resets the policy's memory
        self.memory: mmap.mmap | None = None
        self.stride = 0

    def observation(self, slot: int, length: int) -> Observation:
        """The observation in a slot, where it lies; with a history each entry has a first axis."""
        assert self.memory is not None
        body = memoryview(self.memory)[slot * self.stride : slot * self.stride + length]
        self.layout.check(body, length)
        moments = self.layout.views(body)
        if self.entries is not None:
            for moment in moments:
                moment[STATE_KEY] = np.asarray(moment[STATE_KEY])[self.entries]
        return stack(moments)


def stack(moments: Sequence[Observation]) -> Observation:
    """Successive moments as one observation: arrays (h, …), the newest task; one is itself."""
    if len(moments) == 1:
        return moments[0]
    newest = moments[-1]
    return {
        key: value if key == TASK_KEY else np.stack([moment[key] for moment in moments])
        for key, value in newest.items()
    }


class Worker:
    """A loaded policy behind a channel."""

    def __init__(self, channel: socket.socket, key: PolicyKey, allow_python: Sequence[str]) -> None:
        self._channel = channel
        self._key = key
        self._allow_python = allow_python
        self._sessions: dict[int, _Session] = {}
        self._area: mmap.mmap | None = None
        self._policy: Policy

    def run(self) -> int:
        """Load, warm up, serve until the door hangs up; the exit status of the process."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the door is gone
            try:
                self._load()
            except CannotLoad as error:
                self._send(worker_wire.text_packet(Kind.FAILED, worker_wire.one_line(str(error))))
                return 1
            except (BrokenPipeError, ConnectionResetError):  # the door is gone while this loads
                raise
            except Exception as error:
                traceback.print_exc()
                self._send(worker_wire.text_packet(Kind.FAILED, say(error)))
                return 1
            # What has been loaded stays: the collector need not look at it again on the hot path.
            gc.collect()
            gc.freeze()
            self._serve()
        return 0

    # ---- before the first robot ---------------------------------------------------------------

    def _load(self) -> None:
        self._progress(f"importing and loading policy {self._key}")
        self._policy = load(self._key, self._allow_python)
        spec = self._policy.spec
        self._progress(f"warming up policy {self._key}")
        self._policy.reset(0)
        actions, _ = self._infer(blank_observation(self._policy))
        if actions.shape != (spec.chunk_size, len(spec.actions)):
            raise ValueError(
                f"it answers with {actions.shape} and not with the {spec.chunk_size} × "
                f"{len(spec.actions)} of its PolicySpec"
            )
        self._policy.reset(0)
        packet = worker_wire.KIND.pack(Kind.READY) + worker_wire.encode_spec(spec)
        if actions.nbytes > worker_wire.INLINE_BYTES:
            fd, self._area = memory.create("rt-infer-answer", actions.nbytes)
            worker_wire.send(self._channel, packet, fd)
            os.close(fd)
        else:
            self._send(packet)

    def _progress(self, text: str) -> None:
        self._send(worker_wire.text_packet(Kind.PROGRESS, text))

    # ---- with robots --------------------------------------------------------------------------

    def _serve(self) -> None:
        while True:
            packet, fd = worker_wire.receive(self._channel)
            if not packet:
                return
            kind = worker_wire.kind_of(packet)
            if kind == Kind.INFER:
                self._answer(packet)
                continue
            if kind == Kind.OPEN:
                assert fd is not None, "OPEN brings the session's memory"
                self._open(packet, fd)
            elif kind == Kind.CLOSE:
                self._close(worker_wire.CLOSE.unpack(packet)[1])
            self._send(worker_wire.KIND.pack(Kind.READ))

    def _open(self, packet: bytes, memory_fd: int) -> None:
        _, number, stride, chunk_size = worker_wire.OPEN.unpack_from(packet)
        layout = packet[worker_wire.OPEN.size :]
        session = _Session(layout, self._policy.spec, chunk_size)
        session.memory, session.stride = memory.attach(memory_fd), stride
        self._sessions[number] = session

    def _close(self, number: int) -> None:
        del self._sessions[number]  # and with it the mapping of its memory
        try:
            self._policy.reset(number)
        except Exception:  # nobody is left to hear of it, and the other robots are not concerned
            traceback.print_exc()

    def _answer(self, packet: bytes) -> None:
        started_ns = time.monotonic_ns()
        _, number, slot, length, generation, _, request = worker_wire.INFER.unpack(packet)
        session = self._sessions[number]
        try:
            if generation != session.generation:
                session.generation = generation
                self._policy.reset(number)
            actions, times = self._infer(session.observation(slot, length))
        except BadObservation as error:
            sentence = worker_wire.one_line(str(error))
            self._send(worker_wire.refused_packet(ErrorCode.BAD_OBSERVATION, request, sentence))
        except Exception as error:
            traceback.print_exc()
            sentence = f"The policy failed on this observation ({say(error)}): see the server's log"
            self._send(worker_wire.refused_packet(ErrorCode.POLICY_FAILED, request, sentence + "."))
        else:
            self._reply(request, actions[: session.chunk_size], started_ns, *times)

    def _infer(self, observation: Observation) -> tuple[np.ndarray, tuple[int, int]]:
        """The policy's answer, float32 (T, A), and when it was prepared and inferred [ns]."""
        try:
            batch = self._policy.prepare(observation)
        except ValueError as error:  # as the Policy protocol says: an entry is not as it should be
            raise BadObservation(str(error)) from error
        prepared_ns = time.monotonic_ns()
        output = self._policy.infer(batch)
        inferred_ns = time.monotonic_ns()
        actions = np.ascontiguousarray(self._policy.finish(output), np.float32)
        if actions.ndim != 2:
            raise TypeError(f"it answers with an array of shape {actions.shape}, not (T, A)")
        return actions, (prepared_ns, inferred_ns)

    def _reply(
        self, request: int, actions: np.ndarray, started_ns: int, prepared_ns: int, inferred_ns: int
    ) -> None:
        inline = actions.nbytes <= worker_wire.INLINE_BYTES
        if not inline:
            if self._area is None or actions.nbytes > len(self._area):
                sentence = f"The policy answered with {actions.shape} numbers, more than it said."
                self._send(worker_wire.refused_packet(ErrorCode.BAD_ANSWER, request, sentence))
                return
            self._area[: actions.nbytes] = actions.tobytes()
        times = started_ns, prepared_ns, inferred_ns
        head = worker_wire.CHUNK.pack(Kind.CHUNK, *actions.shape, not inline, request, *times)
        self._send(head + actions.tobytes() if inline else head)

    def _send(self, packet: bytes) -> None:
        self._channel.send(packet)


def say(error: Exception) -> str:
    """An error in one line, for somebody who does not see its traceback."""
    text = worker_wire.one_line(str(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def blank_observation(policy: Policy) -> Observation:
    """An observation of the policy's own shape: a black image, a state of zeros."""
    spec = policy.spec
    moment: dict[str, Any] = {
        IMAGE_KEY_PREFIX + name: np.zeros(shape, np.uint8) for name, shape in spec.images.items()
    }
    moment[STATE_KEY] = np.zeros(len(spec.state), np.float32)
    moment[TASK_KEY] = ""
    return stack([moment] * spec.history)
