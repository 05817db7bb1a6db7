"""The robot's machine: the core process, the memory shared with it, the way to the server.

Empty on purpose: the core process imports this package and must not pay for the rest of it.
"""
