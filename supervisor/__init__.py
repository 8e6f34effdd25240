"""sbctl: a supervisor and scheduler for one box."""

__version__ = "0.1.0"
