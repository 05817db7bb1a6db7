"""The robot's end of the wire: observations out, chunks of actions back. No torch.

`submit` and `poll` never wait for the policy; `infer` is the two together. One thread calls all of
it. What the user can act on comes as ConnectFailed, RemoteError (the server refused) or LinkLost
(the connection is gone: `reconnect`). A wrong observation is a BadObservation, raised before
anything is sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

import rt_infer
from rt_infer.wire.addresses import AddressError, parse_address
from rt_infer.wire.channel import Channel
from rt_infer.wire.chunk import Chunk
from rt_infer.wire.conversation import Conversation
from rt_infer.wire.frames import SERVER_KINDS, FrameError, micros
from rt_infer.wire.handshake import greet
from rt_infer.wire.layout import BadObservation, Observation
from rt_infer.wire.links import ConnectFailed, LinkLost, connect
from rt_infer.wire.messages import AuthRequest, ObservationSpec, PolicyRequest, Welcome, checked
from rt_infer.wire.refusals import ErrorBody, RemoteError

__all__ = [
    "AddressError",
    "BadObservation",
    "Chunk",
    "Client",
    "ConnectFailed",
    "LinkLost",
    "ObservationSpec",
    "RemoteError",
]


class Client:
    """A session with one policy on a server; connects and loads the policy when it is made.

    address: `host:port`, `unix:///path` or `auto` (rt_infer.wire.addresses).
    spec: what every observation will look like.
    policy_type, pretrained_name_or_path, policy_device, actions_per_chunk: as LeRobot names them.
    token: what the server was started with; both sides prove that they know it.
    robot_id: a name for the server's logs.
    on_loading: called with a line of text about once a second while the policy loads.

    Raises AddressError, ConnectFailed, RemoteError, LinkLost, or ValueError for a wrong request.
    """

    def __init__(
        self,
        address: str,
        spec: ObservationSpec,
        *,
        policy_type: str,
        pretrained_name_or_path: str = "",
        policy_device: str = "cpu",
        actions_per_chunk: int = 50,
        token: str | None = None,
        robot_id: str = "",
        connect_timeout_s: float = 5.0,
        on_loading: Callable[[str], None] | None = None,
    ) -> None:
        self._address = parse_address(address)
        policy = PolicyRequest(
            policy_type, pretrained_name_or_path, policy_device, actions_per_chunk
        )
        self._request = checked(
            AuthRequest(policy, spec, robot_id, f"rt-infer {rt_infer.__version__}")
        )
        self._token = token
        self._connect_timeout_s = connect_timeout_s
        self._on_loading = on_loading
        self._moved_before = (0, 0)  # bytes sent and received on earlier connections
        self._conversation, self._welcome = self._connect()

    def _connect(self) -> tuple[Conversation, Welcome]:
        channel = Channel(connect(self._address, self._connect_timeout_s), SERVER_KINDS)
        try:
            welcome = greet(channel, self._request, self._token, self._on_loading)
            return Conversation(channel, self._request.spec, welcome), welcome
        except FrameError as error:
            channel.close()
            raise RemoteError(ErrorBody.of_frame_error(error)) from error
        except BaseException:
            channel.close()
            raise

    def reconnect(self) -> None:
        """Leave the connection, if it is still there, and make a new one: a new session.

        What was asked before is not answered any more; epochs begin anew. Raises as the constructor
        does, and may then be called again.
        """
        self.close()
        sent, received = self._conversation.bytes_moved
        self._moved_before = (self._moved_before[0] + sent, self._moved_before[1] + received)
        self._conversation, self._welcome = self._connect()

    def close(self) -> None:
        """Say good-bye and close; may be called twice."""
        self._conversation.say_goodbye()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def welcome(self) -> Welcome:
        """What the server agreed to: T, action names, history, its hint for fps."""
        return self._welcome

    @property
    def awaiting(self) -> bool:
        """Whether an observation is out whose answer has not been polled yet."""
        return self._conversation.awaiting

    @property
    def bytes_sent(self) -> int:
        """Bytes sent on all connections of this client."""
        return self._moved_before[0] + self._conversation.bytes_moved[0]

    @property
    def bytes_received(self) -> int:
        """Bytes received on all connections of this client."""
        return self._moved_before[1] + self._conversation.bytes_moved[1]

    def submit(
        self,
        observation: Observation | Sequence[Observation],
        *,
        policy_step: float = 0.0,
        epoch: int | None = None,
        capture_ns: int | None = None,
        slack_s: float | None = None,
    ) -> None:
        """Send one observation without waiting for its answer; pixels leave from where they lie.

        observation: "observation.state" (S,), "observation.images.<name>" uint8 (H, W, 3), "task"
        str; or a list of successive ones, oldest first, for a policy with a history.
        policy_step: the policy clock at capture. epoch: never smaller than before (default: the
        last one). capture_ns: CLOCK_MONOTONIC at capture (default: now). slack_s: how long the
        robot's actions will last (default: nobody waits).

        One at a time: RuntimeError while an answer is awaited, unless the epoch is newer; then the
        older observation is given up. Raises BadObservation and LinkLost too.
        """
        self._conversation.observe(
            [observation] if isinstance(observation, Mapping) else observation,
            epoch=self._conversation.epoch if epoch is None else epoch,
            policy_step=policy_step,
            capture_ns=time.monotonic_ns() if capture_ns is None else capture_ns,
            slack_us=micros(slack_s),
        )

    def poll(self, timeout_s: float = 0.0) -> Chunk | None:
        """The chunk that answers the last `submit`, once it is there; waits at most `timeout_s`.

        None: not yet, or the server dropped the observation for a newer one (`awaiting` tells
        which), or nothing was asked. Raises RemoteError (after one that is not `closing` the
        session goes on) and LinkLost.
        """
        return self._conversation.poll(timeout_s)

    def infer(
        self, observation: Observation | Sequence[Observation], timeout_s: float | None = None
    ) -> Chunk:
        """Send one observation and wait for its chunk; TimeoutError after `timeout_s`.

        After a TimeoutError the answer may still come (`awaiting`): poll() for it, or reset().
        """
        until_s = None if timeout_s is None else time.monotonic() + timeout_s
        self.submit(observation)
        while True:
            left_s = 60.0 if until_s is None else max(0.0, until_s - time.monotonic())
            chunk = self.poll(left_s)
            if chunk is not None:
                return chunk
            if until_s is not None and time.monotonic() >= until_s:
                raise TimeoutError(f"The policy did not answer within {timeout_s:g} s.")
            if not self.awaiting:  # superseded
                self.submit(observation)

    def reset(self, epoch: int | None = None) -> None:
        """Begin `epoch` (default: the next): the policy forgets this robot, older answers are void.

        Returns once the server has confirmed it, which does not wait for the policy. Raises as
        `poll` does.
        """
        self._conversation.reset(self._conversation.epoch + 1 if epoch is None else epoch)

    def ping(self) -> float:
        """The round trip to the server's door in s, whatever the policy does. As `poll` raises."""
        return self._conversation.ping()
