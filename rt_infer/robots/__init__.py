"""Robots: what the network process must know about an arm, by the name given to --robot.type."""
