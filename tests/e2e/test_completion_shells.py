"""The completion scripts in the shells they are for."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from support.home import LAUNCHER, TemporaryHome

BASH = r"""
eval "$(sbctl completion bash)"
try() {
    COMP_LINE=$1 COMP_POINT=${#1}
    _sbctl sbctl "${1##* }" ""
    printf '%s\n' "${COMPREPLY[*]}"
}
"""

# A real zsh on a terminal of its own: each line is typed, then TAB, then a key that writes down what stands there.
ZSH = r"""
zmodload zsh/zpty
zpty -b z zsh -f -i
zpty -w z 'autoload -U compinit; compinit -u -D; eval "$(sbctl completion zsh)"'
zpty -w z 'buffer() { print -r -- "$BUFFER" >>$OUT; BUFFER= }; zle -N buffer; bindkey "^X" buffer'
zpty -w z 'print -r -- ready >>$OUT'
wait_for() {
    for try in {1..200}; do
        [[ -e $OUT && $(wc -l <$OUT) -ge $1 ]] && return
        sleep 0.05
    done
    exit 3
}
wait_for 1
count=1
for line in "$@"; do
    zpty -w -n z "$line"$'\t\x18'
    wait_for $((++count))
done
zpty -d z
"""


@pytest.fixture
def path(home: TemporaryHome, tmp_path: Path) -> dict[str, str]:
    """An environment in which this sbctl is called by its name."""
    home.add_plugin("webserver", ["/bin/sleep", "1000"])
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sbctl").symlink_to(LAUNCHER)
    (tmp_path / "folder").mkdir()
    return {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "HOME": str(tmp_path), "OUT": str(tmp_path / "out")}


def needs(shell: str) -> str:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    return found


def test_bash(home: TemporaryHome, tmp_path: Path, path: dict[str, str]) -> None:
    lines = ["sbctl versio", "sbctl why webs", "sbctl signal webserver US", f"sbctl init {tmp_path}/fo", "sbctl stop x"]
    script = BASH + "".join(f"try '{line}'\n" for line in lines)
    done = home.run([needs("bash"), "--norc", "-c", script], env=path)
    assert done.err == ""
    assert done.out.splitlines() == ["version", "webserver", "USR1 USR2", f"{tmp_path}/folder", ""]


def test_zsh(home: TemporaryHome, tmp_path: Path, path: dict[str, str]) -> None:
    lines = ["sbctl versio", "sbctl why webs", "sbctl signal webserver US", f"sbctl init {tmp_path}/fo"]
    done = home.run([needs("zsh"), "-f", "-c", ZSH, "zsh", *lines], env=path)
    assert done.code == 0, done
    assert Path(path["OUT"]).read_text().splitlines() == [
        "ready",
        "sbctl version ",
        "sbctl why webserver ",
        "sbctl signal webserver USR",
        f"sbctl init {tmp_path}/folder/",
    ]


def test_fish(home: TemporaryHome, tmp_path: Path, path: dict[str, str]) -> None:
    lines = ["sbctl versio", "sbctl why webs", f"sbctl init {tmp_path}/fo", "sbctl stop x"]
    script = "sbctl completion fish | source\n" + "".join(f"complete -C '{line}'; echo ==\n" for line in lines)
    done = home.run([needs("fish"), "--no-config", "-c", script], env=path)
    assert done.err == ""
    assert [part.split("\t")[0].strip() for part in done.out.split("==\n")] == [
        "version",
        "webserver",
        f"{tmp_path}/folder/",
        "",
        "",
    ]


def test_a_tab_sets_nothing_up(home: TemporaryHome, tmp_path: Path) -> None:
    """Where there is no environment yet, the launcher makes one; but not for this."""
    venv = tmp_path / "none"
    done = home.sbctl("__complete", "bash", "sbctl ", ":=", env={"SB_VENV": str(venv)})
    assert done == (0, "", "")
    assert not venv.exists()
