"""The key of the REST interface: always there, never a default, never guessable.

`DASHBOARD_KEY` from the environment is taken when it is set; else `etc/secrets/dashboard.key`, which is
made at the first start. A key that is set but weak ends the server: it would be taken for protection.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import sys

from supervisor.base.errors import BAD_SETTINGS, Problem
from supervisor.base.files import read_small, write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "DASHBOARD_KEY"
MIN_CHARS = 16
MIN_DIFFERENT = 6

_MAX_BYTES = 4096

# What a key must not consist of: the words that stand in samples, and rows of keys and digits.
_KNOWN = re.compile(
    r"change|replace|example|sample|default|insert|secret|password|passwd|admin|dashboard|sbctl|supervisor|token|key"
    r"|here|your|this|test|please|todo|none|null|me|my|qwerty|asdf|letmein|welcome|abcdef|0123456789|1234567890"
    r"|123456789|12345678|1234567|123456|[^a-z0-9]"
)


def load_key(key_file: str, environment: Mapping[str, str]) -> bytes:
    """The key in force; made when there is none. Raises a Problem for one that protects nothing."""
    given = environment.get(VARIABLE)
    if given is not None:
        return _judged(given.strip(), f"the environment variable {VARIABLE}")
    try:
        text = _read(key_file) or _make(key_file)
    except OSError as error:
        raise _bad(f"the key in {key_file} can't be read or made", error.strerror or str(error)) from None
    return _judged(text, key_file)


def weakness(key: str) -> str:
    """Why this is no good key; empty when it is one."""
    if not key:
        return "it is empty"
    if not (key.isascii() and key.isprintable()) or " " in key:
        return "it has characters that a header can't carry (use letters, digits and punctuation)"
    if len(key) < MIN_CHARS:
        return f"it has {len(key)} characters; at least {MIN_CHARS} are needed"
    if len(set(key)) < MIN_DIFFERENT:
        return "it repeats a few characters"
    if len(_KNOWN.sub("", key.lower())) < MIN_CHARS // 2:
        return "it is made of words that everybody tries"
    return ""


def _judged(key: str, where: str) -> bytes:
    reason = weakness(key)
    if reason:
        raise _bad(f"the dashboard key in {where} is refused", reason)
    return key.encode()


def _bad(what: str, why: str) -> Problem:
    remedy = f"unset {VARIABLE} and remove the key file: a random key is made at the next start"
    return Problem(what, why=why, remedy=remedy, code=BAD_SETTINGS)


def _read(key_file: str) -> str:
    try:
        _tighten(key_file)
        return read_small(key_file, _MAX_BYTES).decode("utf-8", "replace").strip()
    except FileNotFoundError:
        return ""


def _tighten(key_file: str) -> None:
    """Take the key away from others' eyes if somebody copied it there with the usual mode."""
    found = os.stat(key_file)
    if not stat.S_IMODE(found.st_mode) & 0o077:
        return
    try:
        os.chmod(key_file, 0o600)
    except OSError:
        # A mounted secret, say: its owner decides who may read it.
        sys.stderr.write(f"sbctl: warning: others may read {key_file}\n")


def _make(key_file: str) -> str:
    os.makedirs(os.path.dirname(key_file), mode=0o700, exist_ok=True)
    write_atomic(key_file, secrets.token_urlsafe(32).encode() + b"\n", mode=0o600, durable=True)
    return _read(key_file)
