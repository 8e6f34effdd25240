"""`sbctl logs`: which lines, in which order, shown how; on files as the daemons leave them."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.raw_logs import NOON, home_with_logs, texts, write

from supervisor.base.clock import iso, stamp
from supervisor.cli import log_view
from supervisor.cli.main import main
from supervisor.model.home import Home

Sbctl = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return home_with_logs(tmp_path)


@pytest.fixture
def sbctl(home: Home, capfd: pytest.CaptureFixture[str]) -> Sbctl:
    def run(*args: str) -> tuple[int, str, str]:
        code = main(["--home", home.path, *args])
        said = capfd.readouterr()
        return code, said.out, said.err

    return run


def compile_with(home: Home, **launches: dict[str, Any]) -> None:
    services = [
        {
            "name": name.replace("_", ":"),
            "launch": {
                "log": home.server_log(*split(name)),
                "err_log": "",
                "env": {},
                "env_file": "",
                "cwd": home.path,
                "sink": "file",
                **more,
            },
        }
        for name, more in launches.items()
    ]
    path = home.compiled_file("scheduler")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    Path(path).write_text(json.dumps({"services": services}))


def split(name: str) -> tuple[str, int]:
    plugin, _, number = name.partition("_")
    return plugin, int(number or 0)


def test_several_services_are_merged_by_time(sbctl: Sbctl, home: Home) -> None:
    write(home.server_log("web"), (0, "one"), (2, "three"), (4, "five"))
    write(home.server_log("mail"), (1, "two"), (3, "four"))

    assert sbctl("logs", "web", "mail")[1].splitlines() == [
        "web | one",
        "mail | two",
        "web | three",
        "mail | four",
        "web | five",
    ]
    assert texts(sbctl("logs", "web", "mail", "-n", "1")[1]) == ["four", "five"]
    assert sbctl("logs", "*", "--no-prefix")[1] == "one\ntwo\nthree\nfour\nfive\n"
    assert sbctl("logs", "mail", "--prefix")[1] == "mail | two\nmail | four\n"


def test_stdout_and_stderr_apart_and_together(sbctl: Sbctl, home: Home) -> None:
    err = home.server_err_log("web")
    compile_with(home, web={"err_log": err}, mail={"sink": "none"})
    write(home.server_log("web"), (0, "out 1"), (2, "out 2"))
    write(err, (1, "err 1"), (3, "err 2"))

    assert sbctl("logs", "web")[1] == "out 1\nerr 1\nout 2\nerr 2\n"
    assert sbctl("logs", "web", "--stderr")[1] == "err 1\nerr 2\n"
    assert sbctl("logs", "web", "--stdout")[1] == "out 1\nout 2\n"
    assert sbctl("logs", "web", "-n", "3")[1] == "err 1\nout 2\nerr 2\n"
    told = sbctl("logs", "mail")[2]
    assert told.startswith("mail: its output is not kept")
    for more in ([], ["--stderr"], ["-n", "5"]):
        assert sbctl("logs", "mail", *more)[2] == "mail: its output is not kept: its settings say log: none\n"


def test_what_its_commands_wrote(sbctl: Sbctl, home: Home) -> None:
    compile_with(home, web={})
    write(home.server_log("web"), (0, "out"))
    write(home.commands_log("web"), (0, "migrated"))
    assert sbctl("logs", "web", "--commands")[1] == "migrated\n"
    assert sbctl("logs", "config", "--commands")[2] == "config has no commands beside it\n"
    assert sbctl("logs", "web", "--commands", "--stderr")[0] == 2


def test_instances_and_patterns(sbctl: Sbctl, home: Home) -> None:
    compile_with(home, web_1={}, web_2={}, mail={})
    write(home.server_log("web", 1), (0, "first"))
    write(home.server_log("web", 2), (1, "second"))
    write(home.server_log("mail"), (2, "third"))

    assert sbctl("logs", "web")[1] == "web:1 | first\nweb:2 | second\n"
    assert sbctl("logs", "web:2")[1] == "second\n"
    assert sbctl("logs", "m*")[1] == "third\n"
    assert sbctl("logs", "x*")[0] == 2


def test_a_time_is_found_over_rotated_and_packed_files(sbctl: Sbctl, home: Home) -> None:
    log = home.server_log("web")
    write(f"{log}.2", (-7200, "two hours before"), (-7100, "a little later"))
    inode_of = os.stat(f"{log}.2").st_ino
    write(f"{log}.1", (-3600, "an hour before"), (-60, "a minute before"))
    write(log, (0, "noon"), (60, "a minute after"))
    with gzip.open(f"{log}.2.gz", "wb") as packed:
        packed.write(Path(f"{log}.2").read_bytes())
    os.utime(f"{log}.2.gz", (NOON - 7100,) * 2)
    data = Path(f"{log}.2.idx").read_bytes()
    os.unlink(f"{log}.2")
    Path(f"{log}.2.idx").write_bytes(
        data.replace(inode_of.to_bytes(8, "little"), os.stat(f"{log}.2.gz").st_ino.to_bytes(8, "little"))
    )

    def between(since: float, until: float) -> list[str]:
        return texts(sbctl("logs", "web", "--since", iso(NOON + since), "--until", iso(NOON + until))[1])

    assert between(-7200, 0) == ["two hours before", "a little later", "an hour before", "a minute before", "noon"]
    assert between(-7150, -3000) == ["a little later", "an hour before"]
    assert between(-59, 59) == ["noon"]
    assert between(500, 600) == []
    assert sbctl("logs", "web", "-n", "5")[1].splitlines()[0] == "a little later"
    shown = sbctl("logs", "web", "--since", iso(NOON + 30))[1]
    assert shown == f"[{stamp(NOON + 60)}] web | a minute after\n"
    assert sbctl("logs", "web", "--since", iso(NOON), "--until", iso(NOON - 1))[0] == 2
    last = sbctl("logs", "web", "--since", iso(NOON - 7200), "--until", iso(NOON), "-n", "2")[1]
    assert texts(last) == ["a minute before", "noon"]
    assert sbctl("logs", "web", "--since", iso(NOON - 7200), "-n", "1", "--raw")[1] == "a minute after\n"


@pytest.mark.parametrize("damage", ["missing", "cut", "stale", "garbage"])
def test_without_a_good_index_times_are_those_of_the_file(sbctl: Sbctl, home: Home, damage: str) -> None:
    log = home.server_log("web")
    write(log, (0, "one"), (60, "two"))
    index = Path(f"{log}.idx")
    if damage == "missing":
        index.unlink()
    elif damage == "cut":
        index.write_bytes(index.read_bytes()[:20])
    elif damage == "stale":
        os.rename(log, f"{log}.new")
        Path(log).write_text("one\ntwo\n")
        os.utime(log, (NOON + 60,) * 2)
    else:
        index.write_bytes(os.urandom(1000))

    assert texts(sbctl("logs", "web", "--since", iso(NOON + 59))[1]) == ["one", "two"]
    assert sbctl("logs", "web")[1] == "one\ntwo\n"


def test_events_stand_between_lines_that_have_times(sbctl: Sbctl, home: Home) -> None:
    events = [
        {"kind": "k", "at": iso(NOON + at), "service": name, "text": f"{name}: {text}"}
        for at, name, text in (
            (-5, "web", "long before"),
            (0.5, "web", "started"),
            (1, "other", "x"),
            (3, "web", "exited"),
        )
    ]
    Path(home.journal_file).write_text("".join(json.dumps(event) + "\n" for event in events))
    write(home.server_log("web"), (0, "one"), (2, "two"))

    told = sbctl("logs", "web", "--since", iso(NOON))[1].splitlines()

    assert [line.partition("] ")[2] for line in told] == ["web | one", "web: started", "web | two", "web: exited"]
    assert sbctl("logs", "web", "--since", iso(NOON), "--stdout")[1].count("\n") == 2
    assert texts(sbctl("logs", "web", "--since", iso(NOON), "-n", "1")[1]) == ["two"]  # so many lines of its own
    assert [
        json.loads(line)["text"]
        for line in sbctl("logs", "web", "--json", "--since", iso(NOON), "-n", "1")[1].splitlines()
    ] == ["two"]


def test_files_behind_a_gap_are_shown(sbctl: Sbctl, home: Home) -> None:
    write(f"{home.server_log('web')}.7", (0, "old"))
    write(home.server_log("web"), (1, "new"))

    assert sbctl("logs", "web")[1] == "old\nnew\n"


def test_secrets_are_masked_but_in_raw(sbctl: Sbctl, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    os.makedirs(home.secrets)
    Path(home.secrets, "dashboard.key").write_text("from-a-secret-file\n")
    Path(home.path, ".env").write_text("MAIL_PASSWORD='from-env-file'\nCOLOUR=bright-red\n")
    Path(home.path, "token").write_text("from-a-reference")
    monkeypatch.setenv("GIVEN", "from-start-itself")
    env = {"A": "file:token", "B": "env:GIVEN", "API_KEY": "from-manifest", "C": "no-secret"}
    compile_with(home, web={"env": env, "env_file": f"{home.path}/.env"})
    secrets = ["from-a-secret-file", "from-env-file", "from-a-reference", "from-start-itself", "from-manifest"]
    write(
        home.server_log("web"),
        *((number, f"say {text}") for number, text in enumerate([*secrets, "no-secret bright-red"])),
    )

    assert sbctl("logs", "web")[1] == "say ••••\n" * 5 + "say no-secret bright-red\n"
    assert sbctl("logs", "web", "--raw", "-n", "6")[1].splitlines()[:5] == [f"say {text}" for text in secrets]


def test_colours_do_not_hide_a_secret_from_the_mask(home: Home, capfd: pytest.CaptureFixture[str]) -> None:
    write(home.server_log("web"), (0, "\x1b[32mok\x1b[0m"), (1, "password=\x1b[31mhun\x1b[32mter2\x1b[0m!"))
    main(["--home", home.path, "--color", "always", "logs", "web"])
    assert capfd.readouterr().out == "\x1b[32mok\x1b[0m\x1b[0m\npassword=••••\n"


def test_a_terminal_gets_colours_and_nothing_else(
    home: Home, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_view.out, "is_terminal", lambda fd=1: True)
    monkeypatch.setenv("TERM", "xterm")
    write(home.server_log("web"), (0, "\x1b[31mred\tx"), (1, "\x1b[2Jclear"))
    main(["--home", home.path, "logs", "web"])
    assert capfd.readouterr().out == "\x1b[31mred     x\x1b[0m\n\\x1b[2Jclear\n"
    write(home.server_log("mail"), (0, "plain"))
    main(["--home", home.path, "logs", "web", "mail", "-n", "1"])
    out = capfd.readouterr().out
    assert "mail |\x1b[0m plain\n" in out
    monkeypatch.setenv("NO_COLOR", "1")
    main(["--home", home.path, "logs", "web"])
    assert capfd.readouterr().out == "red     x\n\\x1b[2Jclear\n"


def test_a_line_that_does_not_end_and_odd_bytes(home: Home, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    data = b"first\n" + b"x" * (5 << 20) + b"\0\xff\n" + b"last"
    Path(home.server_log("web")).write_bytes(data)

    main(["--home", home.path, "logs", "web"])
    shown = capfdbinary.readouterr().out
    assert shown.startswith(b"first\nxxx")
    assert shown.endswith(b"x\\x00\\xff\nlast\n")
    assert shown.count(b"x") >= 5 << 20
    main(["--home", home.path, "logs", "web", "--raw"])
    assert capfdbinary.readouterr().out == data


def test_a_service_that_is_no_more_and_a_damaged_packed_file(sbctl: Sbctl, home: Home) -> None:
    compile_with(home, mail={})
    log = home.server_log("web")
    write(log, (0, "still there"))
    whole = gzip.compress(b"".join(b"line %d\n" % number for number in range(10_000)))
    Path(f"{log}.1.gz").write_bytes(whole[: len(whole) // 2])
    Path(f"{log}.2.gz").write_bytes(b"no gzip at all")

    code, out, _ = sbctl("logs", "web", "-n", "100000")

    assert code == 0
    assert out.startswith("line 0\n")
    assert out.endswith("still there\n")


def test_long_lines_are_not_collected(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is shown at once is bounded: twenty megabytes without a line end come in pieces."""
    written: list[int] = []
    monkeypatch.setattr(log_view.out, "show_bytes", lambda data: written.append(len(data)))
    with open(home.server_log("web"), "wb") as file:
        for _ in range(20):
            file.write(b"x" * (1 << 20))
    for view in ("--json", "--prefix", "--no-prefix"):
        main(["--home", home.path, "logs", "web", view])
    assert sum(written) >= 3 * (20 << 20)
    assert max(written) <= 3 << 20


def test_a_log_that_is_no_file_is_no_silence(sbctl: Sbctl, home: Home, tmp_path: Path) -> None:
    path = Path(home.server_log("web"))
    dropped = "its output is dropped; once that is removed, a new file is begun"
    os.mkfifo(path)
    assert sbctl("logs", "web") == (0, "", f"web: {path} is a pipe and no file: {dropped}\n")
    path.unlink()
    path.mkdir()
    assert sbctl("logs", "web") == (0, "", f"web: {path} is a folder and no file: {dropped}\n")
    path.rmdir()
    (tmp_path / "other").write_text("of another\n")
    path.symlink_to(tmp_path / "other")
    assert sbctl("logs", "web") == (0, "of another\n", f"web: {path} is a link and no file: {dropped}\n")
    path.unlink()
    assert sbctl("logs", "web") == (0, "", f"no output yet: {path}\n")
