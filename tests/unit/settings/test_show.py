"""What people get to see: the resolved settings, the schema, the page made of it."""

from __future__ import annotations

from pathlib import Path

from unit.settings.settings_files import SettingsFiles

from supervisor.settings import reference
from supervisor.settings.api import FILES, json_schema, show
from supervisor.settings.scheduler_file import ScheduleFile

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


def test_every_default_is_shown(files: SettingsFiles) -> None:
    files.scheduler('{"servers": {"web": {"autoStart": true}}}')
    files.server("web", cwd="home")

    shown = show(files.home)

    assert shown["sbctl"]["config"] == {"enabled": True, "host": "127.0.0.1", "port": 3456}
    assert shown["sbctl"]["supervision"]["delaysSeconds"] == [5, 10, 20, 40]
    assert shown["scheduler"]["servers"] == {"web": {"autoStart": True}}
    assert shown["plugins"]["web"]["cwd"] == "home"


def test_secrets_are_not_shown(files: SettingsFiles) -> None:
    env = {
        "API_KEY": "canary",
        "DB_PASSWORD": "canary",
        "GITHUB_TOKEN": "env:GITHUB_TOKEN",
        "key_file": "file:/etc/key",
        "AUTH": "${AUTH}",
        "LEVEL": "debug",
    }
    files.server("web", env=env)

    assert show(files.home)["plugins"]["web"]["env"] == {
        "API_KEY": "***",
        "DB_PASSWORD": "***",
        "GITHUB_TOKEN": "env:GITHUB_TOKEN",
        "key_file": "file:/etc/key",
        "AUTH": "${AUTH}",
        "LEVEL": "debug",
    }


def test_every_key_is_explained() -> None:
    for name in FILES:
        schema = json_schema(name)
        for part in (schema, *schema["$defs"].values()):
            for key, value in part.get("properties", {}).items():
                assert value.get("description"), f"{name}: {key}"


def test_the_page_is_that_of_this_schema() -> None:
    assert PAGE.read_text() == reference.page(), "python -m supervisor.settings.reference > docs/settings.md"


def test_each_key_of_a_schedule_is_explained_once() -> None:
    page = reference.page()

    for key in ScheduleFile.model_json_schema()["properties"]:
        if key not in ("format", "plugin"):
            assert page.count(f"| `tasks[].{key}` |") == 1
            assert f"`defaults.{key}`" not in page
    assert "| `scheduler.mode` |" in page
    assert "| `scheduler.cron` |" not in page
