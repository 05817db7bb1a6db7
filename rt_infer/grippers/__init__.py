"""Grippers: devices that open and close, each owned by a thread of its own, newest command wins."""
