"""The wire between robot and server; docs/protocol.md is its specification.

From the ground up: `frames` (kinds, limits, faults), `messages` (what the handshake's maps say),
`refusals` (what an ERROR says), `layout` (where an observation's fields lie), `addresses` and
`links` (a connected socket), `channel` (frames over a link), `proofs` and `handshake`,
`client`. No module here knows torch.
"""
