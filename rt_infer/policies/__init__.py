"""Policies: the protocol they obey, the registry that finds them, and the two that ship.

Importing this package imports no model framework; only `reach` and a worker do.
"""
