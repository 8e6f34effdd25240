"""Names whose values nobody gets to see by accident."""

from __future__ import annotations

# sbctl's own; a plugin gets one only when its manifest says so (passEnv).
SECRETS = ("DASHBOARD_KEY", "DISCORD_WEBHOOK", "GITHUB_TOKEN")

_WORDS = ("KEY", "TOKEN", "SECRET", "PASS", "PWD", "CREDENTIAL", "WEBHOOK", "DSN", "AUTH")


def masked(name: str, value: str) -> str:
    """The value of an environment variable as it may be shown: references yes, what looks like a secret no."""
    is_reference = value.startswith(("env:", "file:")) or (value.startswith("${") and value.endswith("}"))
    is_secret = any(word in name.upper() for word in _WORDS)
    return "***" if is_secret and value and not is_reference else value
