"""The proofs that both sides know the token (docs/protocol.md, section 4.6).

A `Transcript` takes the frames of one handshake, each as it was on the wire, and answers with the
two proofs. Nonces make every transcript new, so a recorded proof fits none; the labels differ, so
a side's own proof sent back to it does not fit either.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

NONCE_SIZE = 32
PROOF_SIZE = 32
_CLIENT_LABEL = b"rt-infer 1 client"
_SERVER_LABEL = b"rt-infer 1 server"


def new_nonce() -> bytes:
    """32 fresh bytes from the operating system."""
    return secrets.token_bytes(NONCE_SIZE)


class Transcript:
    """The frames of one handshake so far, in the order in which they were sent."""

    def __init__(self, token: str | None) -> None:
        self._key = (token or "").encode()
        self._frames = b""

    def add(self, head: bytes, body: bytes) -> None:
        """Append one whole frame."""
        self._frames += head + body

    def client_proof(self, request: bytes) -> bytes:
        """The client's proof over HELLO and CHALLENGE, both added, and `request`."""
        return self._proof(_CLIENT_LABEL, request)

    def server_proof(self, answer: bytes) -> bytes:
        """The server's proof over HELLO, CHALLENGE and AUTH, all added, and `answer`."""
        return self._proof(_SERVER_LABEL, answer)

    def _proof(self, label: bytes, last: bytes) -> bytes:
        return hmac.new(self._key, label + self._frames + last, hashlib.sha256).digest()


def proof_fits(given: bytes, expected: bytes) -> bool:
    """Whether two proofs are the same, in a time that does not tell how much of them is."""
    return hmac.compare_digest(given, expected)
