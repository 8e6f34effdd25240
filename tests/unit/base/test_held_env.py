"""An environment on its way past root's programs."""

from __future__ import annotations

import subprocess

from supervisor.base.held_env import GIVE_BACK, given_back, hold

ENV = {
    "PATH": "/own bin:/usr/bin:/bin", "LD_PRELOAD": "/no/such.so", "LOCPATH": "/evil", "LC_ALL": "xx_XX", "IFS": "x",
    "A": " two  words\n$HOME `id` \"'\\ \udcff", "EMPTY": "", "_sb_name": "own", "SB_KEY": "web.1",
}  # fmt: skip


def test_nothing_of_it_has_a_meaning_until_it_is_given_back() -> None:
    held = hold({**ENV, "not a name": "x", "a-b": "x", "é": "x", "SB_LATER": "x", "SB_LATER_A": "x"})

    assert {name for name in held if not name.startswith("SB_LATER")} == {"PATH", "SB_KEY"}
    assert "own" not in held["PATH"]
    assert given_back(held) == ENV


def test_a_shell_gives_it_back() -> None:
    env = {name: value for name, value in ENV.items() if name not in ("LD_PRELOAD", "_sb_name", "IFS")}
    script = GIVE_BACK + 'exec "$@"'
    for shell in (["/bin/sh"], ["/bin/bash", "--posix"]):
        done = subprocess.run(
            [*shell, "-c", script, "sh", "env", "-0"], env=hold({**env, "UID": "7"}), capture_output=True, check=True
        )
        pairs = (item.partition(b"=") for item in done.stdout.rstrip(b"\0").split(b"\0"))
        found = {name.decode(): value.decode("utf-8", "surrogateescape") for name, _, value in pairs}

        assert {name: found.get(name) for name in env} == env
        assert not [name for name in found if name.startswith("SB_LATER")]
        assert set(found) - set(env) <= {"PWD", "SHLVL", "_", "OLDPWD", "UID"}
