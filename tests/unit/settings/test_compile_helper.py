"""The compiler as a process: one JSON object, an exit code, never a traceback."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from unit.settings.settings_files import SettingsFiles

from supervisor.helpers import compile as helper
from supervisor.settings import api

ROOT = Path(__file__).parents[3]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """main() without its limits, which would stay with the tests."""
    monkeypatch.setattr(resource, "setrlimit", lambda what, limits: None)

    def call(*argv: object) -> tuple[int, dict[str, Any]]:
        code = helper.main([str(word) for word in argv])
        out, err = capsys.readouterr()
        assert err == ""
        assert out.count("\n") == 1
        return code, json.loads(out)

    return call


def test_a_compilation(files: SettingsFiles, run: Any) -> None:
    files.server()

    assert run(files.path) == (0, {"revision": "0001", "written": True, "ok": True, "findings": []})
    assert run(files.path) == (0, {"revision": "0001", "written": False, "ok": True, "findings": []})


def test_errors(files: SettingsFiles, run: Any) -> None:
    files.settings("config: {port: 0}")

    code, answer = run(files.path)

    assert (code, answer["revision"], answer["written"], answer["ok"]) == (6, "", False, False)
    assert answer["findings"] == [
        {
            "file": "etc/sbctl.yaml",
            "line": 1,
            "col": 16,
            "path": "config.port",
            "message": "must be at least 1",
            "remedy": "write 1 or more",
            "level": "error",
            "text": "etc/sbctl.yaml:1:16: error: config.port: must be at least 1\n  -> write 1 or more",
        }
    ]


def test_a_first_start(files: SettingsFiles, run: Any) -> None:
    files.manifest("bad", "{")

    assert run(files.path)[0] == 6
    assert run(files.path, "--tolerant")[0] == 0


def test_a_check_writes_nothing(files: SettingsFiles, run: Any) -> None:
    files.server()

    assert run(files.path, "--check") == (0, {"revision": "", "written": False, "ok": True, "findings": []})
    assert not (files.path / "logs").exists()
    files.settings("[")
    assert run(files.path, "--check")[0] == 6


def test_a_preview_shows_what_would_be_written(files: SettingsFiles, run: Any) -> None:
    files.server()
    code, answer = run(files.path, "--preview")

    assert (code, answer["written"]) == (0, False)
    assert [service["name"] for service in answer["documents"]["scheduler"]["services"]] == ["web"]
    assert [service["name"] for service in answer["documents"]["start"]["services"]] == ["scheduler", "config"]
    assert not (files.path / "logs").exists()


@pytest.mark.parametrize("argv", [[], ["/a", "/b"], ["/a", "--what"], ["/a", "--check", "--preview"]])
def test_wrong_arguments(run: Any, argv: list[str]) -> None:
    assert run(*argv)[0] == 2


def test_a_home_that_is_not_there(run: Any, tmp_path: Path) -> None:
    code, answer = run(tmp_path / "none")

    assert (code, answer["ok"], answer["error"]["what"]) == (6, False, f"there is no folder {tmp_path}/none")


def test_a_folder_that_can_not_be_written(files: SettingsFiles, run: Any) -> None:
    (files.path / "logs").write_text("in the way")

    code, answer = run(files.path)

    assert (code, answer["ok"]) == (4, False)
    assert answer["error"]["what"] == f"can't lock the settings in {files.path}/logs/run/settings: Not a directory"


def test_a_full_disk_is_said_once(files: SettingsFiles, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("supervisor.helpers.compile._compile", full)

    code, answer = run(files.path)

    assert (code, answer["error"]["why"]) == (1, "")
    assert answer["error"]["what"] == "the compiled settings can't be written: No space left on device"


def test_a_defect_is_told_without_a_traceback(files: SettingsFiles, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(home: object, *, tolerant: bool) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(api, "compile_home", broken)

    code, answer = run(files.path)

    assert (code, answer["error"]["what"], answer["error"]["why"]) == (
        70,
        "the compiler failed: RuntimeError",
        "on purpose",
    )


def test_as_a_process_with_limits_and_without_a_locale(files: SettingsFiles) -> None:
    folder = os.fsencode(files.path) + b"/gr\xfc\xdf"  # no UTF-8
    os.mkdir(folder)
    code = "import sys, resource; from supervisor.helpers.compile import main; code = main(sys.argv[1:]); "
    code += (
        "print(resource.getrlimit(resource.RLIMIT_AS)[0], resource.getrlimit(resource.RLIMIT_CPU)[0]); sys.exit(code)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, folder],
        capture_output=True,
        cwd=ROOT,
        env={"LC_ALL": "C", "PATH": "/bin", "PYTHONWARNINGS": "ignore"},
        timeout=30,
        check=False,
    )

    answer, limits = done.stdout.decode("ascii").splitlines()
    assert (done.returncode, done.stderr, json.loads(answer)["ok"]) == (0, b"", True)
    assert limits == f"{1 << 30} 20"
    start = json.loads(Path(os.fsdecode(folder), "logs/run/settings/current/start.json").read_bytes())
    assert os.fsencode(start["services"][0]["launch"]["cwd"]) == folder
