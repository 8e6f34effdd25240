"""`sbctl upgrade` with real versions on real trees: what holds, what does not, and what is left afterwards."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.checkout import write_wheel as write_small_wheel
from support.children import child
from support.home import TemporaryHome
from support.numbers import check_numbers
from support.processes import alive
from support.versions import STANDS, WITHOUT_NETWORK, Checkout, make_environment, numbers, write_version, write_wheel
from support.waiting import eventually

from supervisor import __version__

NEW = "77.1"
WAITS = "import time\nprint('begins', flush=True)\ntime.sleep(6)\nprint('ends')\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "checkout")


@pytest.fixture
def home(home: TemporaryHome) -> TemporaryHome:
    home.settings["config"]["enabled"] = False
    home.settings["logs"] = {"gzip": False}
    home.write()
    return home


def rows(checkout: Checkout, home: TemporaryHome) -> list[dict[str, Any]]:
    data: dict[str, Any] = checkout.sbctl(home, "status", "--json").json()
    services: list[dict[str, Any]] = data["services"]
    return services


def version_of_start(checkout: Checkout, home: TemporaryHome) -> str:
    """By what it says itself."""
    from supervisor.control.client import connect
    from supervisor.model.home import Home

    with connect(Home(str(home.path)), "start") as client:
        return str(client.request("ping")["version"])


def kinds(home: TemporaryHome) -> list[str]:
    return [event["kind"] for event in home.events()]


def test_after_a_pull_everything_goes_over_and_nothing_is_lost(checkout: Checkout, home: TemporaryHome) -> None:
    home.supervision["fastCrashSeconds"] = 0.05
    home.write()
    home.add_plugin("fast", child("spew", 0, 10_000))
    home.add_plugin("full", child("spew", 0, 0))
    home.add_plugin("killed", child("ready"))
    job = {"commands": {"get": f"{shlex.quote(sys.executable)} wait.py"}}
    home.add_plugin("job", "true", autoStart=False, manifest=job, files={"wait.py": WAITS})
    assert checkout.sbctl(home, "start").code == 0
    eventually(lambda: home.log("fast"))
    os.kill(numbers(rows(checkout, home), "killed")["killed"][0], signal.SIGKILL)
    eventually(lambda: numbers(rows(checkout, home), "killed")["killed"][1] == 1)
    run = checkout.sbctl(home, "run", "job", "get", "--json").json()["run"]
    before, start = numbers(rows(checkout, home), "fast", "full", "killed"), home.pid("start")
    checkout.become(NEW)

    done = checkout.sbctl(home, "upgrade")

    assert done.code == 0, done
    assert f"upgraded from {__version__} to {NEW}" in done.out
    assert "went over, 3 servers ran on" in done.out
    assert version_of_start(checkout, home) == NEW
    assert home.pid("start") == start
    assert numbers(rows(checkout, home), "fast", "full", "killed") == before
    assert os.readlink(checkout.venv) == f".venv-{NEW}"
    assert checkout.environments() == [".venv", f".venv-{__version__}", f".venv-{NEW}"]
    shown = checkout.sbctl(home, "show", run, "--json")
    eventually(lambda: checkout.sbctl(home, "show", run, "--json").json()["state"] == "succeeded", 15, shown.out)
    assert "start.upgraded" in kinds(home)
    assert f"nothing new: {NEW}" in checkout.sbctl(home, "upgrade").out
    assert f"sbctl {NEW}" in checkout.sbctl(home, "version").out
    assert checkout.sbctl(home, "stop").code == 0
    check_numbers(home, "fast", from_zero=False, at_least=10_000)
    check_numbers(home, "full", from_zero=False, at_least=10_000)


def test_a_failing_self_check_changes_nothing(checkout: Checkout, home: TemporaryHome) -> None:
    home.add_plugin("server", child("ready"))
    assert checkout.sbctl(home, "start").code == 0
    before, start = numbers(rows(checkout, home), "server", "scheduler"), home.pid("start")
    checkout.become(NEW)
    checkout.insert("daemons/start.py", "from supervisor import __version__\n", "import nothing_of_this_name\n")

    done = checkout.sbctl(home, "upgrade")

    assert done.code == 1, done
    assert "failed its self-check" in done.err
    assert "nothing_of_this_name" in done.err
    assert version_of_start(checkout, home) == __version__
    assert numbers(rows(checkout, home), "server", "scheduler") == before
    assert home.pid("start") == start
    assert checkout.environments() == [".venv"]


@pytest.mark.slow
@pytest.mark.parametrize("holds", [True, False])
def test_compiled_settings_of_another_format(checkout: Checkout, home: TemporaryHome, holds: bool) -> None:
    home.add_plugin("server", child("ready"))
    assert checkout.sbctl(home, "start").code == 0
    before = numbers(rows(checkout, home), "server")
    checkout.become(NEW)
    checkout.change("daemons/common.py", "COMPILED_FORMAT = 1", "COMPILED_FORMAT = 2")
    checkout.change("model/inputs.py", "FORMAT = 1", "FORMAT = 2")
    if not holds:
        checkout.insert(*CRASHES["scheduler"])

    done = checkout.sbctl(home, "upgrade")

    assert "compiled anew" in done.err
    assert done.code == (0 if holds else 1), done
    assert version_of_start(checkout, home) == (NEW if holds else __version__)
    assert numbers(rows(checkout, home), "server") == before
    assert {row["state"] for row in rows(checkout, home)} == {"running"}


@pytest.mark.slow
def test_a_config_server_that_crashes_leads_back(checkout: Checkout, home: TemporaryHome) -> None:
    home.settings["config"]["enabled"] = True
    home.write()
    assert checkout.sbctl(home, "start").code == 0
    checkout.become(NEW)
    checkout.insert("daemons/config.py", "    home = Home(path)\n    os.umask", "    raise SystemExit('no luck')\n")

    done = checkout.sbctl(home, "upgrade")

    assert done.code == 1, done
    assert "config: " in done.err
    assert f"{__version__} runs again" in done.err
    assert version_of_start(checkout, home) == __version__
    assert {row["state"] for row in rows(checkout, home)} == {"running"}


@pytest.mark.slow
def test_one_that_is_broken_off_can_be_completed(checkout: Checkout, home: TemporaryHome) -> None:
    home.add_plugin("server", child("ready"))
    assert checkout.sbctl(home, "start").code == 0
    before = numbers(rows(checkout, home), "server")
    checkout.become(NEW)
    command = [str(checkout.root / "bin" / "sbctl"), "--home", str(home.path), "upgrade"]
    env = home.environment({**WITHOUT_NETWORK, "SB_VENV": None})
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("scheduler goes over" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        process.stderr.read()

    assert process.returncode == 130
    assert version_of_start(checkout, home) == NEW
    eventually(lambda: {row["state"] for row in rows(checkout, home)} == {"running"})
    done = checkout.sbctl(home, "upgrade")
    assert done.code == 0, done
    assert os.readlink(checkout.venv) == f".venv-{NEW}"
    assert numbers(rows(checkout, home), "server") == before


@pytest.mark.slow
def test_a_check_alone_tells_the_same_and_leaves_nothing(checkout: Checkout, home: TemporaryHome) -> None:
    assert checkout.sbctl(home, "start").code == 0
    checkout.become(NEW)
    checks = checkout.sbctl(home, "upgrade", "--check", "--json").json()["checks"]
    assert {check["name"] for check in checks if check["ok"]} == {
        "python", "code", "settings", "records", "state.json", "history.db", "state of start",
    }  # fmt: skip
    (home.path / "logs" / "state.json").write_text("{")

    done = checkout.sbctl(home, "upgrade", "--check")

    assert (done.code, "state.json: " in done.err) == (1, True), done
    assert version_of_start(checkout, home) == __version__
    assert checkout.environments() == [".venv"]


CRASHES = {
    "scheduler": ("daemons/scheduler.py", "    home = Home(path)\n    os.umask", "    raise SystemExit('no luck')\n"),
    # It supervises, and never plans anything.
    "desk": ("runs/takeover.py", "    entries = {entry[", "    raise ValueError('no luck')\n"),
    "take-over": ("daemons/taking_up.py", STANDS, "    raise ValueError('no luck')\n"),
}


@pytest.mark.parametrize(
    "how",
    [
        "scheduler",
        pytest.param("take-over", marks=pytest.mark.slow),
        pytest.param("desk", marks=[pytest.mark.slow, pytest.mark.timeout(120)]),
    ],
)
def test_a_version_that_does_not_hold_is_taken_back(checkout: Checkout, home: TemporaryHome, how: str) -> None:
    home.add_plugin("server", child("ready"))
    home.add_plugin("writer", child("spew", 0, 10_000))
    assert checkout.sbctl(home, "start").code == 0
    before, start = numbers(rows(checkout, home), "server", "writer"), home.pid("start")
    checkout.become(NEW)
    checkout.insert(*CRASHES[how])

    done = checkout.sbctl(home, "upgrade")

    assert done.code == 1, done
    assert "runs again" in done.err or "goes on" in done.err, done
    assert "no way back" not in done.err
    assert version_of_start(checkout, home) == __version__
    assert home.pid("start") == start
    assert numbers(rows(checkout, home), "server", "writer") == before
    assert {row["state"] for row in rows(checkout, home)} == {"running"}
    assert checkout.environments() == [".venv"]
    assert checkout.sbctl(home, "stop").code == 0
    check_numbers(home, "writer")


@pytest.mark.slow
def test_without_a_tree_it_is_installed_and_started_later(checkout: Checkout, home: TemporaryHome) -> None:
    home.add_plugin("server", child("ready"))
    assert "nothing new" in checkout.sbctl(home, "upgrade").out
    other = checkout.root.parent / "other"
    shutil.copytree(checkout.root, other, ignore=shutil.ignore_patterns(".venv*"))
    write_version(other / "supervisor", NEW)

    facts = checkout.sbctl(home, "upgrade", other, "--json").json()

    assert (facts["from"], facts["to"], facts["running"], facts["changed"]) == (__version__, NEW, False, True)
    assert checkout.sbctl(home, "version", "--json").json()["version"] == NEW
    assert checkout.sbctl(home, "start").code == 0
    assert version_of_start(checkout, home) == NEW


@pytest.mark.slow
def test_what_is_missing_and_can_not_be_had_changes_nothing(checkout: Checkout, home: TemporaryHome) -> None:
    settings = checkout.root / "setup.cfg"
    settings.write_text(settings.read_text().replace("    click>=8.1\n", "    click>=8.1\n    sbctl-test-need>=3\n"))
    (checkout.venv / ".sbctl-stamp").touch()
    checkout.become(NEW)
    other = checkout.root.parent / "other"
    shutil.copytree(checkout.root, other, ignore=shutil.ignore_patterns(".venv*"))
    checkout.become(__version__)

    done = checkout.sbctl(home, "upgrade", other)

    assert done.code == 1, done
    assert "sbctl-test-need" in done.err
    assert checkout.environments() == [".venv"]
    wheels = checkout.root.parent / "wheels"
    wheels.mkdir()
    write_small_wheel(wheels, "sbctl-test-need", "3.1")
    assert checkout.sbctl(home, "upgrade", other, PIP_FIND_LINKS=str(wheels)).code == 0
    assert checkout.sbctl(home, "version", "--json").json()["version"] == NEW


def test_a_source_that_is_none(checkout: Checkout, home: TemporaryHome) -> None:
    for word in ("nothing/here", "./no.whl", "/etc"):
        done = checkout.sbctl(home, "upgrade", word)

        assert (done.code, done.out) == (2, "")
        assert "error:" in done.err


@pytest.mark.slow
def test_one_from_pip_goes_over_to_a_wheel(home: TemporaryHome, tmp_path: Path) -> None:
    """No checkout, no launcher: a virtual environment with the package in it, as pip leaves it."""
    venv = tmp_path / "an environment"
    make_environment(venv)
    packages = next(venv.glob("lib/python3*/site-packages"))
    from support.home import ROOT

    shutil.copytree(ROOT / "supervisor", packages / "supervisor", ignore=shutil.ignore_patterns("__pycache__"))
    script = tmp_path / "sbctl.py"
    script.write_text("import sys\nfrom supervisor.cli.main import main\nsys.exit(main())\n")

    def run(*words: object) -> Any:
        command = [venv / "bin" / "python", "-I", script, "--home", home.path, *words]
        return home.run(command, timeout=60, env={**WITHOUT_NETWORK, "SB_VENV": None}, cwd="/")

    home.add_plugin("server", child("ready"))
    assert run("start").code == 0
    start = home.pid("start")
    for version in (NEW, "77.2", "77.3"):
        done = run("upgrade", write_wheel(tmp_path, version))
        assert done.code == 0, done
        assert os.readlink(venv) == f"{venv.name}-{version}"
        assert home.pid("start") == start
    assert sorted(path.name for path in tmp_path.glob("an env*")) == [
        venv.name, f"{venv.name}-{__version__}", f"{venv.name}-77.2", f"{venv.name}-77.3", f"{venv.name}.upgrade",
    ]  # fmt: skip
    assert f"{venv.name}-{__version__}" in done.err  # it is not sbctl's to remove
    by_name = home.run([venv / "bin" / "sbctl", "version"], env={"SB_VENV": None}, cwd="/")
    assert by_name.out.startswith("sbctl 77.3\n"), by_name
    assert run("stop").code == 0
    assert start is not None
    assert not alive(start)
