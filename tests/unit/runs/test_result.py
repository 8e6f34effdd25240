"""A step may leave anything where its figures belong: reading it takes no time and breaks nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.waiting import eventually

from supervisor.runs.result import (
    MAX_BYTES,
    MAX_TEXT,
    Unusable,
    _remove_tree,
    make_work_folder,
    read_result,
    remove_work_folder,
)  # fmt: skip


def read(path: Path, content: str | bytes) -> dict[str, object]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_result(str(path))


def test_figures_are_numbers_texts_and_truths(tmp_path: Path) -> None:
    content = '{"data": 3, "quality": 0.5, "ok": true, "name": "x", "list": [1], "none": null, "object": {}}'

    assert read(tmp_path / "r", content) == {"data": 3, "quality": 0.5, "ok": True, "name": "x", "none": "null"}


@pytest.mark.parametrize("content", ["", "  \n"])
def test_an_empty_file_is_no_figures(tmp_path: Path, content: str) -> None:
    assert read(tmp_path / "r", content) == {}


def test_no_file_is_no_figures(tmp_path: Path) -> None:
    assert read_result(str(tmp_path / "none")) == {}
    assert read_result(str(tmp_path / "none" / "deeper")) == {}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"data": 1} more', "not JSON"),
        (b"[" * 20_000, "not JSON"),
        (b"[1, 2]", "no object"),
        (b"3", "no object"),
        (b" " * MAX_BYTES + b"{}", f"has {MAX_BYTES + 2} bytes"),
    ],
)
def test_what_can_not_be_used_says_why(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(Unusable, match=why):
        read(tmp_path / "r", content)


def test_a_gigabyte_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "r").open("wb") as file:
        file.truncate(1 << 30)

    with pytest.raises(Unusable, match="1073741824 bytes"):
        read_result(str(tmp_path / "r"))


def test_nothing_but_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text('{"data": 1}')
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")

    for name, why in (("link", "it is a link"), ("folder", "is no file"), ("fifo", "is no file")):
        with pytest.raises(Unusable, match=why):
            read_result(str(tmp_path / name))


def test_so_much_of_a_text_is_kept_and_no_more(tmp_path: Path) -> None:
    long = read(tmp_path / "r", f'{{"{"k" * 500}": "{"v" * 500}"}}')

    assert [(len(name), len(str(value))) for name, value in long.items()] == [(MAX_TEXT, MAX_TEXT)]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400])
def test_a_figure_that_no_limit_can_be_compared_with_is_a_text(tmp_path: Path, number: str) -> None:
    """So that the gates see that something was said, and that it is no number."""
    figures = read(tmp_path / "r", f'{{"data": {number}, "quality": 1}}')
    assert (type(figures["data"]), figures["quality"]) == (str, 1)


def test_what_a_step_leaves_in_its_folder_goes_but_not_what_links_lead_to(tmp_path: Path) -> None:
    work, kept = tmp_path / "work" / "r1", tmp_path / "kept"
    assert make_work_folder(str(work), None) == ""
    assert make_work_folder(str(work), None) == ""
    (kept / "inner").mkdir(parents=True)
    (kept / "file").write_text("x")
    (work / "deep" / "deeper").mkdir(parents=True)
    (work / "deep" / "file").write_text("x")
    (work / "link").symlink_to(kept)
    (work / "deep" / "to-file").symlink_to(kept / "file")
    os.mkfifo(work / "fifo")

    _remove_tree(str(work))

    assert not work.exists()
    assert sorted(path.name for path in kept.iterdir()) == ["file", "inner"]


def test_a_link_in_place_of_the_folder_goes_and_nothing_else(tmp_path: Path) -> None:
    """A step may put its folder elsewhere; what lies there is not ours."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("x")
    (tmp_path / "r1").symlink_to(tmp_path / "kept")

    remove_work_folder(str(tmp_path / "r1"))
    eventually(lambda: not (tmp_path / "r1").is_symlink())

    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["file"]


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "work").write_text("in the way")

    assert make_work_folder(str(tmp_path / "work" / "r1"), None) != ""
