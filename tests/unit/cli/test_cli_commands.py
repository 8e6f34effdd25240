"""The verbs against daemons of make-believe: what they print, and with which exit code they end."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.fake_daemon import FakeDaemon, row

from supervisor.base.clock import iso
from supervisor.base.files import socket_address, take_lock
from supervisor.cli.commands import status
from supervisor.cli.main import VERBS, main
from supervisor.control.status import KEYS
from supervisor.model.home import Home

Sbctl = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "sbctl.yaml").write_text("format: 1\n")
    (tmp_path / "plugins" / "mail").mkdir(parents=True)
    (tmp_path / "plugins" / "web").mkdir(parents=True)
    return Home(str(tmp_path))


@pytest.fixture
def sbctl(home: Home, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Sbctl:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    def run(*args: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(["--home", home.path, *args])
        out, err = capfd.readouterr()
        return code, out, err

    return run


@pytest.fixture
def tree(home: Home) -> Iterator[tuple[FakeDaemon, FakeDaemon]]:
    """A running home: `start` with config and scheduler, the scheduler with two plugins, one of which won't live."""
    core = [row("scheduler", ready=True), row("config", ready=True)]
    plugins = [row("mail", "backoff", cause="exit code 1", restarts=2), row("web")]
    with ExitStack() as stack:
        start = stack.enter_context(FakeDaemon(home, "start", core))
        scheduler = stack.enter_context(FakeDaemon(home, "scheduler", plugins, stubborn=frozenset({"mail"})))
        yield start, scheduler


# status


def test_status_of_a_stopped_home(sbctl: Sbctl, home: Home) -> None:
    assert sbctl("status") == (3, f"sbctl is stopped, home {home}\n", "")


def test_status_json_of_a_stopped_home(sbctl: Sbctl) -> None:
    code, out, _ = sbctl("status", "--json")
    answer = json.loads(out)
    assert code == 3
    assert (answer["schema"], answer["state"], answer["pid"], answer["services"]) == (1, "stopped", None, [])


def test_status_after_a_kill(sbctl: Sbctl, home: Home) -> None:
    os.makedirs(home.run)
    Path(home.pid_file("start")).write_text("123\n")
    code, out, _ = sbctl("status")
    assert code == 1
    assert "is dead" in out
    assert sbctl("status", "--json")[0] == 1


def test_a_stale_socket_is_a_stopped_home(sbctl: Sbctl, home: Home) -> None:
    os.makedirs(home.run)
    folder = os.open(home.run, os.O_PATH)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.bind(socket_address(folder, "start.sock"))
    os.close(folder)
    assert sbctl("status")[0] == 3


@pytest.mark.usefixtures("tree")
def test_status_of_a_running_home(sbctl: Sbctl, home: Home) -> None:
    code, out, err = sbctl("status")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"sbctl 0.1.0 · degraded · up 2h 2m · pid 4242 · {home}"
    assert [line.split()[0] for line in lines[1:]] == ["SERVICE", "scheduler", "config", "mail", "web", "1"]


@pytest.mark.usefixtures("tree")
def test_status_json_is_one_object(sbctl: Sbctl) -> None:
    code, out, _ = sbctl("status", "--json")
    answer = json.loads(out)
    assert code == 0
    promised = ["schema", "state", "pid", "started_at", "now", "last_activity_at", "ticks", "services"]
    assert list(answer) == [*promised, "settings_problems", "remarks"]
    assert (answer["state"], answer["pid"], answer["ticks"]) == ("degraded", 4242, 122)
    assert all(list(service) == [*KEYS, "detail"] for service in answer["services"])
    assert [service["name"] for service in answer["services"]] == ["scheduler", "config", "mail", "web"]


def test_settings_that_are_not_in_force_are_told(sbctl: Sbctl, tree: tuple[FakeDaemon, FakeDaemon]) -> None:
    problems = ["plugins/bad/manifest.json:1:2: this is no JSON", "plugins/worse/manifest.json: can't be read"]
    tree[0].fake.settings_problems = problems
    assert sbctl("status")[1].splitlines()[-1] == ("settings: 2 problems, running revision 0003; sbctl config validate")
    assert json.loads(sbctl("status", "--json")[1])["settings_problems"] == problems


def test_what_a_person_should_know_of_the_schedules(sbctl: Sbctl, tree: tuple[FakeDaemon, FakeDaemon]) -> None:
    tree[1].fake.remarks = ["all schedules are paused since 03:00 by me: a\ttab; sbctl resume", "history.db is away"]
    lines = sbctl("status")[1].splitlines()
    assert lines[-2:] == ["all schedules are paused since 03:00 by me: a\\x09tab; sbctl resume", "history.db is away"]
    assert json.loads(sbctl("status", "--json")[1])["remarks"] == tree[1].fake.remarks


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize("verb", ["why", "start"])
def test_a_plugin_that_was_left_out_is_no_riddle(sbctl: Sbctl, home: Home, verb: str) -> None:
    compiled = Path(home.compiled_file("start"))
    compiled.parent.mkdir(parents=True)
    compiled.write_text(json.dumps({"errors": ["plugins/bad/manifest.json:1:2: this is no JSON"], "services": []}))
    code, out, err = sbctl(verb, "bad")
    assert (code, out) == (6, "")
    assert "bad was left out" in err
    assert "plugins/bad/manifest.json:1:2" in err


@pytest.mark.usefixtures("tree")
def test_check_tells_by_its_exit_code(sbctl: Sbctl) -> None:
    assert sbctl("status", "--check")[0] == 150
    assert sbctl("status", "--check", "--json")[0] == 150
    assert sbctl("status", "--check", "web")[0] == 0


@pytest.mark.usefixtures("tree")
def test_status_of_single_services(sbctl: Sbctl) -> None:
    code, out, _ = sbctl("status", "--plain", "web", "config")
    assert code == 0
    assert [line.split("\t")[:3] for line in out.splitlines()] == [
        ["web", "running", "up"],
        ["config", "running", "up"],
    ]
    code, _, err = sbctl("status", "wbe")
    assert code == 4
    assert "did you mean 'web'" in err


def test_without_the_scheduler_its_rows_come_from_start(sbctl: Sbctl, home: Home) -> None:
    with FakeDaemon(home, "start", [row("scheduler", "backoff")]):
        code, out, _ = sbctl("status")
        answer = json.loads(sbctl("status", "--json")[1])
    assert code == 0
    assert "orphan" in out
    assert "unsupervised" in out
    assert answer["state"] == "degraded"
    assert [service["name"] for service in answer["services"]] == ["scheduler", "orphan"]


def test_a_daemon_that_hangs_can_not_be_told(sbctl: Sbctl, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.cli.quick.PATIENCE_S", 0.1)
    os.makedirs(home.run)
    folder = os.open(home.run, os.O_PATH)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.bind(socket_address(folder, "start.sock"))
        sock.listen()
        code, out, err = sbctl("status")
        assert (code, out) == (4, "")
        assert "start does not answer" in err
        code, out, _ = sbctl("status", "--json")
        assert (code, json.loads(out)["state"]) == (4, "unknown")
    os.close(folder)


def test_daemons_that_have_no_room_for_one_more_question_are_waited_for_once(
    sbctl: Sbctl, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They hang, and others have asked before: as many as wait at their doors."""
    monkeypatch.setattr("supervisor.cli.quick.PATIENCE_S", 0.2)
    os.makedirs(home.run)
    folder = os.open(home.run, os.O_PATH)
    with contextlib.ExitStack() as stack:
        for role in ("start", "scheduler"):
            door = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            door.bind(socket_address(folder, f"{role}.sock"))
            door.listen(0)
            with contextlib.suppress(BlockingIOError):
                while True:
                    before = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
                    before.setblocking(False)
                    before.connect(socket_address(folder, f"{role}.sock"))
        began = time.monotonic()
        code, out, err = sbctl("status")
        took = time.monotonic() - began
    os.close(folder)
    assert (code, out) == (4, "")
    assert "start does not answer" in err
    assert took < 1.5


# start, stop, restart of single services


@pytest.mark.usefixtures("tree")
def test_start_of_a_running_tree_names_what_is_wrong(sbctl: Sbctl) -> None:
    code, out, err = sbctl("start")
    assert (code, out) == (0, "already running (pid 4242)\n")
    assert "mail: backoff" in err
    assert "sbctl why mail" in err


def test_start_of_a_service(sbctl: Sbctl, tree: tuple[FakeDaemon, FakeDaemon]) -> None:
    pid = row("web")["pid"]
    assert sbctl("start", "web") == (0, f"web is up already (pid {pid})\n", "")
    sbctl("stop", "web")
    assert sbctl("start", "web", "web", "config")[1].splitlines() == [
        f"config is up already (pid {row('config')['pid']})",
        f"web is up (pid {pid})",
    ]
    assert tree[1].fake.asked[-1] == {"names": ["web"]}


@pytest.mark.usefixtures("tree")
def test_start_of_a_service_that_does_not_come_up(sbctl: Sbctl) -> None:
    code, out, err = sbctl("restart", "mail")
    assert (code, out) == (1, "")
    assert "mail is not up: backoff: exit code 1" in err
    assert "sbctl why mail" in err


def test_stop_of_a_service(sbctl: Sbctl, tree: tuple[FakeDaemon, FakeDaemon]) -> None:
    assert sbctl("stop", "web", "--timeout", "1m30s")[:2] == (0, "web stopped\n")
    assert tree[1].fake.asked == [{"names": ["web"], "timeout": 90.0}]
    assert sbctl("stop", "web")[:2] == (0, "web was stopped already\n")


def test_one_wrong_name_and_nothing_is_done(sbctl: Sbctl, tree: tuple[FakeDaemon, FakeDaemon]) -> None:
    code, _, err = sbctl("stop", "config", "mial")
    assert code == 2
    assert "did you mean 'mail'" in err
    assert tree[0].fake.asked == tree[1].fake.asked == []


@pytest.mark.parametrize("verb", ["start", "restart", "why"])
def test_single_services_need_a_running_tree(sbctl: Sbctl, verb: str) -> None:
    code, _, err = sbctl(verb, "web")
    assert code == 7
    assert "sbctl is not running" in err or "scheduler is not running" in err


def test_stop_of_a_service_of_a_stopped_home(sbctl: Sbctl) -> None:
    assert sbctl("stop", "web", "config") == (0, "web was stopped already\nconfig was stopped already\n", "")


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "why", "logs"])
def test_an_unknown_service_of_a_stopped_home(sbctl: Sbctl, verb: str) -> None:
    code, out, err = sbctl(verb, "wbe")
    assert (code, out) == (2, "")
    kind = "service or schedule" if verb == "why" else "service"
    assert err.startswith(f"error: no {kind} 'wbe'\n  why:  known are: config, mail, ")
    assert err.endswith("next: did you mean 'web'?\n")


# which home


def test_the_home_may_be_named_behind_the_verb(sbctl: Sbctl, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "etc").mkdir(parents=True)
    assert str(other) in sbctl("status", "--home", str(other))[1]
    assert sbctl("config", "path", "--home", str(other))[1].startswith(f"home      {other}\n")
    assert sbctl("config", f"--home={other}", "path")[1].startswith(f"home      {other}\n")


@pytest.mark.parametrize(
    "args", [["--home", "status"], ["--home", ""], ["--home", "", "status"], ["status", "--home", ""], ["init", ""]]
)
def test_a_value_that_was_forgotten(sbctl: Sbctl, args: list[str]) -> None:
    code, out, err = sbctl(*args)
    assert (code, out) == (2, "")
    assert err.startswith("error: --home needs a folder" if args[0] != "init" else "error: DIR is empty")


def test_watching_leaves_the_scrollback() -> None:
    assert "\x1b[3J" not in status.CLEAR


# stop of the tree


def test_stop_of_what_is_stopped(sbctl: Sbctl, home: Home) -> None:
    os.makedirs(home.run)
    for role in ("start", "scheduler"):
        Path(home.pid_file(role)).write_text("999999999\n")
    assert sbctl("stop") == (0, "already stopped\n", "")
    assert not os.path.exists(home.pid_file("start"))
    assert not os.path.exists(home.pid_file("scheduler"))


def test_pid_files_stay_while_somebody_holds_the_lock(sbctl: Sbctl, home: Home) -> None:
    os.makedirs(home.run)
    Path(home.pid_file("start")).write_text("999999999\n")
    lock = take_lock(home.lock_file)
    assert lock is not None
    try:
        assert sbctl("stop")[0] == 0
    finally:
        os.close(lock)
    assert os.path.exists(home.pid_file("start"))


# reload


def test_reload_needs_a_running_tree(sbctl: Sbctl) -> None:
    assert sbctl("reload")[0] == 7


# why


@pytest.mark.usefixtures("tree")
def test_why(sbctl: Sbctl) -> None:
    code, out, _ = sbctl("why", "mail")
    assert code == 0
    assert out.splitlines()[0].startswith("mail is backoff")
    answer = json.loads(sbctl("why", "mail", "--json")[1])
    assert answer["words"] == ["Traceback:", "KeyError: 'url'"]
    assert "ok" not in answer


def test_why_from_the_journal(sbctl: Sbctl, home: Home) -> None:
    os.makedirs(home.run)
    cause = {"kind": "exit-code", "text": "exit code 3", "code": 3, "signal": None, "words": ["oops: password=hunter2"]}
    event = {
        "seq": "1.1",
        "at": iso(0),
        "kind": "service.exited",
        "service": "web",
        "text": "x",
        "data": {"cause": cause},
    }
    Path(home.journal_file).write_text(json.dumps(event, separators=(",", ":")) + "\n")
    code, out, err = sbctl("why", "web")
    assert code == 0
    assert "journal remembers" in err
    assert "exit code 3" in out
    assert "oops: password=••••\n" in out
    assert "hunter2" not in sbctl("why", "web", "--json")[1] + sbctl("events", "--json")[1]


# logs and events


def test_logs_are_exact(home: Home, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    os.makedirs(home.plugin_logs("web"))
    Path(home.server_log("web") + ".1").write_bytes(b"".join(b"old %d\n" % n for n in range(100)))
    Path(home.server_log("web")).write_bytes(b"new \xff\npartial")
    assert main(["--home", home.path, "logs", "web", "-n", "4", "--raw"]) == 0
    assert capfdbinary.readouterr().out == b"old 98\nold 99\nnew \xff\npartial"
    assert main(["--home", home.path, "logs", "web", "-n", "3"]) == 0
    assert capfdbinary.readouterr().out == b"old 99\nnew \\xff\npartial\n"


def test_logs_of_several_are_named(sbctl: Sbctl, home: Home) -> None:
    for name in ("web", "mail"):
        os.makedirs(home.plugin_logs(name))
        Path(home.server_log(name)).write_text(f"from {name}\n")
    assert sbctl("logs", "web", "mail")[1] == "web | from web\nmail | from mail\n"


def test_logs_that_match(sbctl: Sbctl, home: Home) -> None:
    os.makedirs(home.plugin_logs("web"))
    Path(home.server_log("web")).write_text("".join(f"line {n}\n" for n in range(100)))
    assert sbctl("logs", "web", "--grep", "[05]$", "-n", "3")[1] == "line 85\nline 90\nline 95\n"
    assert sbctl("logs", "web", "--grep", "(")[0] == 2


def test_logs_without_a_name_are_the_daily_log(sbctl: Sbctl, home: Home) -> None:
    os.makedirs(home.daily_folder)
    Path(home.daily_folder, "2026-11-20.log").write_text("[2026-11-20 23:59:59 UTC] web | late\n")
    Path(home.daily_folder, "2026-11-21.log").write_text(
        "[2026-11-21 00:00:01 UTC] web | early\n[2026-11-21 00:00:02 UTC] mail | you have\n"
    )
    assert sbctl("logs", "-n", "2")[1].count("\n") == 2
    assert [line.split("| ")[1] for line in sbctl("logs")[1].splitlines()] == ["late", "early", "you have"]
    between = sbctl("logs", "--since", "2026-11-20T23:59:59Z", "--until", "2026-11-21T00:00:01Z")[1]
    assert [line.split("| ")[1] for line in between.splitlines()] == ["late", "early"]
    assert sbctl("logs", "--since", "2026-11-21T00:00:02Z")[1] == "[2026-11-21 00:00:02 UTC] mail | you have\n"


@pytest.mark.parametrize("name", ["../../etc/passwd", "wbe", "", ".", "scheduler/../x"])
def test_logs_of_what_is_no_service(sbctl: Sbctl, name: str) -> None:
    assert sbctl("logs", name)[0] == 2


def test_logs_not_there_yet(sbctl: Sbctl, home: Home) -> None:
    assert sbctl("logs", "web") == (0, "", f"no output yet: {home.server_log('web')}\n")


def test_no_lines_are_not_no_output(sbctl: Sbctl, home: Home) -> None:
    os.makedirs(os.path.dirname(home.server_log("web")))
    Path(home.server_log("web")).write_text("a line\n")
    assert sbctl("logs", "web", "-n", "0") == (0, "", "")


def event_line(source: str, text: str) -> str:
    return json.dumps({"kind": "k", "at": "2026-11-21T05:20:01.000Z", "source": source, "text": text}) + "\n"


def test_logs_of_a_daemon_are_what_it_tells_and_what_it_prints(sbctl: Sbctl, home: Home) -> None:
    os.makedirs(home.run)
    Path(home.start_log).write_text(event_line("start", "it began") + event_line("start", "it went on"))
    Path(home.out_file("start")).write_text("Traceback\n")
    assert sbctl("logs", "start") == (
        0,
        "[2026-11-21 05:20:01 UTC] it began\n[2026-11-21 05:20:01 UTC] it went on\nTraceback\n",
        "",
    )
    assert sbctl("logs", "start", "-n", "1")[1] == "[2026-11-21 05:20:01 UTC] it went on\nTraceback\n"
    Path(home.journal_file).write_text(event_line("start", "not mine") + "torn\n" + event_line("scheduler", "mine"))
    assert sbctl("logs", "scheduler") == (0, "[2026-11-21 05:20:01 UTC] mine\n", "")


def test_logs_of_the_tunnel_are_also_its_programs(sbctl: Sbctl, home: Home) -> None:
    os.makedirs(os.path.dirname(home.provider_log))
    Path(home.provider_log).write_text("connected\n")
    assert sbctl("logs", "tunnel") == (0, "connected\n", "")


@pytest.mark.parametrize("args", ["logs", "logs web", "logs --since 1h", "events"])
def test_no_permission_is_not_emptiness(sbctl: Sbctl, home: Home, monkeypatch: pytest.MonkeyPatch, args: str) -> None:
    def refuse(path: str, flags: int, *more: int, **dir_fd: int) -> int:
        if home.logs in str(path):
            raise PermissionError(13, "Permission denied")
        return opened(path, flags, *more, **dir_fd)

    opened = os.open
    monkeypatch.setattr(os, "open", refuse)
    code, out, err = sbctl(*args.split())
    assert (code, out) == (4, "")
    assert "no permission to read" in err


def test_events(sbctl: Sbctl, home: Home) -> None:
    os.makedirs(home.run)
    records = [
        {"seq": f"1.{n}", "at": iso(1000.0 + n), "kind": "tick", "service": "", "level": "info", "text": f"tick {n}"}
        for n in range(1, 80)
    ]
    Path(home.journal_file).write_text("".join(json.dumps(record) + "\n" for record in records))
    assert len(sbctl("events")[1].splitlines()) == 50
    assert sbctl("events", "-n", "1")[1] == f"{iso(1079.0)}  tick 79\n"
    assert len(sbctl("events", "--since", iso(1070.0))[1].splitlines()) == 10
    assert [json.loads(line)["seq"] for line in sbctl("events", "-n", "2", "--json")[1].splitlines()] == [
        "1.78",
        "1.79",
    ]
    assert sbctl("events", "-n", "0")[1] == ""


# the rest


def test_init_makes_a_home_and_never_overwrites(tmp_path: Path, sbctl: Sbctl) -> None:
    new = tmp_path / "new home"
    code, out, _ = sbctl("init", str(new))
    assert code == 0
    assert out.splitlines()[-1] == f"next: sbctl --home '{new}' start"
    key = new / "etc" / "secrets" / "dashboard.key"
    assert (key.stat().st_mode & 0o777, key.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    (new / "etc" / "sbctl.yaml").write_text("# mine\n")
    before = key.read_text()
    code, out, _ = sbctl("init", str(new))
    assert code == 0
    assert "nothing changed" in out
    assert (new / "etc" / "sbctl.yaml").read_text() == "# mine\n"
    assert key.read_text() == before
    assert len(before.strip()) >= 43


def test_init_where_nothing_can_be_made(tmp_path: Path, sbctl: Sbctl) -> None:
    (tmp_path / "file").touch()
    code, _, err = sbctl("init", str(tmp_path / "file"))
    assert code == 4
    assert "can't make a home" in err


def test_config_path(sbctl: Sbctl, home: Home) -> None:
    assert json.loads(sbctl("config", "path", "--json")[1])["settings"] == home.settings_file


def test_version(sbctl: Sbctl) -> None:
    assert sbctl("version")[1].startswith("sbctl 0.1.0\n")
    assert json.loads(sbctl("version", "--json")[1])["version"] == "0.1.0"
    assert sbctl("--version")[1] == "sbctl 0.1.0\n"


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_explains_itself(sbctl: Sbctl, verb: str) -> None:
    for args in ([verb, "--help"], ["help", verb]):
        code, out, err = sbctl(*args)
        assert (code, err) == (0, "")
        assert f"sbctl {verb}" in out


@pytest.mark.parametrize("args", [[], ["help"], ["--help"]])
def test_help_lists_the_verbs(sbctl: Sbctl, args: list[str]) -> None:
    code, out, _ = sbctl(*args)
    assert code == 0
    assert all(verb in out for verb in VERBS)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["statsu"], "did you mean: sbctl status"),
        (["xyzzy"], "sbctl help lists all"),
        (["status", "--jsno"], "--json"),
        (["stop", "--timeout", "soon"], "10s, 1m30s"),
        (["serve", "nothing"], "scheduler"),
        (["status", "--json", "--plain"], "not both"),
        (["start", "web", "--foreground"], "whole tree"),
        (["start", "--foreground", "--json"], "--log-format json"),
        (["start", "--output"], "--output are for --foreground"),
        (["start", "--log-format", "json"], "for --foreground"),
        (["why", "start"], "supervisor itself"),
        (["why"], "SERVICE"),
    ],
)
def test_bad_usage(sbctl: Sbctl, args: list[str], said: str) -> None:
    code, _, err = sbctl(*args)
    assert code == 2
    assert err.startswith("error: ")
    assert said in err


def test_no_home(tmp_path: Path, sbctl: Sbctl, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--home", str(tmp_path / "none"), "start"]) == 6
    assert main(["--home", str(tmp_path / "none"), "status"]) == 4
    assert "sbctl init" in capfd.readouterr().err


def test_a_defect_is_no_traceback(sbctl: Sbctl, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_option: str | None, **_more: bool) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("supervisor.cli.main.find_home", broken)
    code, _, err = sbctl("status")
    assert code == 1
    assert "Traceback" not in err
    assert "ZeroDivisionError: oops" in err


def test_an_error_of_the_system_is_said_once(sbctl: Sbctl, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*file: str) -> OSError:
        return OSError(28, "No space left on device", *file)

    def broken(_option: str | None, **_more: bool) -> None:
        raise error

    monkeypatch.setattr("supervisor.cli.main.find_home", broken)
    error = full()
    assert sbctl("status")[2] == "error: No space left on device\n"
    error = full("/some/file")
    assert sbctl("status")[2] == "error: No space left on device\n  why:  /some/file\n"
