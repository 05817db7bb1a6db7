"""Both sides of the handshake (docs/protocol.md, section 4), on a channel that was just made.

Client: `greet`. Server: `ServerHandshake`: `authenticate`, any number of `loading`, `welcome`.
The server's part knows nothing of policies: it answers with a checked request or a `Refusal`.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable

from rt_infer.wire.channel import Channel
from rt_infer.wire.frames import SILENCE_S, Kind
from rt_infer.wire.links import LinkLost
from rt_infer.wire.messages import AuthRequest, Welcome, decode, encode
from rt_infer.wire.proofs import NONCE_SIZE, PROOF_SIZE, Transcript, new_nonce, proof_fits
from rt_infer.wire.refusals import ErrorBody, ErrorCode, Refusal, RemoteError, clean_text

AUTH_DEADLINE_S = 10.0
"""A server gives a client this long from connecting until its AUTH is there."""

_GREETING_SIZE = NONCE_SIZE + 4  # HELLO and CHALLENGE
_PROOF_HEAD = struct.Struct(f"<{PROOF_SIZE}sI")  # in front of AUTH's and WELCOME's maps


def greet(
    channel: Channel,
    request: AuthRequest,
    token: str | None = None,
    on_loading: Callable[[str], None] | None = None,
) -> Welcome:
    """The client's side: from HELLO to a WELCOME whose proof holds; sets `channel.session`.

    on_loading is called with each LOADING text. Raises RemoteError (refused, or the server does not
    know the token), FrameError, LinkLost (3 s of silence, or closed); the caller closes.
    """
    transcript = Transcript(token)
    _send_recorded(channel, transcript, Kind.HELLO, new_nonce() + bytes(4))
    challenge = _receive_answer(channel, Kind.CHALLENGE)
    _check_length(challenge, _GREETING_SIZE)
    transcript.add(channel.received_head, challenge)
    _check_token(channel.link.peer, bool(challenge[NONCE_SIZE]), token)

    wanted = encode(request)
    proof = transcript.client_proof(wanted)
    _send_recorded(channel, transcript, Kind.AUTH, _PROOF_HEAD.pack(proof, len(wanted)) + wanted)
    while True:
        body = _receive_answer(channel, Kind.LOADING, Kind.WELCOME)
        if channel.received.kind == Kind.WELCOME:
            break
        if on_loading is not None:
            on_loading(clean_text(body))
    proof, answer = _split(body)
    if not proof_fits(proof, transcript.server_proof(answer)):
        raise _distrust(
            f"{channel.link.peer} does not know the token: do not let it move an arm; "
            "check --token_file and the address."
        )
    try:
        welcome = decode(answer, Welcome)
    except ValueError as error:
        raise _distrust(f"{error} Run the same version of rt-infer on both sides.") from None
    if welcome.session != channel.received.session:
        raise _distrust(
            f"{channel.link.peer} gave two numbers to one session: run the same version "
            "of rt-infer on both sides."
        )
    if welcome.chunk_size > request.policy.actions_per_chunk:
        raise _distrust(
            f"{channel.link.peer} answers with {welcome.chunk_size} actions where at most "
            f"{request.policy.actions_per_chunk} were asked for: run the same version of rt-infer "
            "on both sides."
        )
    channel.session = welcome.session
    return welcome


class ServerHandshake:
    """The server's side of one connection."""

    def __init__(self, channel: Channel, token: str | None) -> None:
        self._channel = channel
        self._token = token
        self._transcript = Transcript(token)
        self._auth_sequence = 0

    def authenticate(self, deadline_s: float = AUTH_DEADLINE_S) -> AuthRequest:
        """Receive HELLO and AUTH within `deadline_s`; the request once its proof holds.

        Raises Refusal (to be answered and closed), FrameError (answered with
        ErrorBody.of_frame_error and closed), LinkLost.
        """
        until_s = time.monotonic() + deadline_s
        hello = self._receive(Kind.HELLO, until_s)
        _refuse_length(len(hello) == _GREETING_SIZE, "HELLO")
        self._transcript.add(self._channel.received_head, hello)
        challenge = new_nonce() + bytes([bool(self._token), 0, 0, 0])
        _send_recorded(
            self._channel,
            self._transcript,
            Kind.CHALLENGE,
            challenge,
            reply_to=self._channel.received.sequence,
        )
        auth = self._receive(Kind.AUTH, until_s)
        _refuse_length(len(auth) >= _PROOF_HEAD.size, "AUTH")
        proof, request = _split(auth)
        if not proof_fits(proof, self._transcript.client_proof(request)):
            raise _refusal(
                ErrorCode.AUTH_FAILED,
                "The token is not the server's: give the one that the server was started with.",
            )
        self._transcript.add(self._channel.received_head, auth)
        self._auth_sequence = self._channel.received.sequence
        try:
            return decode(request, AuthRequest)
        except ValueError as error:
            raise _refusal(ErrorCode.BAD_REQUEST, str(error)) from None

    def loading(self, text: str) -> None:
        """Tell the client what is being loaded; at least once a second while it is."""
        body = text.encode()[:1024]
        self._channel.send(Kind.LOADING, [body], len(body), reply_to=self._auth_sequence)

    def welcome(self, welcome: Welcome) -> None:
        """Prove the token and hand over the session; sets `channel.session`."""
        answer = encode(welcome)
        body = _PROOF_HEAD.pack(self._transcript.server_proof(answer), len(answer)) + answer
        self._channel.session = welcome.session
        self._channel.send(Kind.WELCOME, [body], len(body), reply_to=self._auth_sequence)

    def _receive(self, kind: Kind, until_s: float) -> bytes:
        try:
            header = self._channel.receive_header(deadline_s=until_s)
            if header.kind != kind:
                raise _refusal(
                    ErrorCode.OUT_OF_ORDER,
                    f"The server expected {kind.name} and got {Kind(header.kind).name}: run the "
                    "same version of rt-infer on both sides.",
                )
            return self._channel.receive_body(until_s)
        except LinkLost:
            if time.monotonic() < until_s:
                raise
            raise _refusal(
                ErrorCode.TOO_SLOW,
                "The client did not identify itself in time: check the network and try again.",
            ) from None


def _send_recorded(
    channel: Channel, transcript: Transcript, kind: Kind, body: bytes, reply_to: int = 0
) -> None:
    channel.send(kind, [body], len(body), reply_to=reply_to)
    transcript.add(channel.sent_head, body)


def _receive_answer(channel: Channel, *expected: Kind) -> bytes:
    """The body of the server's next frame, which is one of `expected`; an ERROR is raised."""
    header = channel.receive_header(SILENCE_S)
    body = channel.receive_body()
    if header.kind == Kind.ERROR:
        raise RemoteError(ErrorBody.decode(body))
    if header.kind == Kind.BYE:
        raise LinkLost(f"{channel.link.peer} is stopping: connect again later.")
    if header.kind not in expected:
        raise _distrust(
            f"{channel.link.peer} answered with {Kind(header.kind).name} out of turn: "
            "run the same version of rt-infer on both sides."
        )
    return body


def _check_token(peer: str, wanted: bool, token: str | None) -> None:
    if wanted and not token:
        raise _distrust(f"{peer} wants a token: give it with --token_file.")
    if token and not wanted:
        raise _distrust(
            f"{peer} has no token, so it cannot prove who it is: start it with the "
            "token, or leave --token_file out."
        )


def _split(body: bytes) -> tuple[bytes, bytes]:
    """Proof and map of an AUTH or WELCOME; a malformed one has an empty proof, which never fits."""
    if len(body) < _PROOF_HEAD.size:
        return b"", b""
    proof, length = _PROOF_HEAD.unpack_from(body)
    if length != len(body) - _PROOF_HEAD.size:
        return b"", b""
    return proof, body[_PROOF_HEAD.size :]


def _check_length(body: bytes, length: int) -> None:
    if len(body) != length:
        raise _distrust(
            "The server's greeting has a wrong length: run the same version of "
            "rt-infer on both sides."
        )


def _refuse_length(right: bool, name: str) -> None:
    if not right:
        raise _refusal(
            ErrorCode.BAD_FRAME,
            f"{name} has a wrong length: run the same version of rt-infer on both sides.",
        )


def _refusal(code: ErrorCode, sentence: str) -> Refusal:
    return Refusal(ErrorBody.of(code, sentence))


def _distrust(sentence: str) -> RemoteError:
    return RemoteError(ErrorBody.of(ErrorCode.AUTH_FAILED, sentence))
