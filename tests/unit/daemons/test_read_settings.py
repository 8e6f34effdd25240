"""What a daemon makes of its compiled settings at its start, and of those that are spoilt."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.settings.settings_files import SettingsFiles

from supervisor.base.errors import BAD_SETTINGS, Problem
from supervisor.base.rows import Rows, read_rows
from supervisor.daemons.common import read_compiled, read_settings
from supervisor.model.home import Home
from supervisor.model.inputs import made_for
from supervisor.model.schedule import Catalogue
from supervisor.model.service import Spec
from supervisor.settings.api import compile_home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    files = SettingsFiles(tmp_path / "home")
    files.server("web")
    files.manifest("job", {"id": "job", "commands": {"get": "/bin/true"}})
    files.scheduler({"tasks": [{"plugins": ["job"], "intervalHours": 1}]})
    assert compile_home(files.home).ok
    return files.home


def test_records_stand_in_the_place_of_what_they_are_made_of(home: Home) -> None:
    found = read_settings(home, "scheduler")

    assert [type(each) for each in found["services"]] == [Spec]
    assert isinstance(found["schedules"], Catalogue)
    assert list(found["schedules"].schedules) == ["job"]
    assert found["schedules"].commands["job"]["get"].argv == ("/bin/true",)


def test_of_the_inputs_only_that_is_kept_which_says_whose_they_are(home: Home) -> None:
    found = read_settings(home, "start")

    assert len(found["inputs"]) == 1
    assert len(read_compiled(home, "start")["inputs"]) > 1
    assert made_for(found, home)


@pytest.mark.parametrize("name", ["services", "commands", "schedules"])
def test_what_may_be_long_is_written_so_that_it_need_not_be_read_as_a_whole(home: Home, name: str) -> None:
    found = read_compiled(home, "scheduler", decode=read_rows)

    assert isinstance(found[name] if name == "services" else found["schedules"][name], Rows)


@pytest.mark.parametrize(("is_there", "is_spoilt"), [('"id":"job"', '"id":"job'), ('"plugin":"job"', '"plagin":"job"')])
def test_a_spoilt_element_is_refused_before_anything_begins(home: Home, is_there: str, is_spoilt: str) -> None:
    path = Path(home.compiled_file("scheduler"))
    text = path.read_text()
    assert is_there in text
    path.write_text(text.replace(is_there, is_spoilt))

    with pytest.raises(Problem, match="there are no compiled settings") as told:
        read_settings(home, "scheduler")

    assert told.value.code == BAD_SETTINGS
    assert str(path) in told.value.why
