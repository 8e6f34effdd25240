"""`etc/examples/`: the Dockerfile and the compose file that people copy say what they should; and the image that they
make, carried out line by line without docker, starts, is healthy, and ends as a container has to.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.container import check_namespaces
from support.daemon import Daemon
from support.dockerfile import Line, Stage, as_seconds, build, healthcheck, parse
from support.home import ROOT, TemporaryHome
from support.processes import kill
from support.waiting import eventually

from supervisor.base import proc
from supervisor.cli.commands.boot import stop_seconds
from supervisor.model.home import Home

EXAMPLES = ROOT / "etc" / "examples"
DOCKERFILE = (EXAMPLES / "Dockerfile").read_text()


def lines(name: str) -> list[Line]:
    return [line for line in parse(DOCKERFILE) if line.name == name]


def compose() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((EXAMPLES / "compose.yaml").read_text())
    return data


def box() -> dict[str, Any]:
    (service,) = compose()["services"].values()
    found: dict[str, Any] = service
    return found


# what they say


def test_the_image_is_not_root_and_says_how_it_is_stopped_and_asked() -> None:
    (user,), (stop,), (command,) = lines("USER"), lines("STOPSIGNAL"), lines("CMD")

    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user.rest), "only a number can be proven not to be root"
    assert stop.rest == "SIGTERM"
    assert command.rest.startswith("["), "a shell in front would be process 1"
    assert command.words[:3] == ["sbctl", "start", "--foreground"]
    assert len(lines("HEALTHCHECK")) == 1


def test_all_stages_have_the_same_python_which_is_new_enough() -> None:
    images = {line.rest.split()[0] for line in lines("FROM")}
    (image,) = images
    least = re.search(r"python_requires = >=3\.(\d+)", (ROOT / "setup.cfg").read_text())
    found = re.match(r"python:3\.(\d+)-slim", image)

    assert least
    assert found
    assert int(found[1]) >= int(least[1])


def test_what_is_copied_is_there_and_is_sent_to_the_builder() -> None:
    ignored = (EXAMPLES / "Dockerfile.dockerignore").read_text().splitlines()
    sources = [name for line in lines("COPY") if not line.option("from") for name in line.words[:-1]]

    assert sources
    for name in sources:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in ignored, name
    assert "etc/secrets" in ignored, "the key would be in the image"


def test_the_compose_file_belongs_to_the_dockerfile() -> None:
    service = box()
    build = service["build"]
    (volumes,) = lines("VOLUME")

    assert (EXAMPLES / build["context"] / build["dockerfile"]).resolve() == EXAMPLES / "Dockerfile"
    assert [entry.split(":")[1] for entry in service["volumes"]] == volumes.words
    assert {entry.split(":")[0] for entry in service["volumes"]} == set(compose()["volumes"])
    assert (service["init"], service["read_only"], service["cap_drop"]) == (False, True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_runtime_waits_longer_than_the_longest_stop_of_the_defaults(home: TemporaryHome) -> None:
    home.supervision = {}
    home.settings = {}
    home.write()
    home.add_plugin("web", "sleep 60")
    assert Daemon(home).compile()["ok"]
    longest = stop_seconds(Home(str(home.path)))

    assert longest > 20
    assert as_seconds(box()["stop_grace_period"]) >= longest


# what they make


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    check_namespaces()
    folder = tmp_path_factory.mktemp("image")
    context = folder / "context"
    context.mkdir()
    skip = shutil.ignore_patterns("__pycache__", "secrets", ".venv*")
    for name in {name for line in lines("COPY") if not line.option("from") for name in line.words[:-1]}:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, context / name, ignore=skip)
        else:
            shutil.copy(source, context / name)
    return build(DOCKERFILE, context, folder)


class Running:
    """The image as a container with the settings of the compose file: read-only, without rights, on two volumes."""

    def __init__(self, image: Stage, folder: Path) -> None:
        self._image = image
        self.volumes = {}
        for target in image.said["VOLUME"].words:
            place = folder / target.rpartition("/")[2]
            subprocess.run(["cp", "-a", image.path(target), place], check=True)  # as docker fills a new volume
            self.volumes[target] = place
        through = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
        self.process = subprocess.Popen(
            image.words(
                image.said["CMD"].words,
                namespaces=("--pid", "--fork", "--kill-child"),
                through=through,
                writable=self.volumes,
                read_only=bool(box()["read_only"]),
            ),
            env=image.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.init = eventually(lambda: next(iter(proc.Children(self.process.pid).read()), 0))

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """As `docker exec`."""
        uid, _, gid = self._image.user.partition(":")
        enter = ["nsenter", "-t", str(self.init), "-m", "-p", "-r", f"-w{self._where()}", "-S", uid, "-G", gid, "--"]
        return subprocess.run([*enter, *command], env=self._image.env, capture_output=True, text=True, check=False)

    def _where(self) -> str:
        return f"/proc/{self.init}/cwd"

    def end(self) -> None:
        if self.process.poll() is None:
            kill(self.init)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def running(image: Stage, tmp_path: Path) -> Iterator[Running]:
    made = Running(image, tmp_path)
    yield made
    made.end()


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_image_starts_is_healthy_and_ends(image: Stage, running: Running) -> None:
    check = healthcheck(image)
    eventually(lambda: running.execute(*check).returncode == 0, 20, "healthy")
    rows = json.loads(running.execute("sbctl", "status", "--json").stdout)["services"]
    states = {row["name"]: row["state"] for row in rows}
    assert states["scheduler"] == states["config"] == states["disk-watch"] == "running"
    assert proc.user_of(running.init) == 10001
    inner = running.execute("sh", "-c", "cat /srv/sbctl/logs/start.pid; touch /srv/sbctl/plugins/x /srv/sbctl/x /x")
    assert inner.stdout.split() == ["1"]
    assert inner.stderr.count("Read-only file system") == 3
    assert "Read-only file system" in running.execute("sbctl", "pause").stderr
    assert running.execute("sbctl", "pause", "disk-watch").returncode == 0
    kill(rows_pid(running, "disk-watch"))
    eventually(lambda: running.execute(*check).returncode != 0, 4, "not healthy while it waits for its next try")
    eventually(lambda: running.execute(*check).returncode == 0, 20, "healthy again")

    kill(running.init, getattr(signal, image.said["STOPSIGNAL"].rest))
    assert running.process.wait(15) == 0
    assert running.process.stdout is not None
    said = [json.loads(line) for line in running.process.stdout.read().splitlines()]
    assert said[-1]["text"] == "everything has stopped"
    assert {"start.began", "scheduler.began", "service.started"} <= {line["kind"] for line in said}
    assert (running.volumes["/srv/sbctl/logs"] / "history.db").exists()
    assert os.stat(running.volumes["/srv/sbctl/etc"] / "secrets" / "dashboard.key").st_uid == 10001


def rows_pid(running: Running, name: str) -> int:
    """By our numbers."""
    pid = running.execute("cat", f"/srv/sbctl/logs/{name}/server.pid").stdout.strip()
    for each in proc.all_pids():
        with contextlib.suppress(OSError), open(f"/proc/{each}/status", encoding="ascii", errors="replace") as file:
            numbers = next((line.split()[1:] for line in file if line.startswith("NSpid:")), [])
            if len(numbers) > 1 and numbers[-1] == pid and proc.user_of(each) == 10001:
                return each
    raise AssertionError(f"no process of {name}")
