"""A host and a port as one text."""

from __future__ import annotations


def in_url(host: str) -> str:
    """As a URL has it: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def address(host: str, port: int) -> str:
    return f"{in_url(host)}:{port}"
