"""The record file: whatever a kill or a full disk leaves of it, each whole line is a fact and nothing else is."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supervisor.engine import records
from supervisor.engine.records import Record, RecordFile, read_records

BOOT = "this-boot"


def record(key: str, pid: int = 4242) -> Record:
    return Record(key, pid, 1000 + pid, 77, (15, 2.5))


def write(path: Path, *keys: str, ended: tuple[str, ...] = ()) -> RecordFile:
    file = RecordFile(str(path), boot=BOOT, home_id="home")
    file.open()
    for number, key in enumerate(keys):
        file.spawned([record(key, 100 + number)])
    for key in ended:
        file.ended(key)
    return file


def keys(path: Path) -> list[str]:
    return [each.key for each in read_records(str(path), BOOT, "home")]


def test_what_was_spawned_and_not_ended_is_found(tmp_path: Path) -> None:
    write(tmp_path / "records", "a.1", "b.1", "a.2", ended=("a.1",)).close()

    found = read_records(str(tmp_path / "records"), BOOT, "home")

    assert [each.key for each in found] == ["b.1", "a.2"]
    assert (found[0].pid, found[0].started, found[0].inode, found[0].stop) == (101, 1101, 77, (15, 2.5))


def test_cut_at_every_byte_each_whole_line_counts(tmp_path: Path) -> None:
    path = tmp_path / "records"
    write(path, "a.1", "b.1", "c.1", ended=("b.1",)).close()
    whole = path.read_bytes()
    states = [[], ["a.1"], ["a.1", "b.1"], ["a.1", "b.1", "c.1"], ["a.1", "c.1"]]
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])

        # A line is whole without its line end, too: the last byte of it is the closing bracket.
        lines = whole[:length].count(b"}\n") + whole[:length].endswith(b"}") - 1
        if whole[:length].endswith(b"}") and whole[length : length + 1] != b"\n":
            continue
        assert keys(path) == states[max(lines, 0)], length


def test_another_boots_records_are_void(tmp_path: Path) -> None:
    write(tmp_path / "records", "a.1").close()

    assert read_records(str(tmp_path / "records"), "another-boot", "home") == []
    assert read_records(str(tmp_path / "missing"), BOOT, "home") == []
    assert read_records(str(tmp_path), BOOT, "home") == []
    os.mkfifo(tmp_path / "pipe")
    assert read_records(str(tmp_path / "pipe"), BOOT, "home") == []


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[1]",
        b"{}",
        b'{"k":"a.1"}',
        b'{"k":"a.1","p":1,"s":1,"i":1,"g":[15,1]}',
        b'{"k":"a.1","p":0,"s":1,"i":1,"g":[15,1]}',
        b'{"k":"a.1","p":-5,"s":1,"i":1,"g":[15,1]}',
        b'{"k":"a.1","p":true,"s":1,"i":1,"g":[15,1]}',
        b'{"k":"a.1","p":5.0,"s":1,"i":1,"g":[15,1]}',
        b'{"k":"a.1","p":"5","s":1,"i":1,"g":[15,1]}',
        b'{"k":["a.1"],"p":5,"s":1,"i":1,"g":[15,1]}',
        b'{"k":"a.1","p":5,"s":null,"i":1,"g":[15,1]}',
        b'{"k":"a.1","p":5,"s":1,"i":1,"g":[0,1]}',
        b'{"k":"a.1","p":5,"s":1,"i":1,"g":[15,-1]}',
        b'{"k":"a.1","p":5,"s":1,"i":1,"g":[15,NaN]}',
        b'{"k":"a.1","p":5,"s":1,"i":1,"g":[15,1e400]}',
        b'{"k":"a.1","p":5,"s":1,"i":1,"g":[15]}',
        b'{"k":"a.1","p":5,"s":1,"i":1,"g":"15"}',
        b"[" * 100_000,
    ],
)
def test_a_line_that_is_no_record_is_none_and_its_neighbours_count(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "records"
    write(path, "before.1").close()
    good = json.dumps({"k": "after.1", "p": 5, "s": 1, "i": 1, "g": [15, 1]}).encode()
    with path.open("ab") as file:
        file.write(line + b"\n" + good + b"\n")

    assert keys(path) == ["before.1", "after.1"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes_can_be_read(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "records").write_bytes(json.dumps({"boot": BOOT}).encode() + b"\n" + data)

    read_records(str(tmp_path / "records"), BOOT, "home")
    (tmp_path / "records").write_bytes(data)
    read_records(str(tmp_path / "records"), BOOT, "home")


def test_a_full_disk_costs_the_record_it_cut_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "records"
    file = write(path, "a.1")

    def cut(fd: int, data: bytes) -> None:
        os.write(fd, data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(records, "write_all", cut)
        file.spawned([record("b.1")])
    file.spawned([record("c.1")])
    file.close()

    assert file.dropped == 1
    assert keys(path) == ["a.1", "c.1"]


def test_a_long_life_does_not_grow_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "REWRITE_AT", 2000)
    path = tmp_path / "records"
    file = write(path, "stays.1")
    for number in range(500):
        file.spawned([record(f"server.{number}")])
        file.ended(f"server.{number}")
    file.spawned([record("last.1")])
    file.close()

    assert path.stat().st_size < 3000
    assert keys(path) == ["stays.1", "last.1"]
