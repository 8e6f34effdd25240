"""Files as text: where values stand, and that nothing written can do more than produce a finding."""

from __future__ import annotations

import json
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from unit.settings.settings_files import parsed, said

from supervisor.settings.document import MAX_FINDINGS

JSON_PLACES = '{\n\t"a": [1, {"b": "\\ud83d\\ude00", "c": 2}],\r\n  "": {"": true},\n  "d" :\n    "x" }'
YAML_PLACES = "a: [1, {b: '😀', c: 2}]\n'': {'': true}\nd:\n    - x\n    -   on: y\n"


def test_places_in_json() -> None:
    places = parsed(JSON_PLACES, "json").positions

    assert places.keys[("a",)] == (2, 2)
    assert places.values[("a", 0)] == (2, 8)
    assert places.values[("a", 1, "b")] == (2, 17)
    assert places.values[("a", 1, "c")] == (2, 38)
    assert places.values[("", "")] == (3, 12)
    assert places.keys[("d",)] == (4, 3)
    assert places.values[("d",)] == (5, 5)


def test_places_in_yaml() -> None:
    document = parsed(YAML_PLACES, "yaml")
    places = document.positions

    assert document.data == {"a": [1, {"b": "😀", "c": 2}], "": {"": True}, "d": ["x", {"on": "y"}]}
    assert places.values[("a", 1, "b")] == (1, 12)
    assert places.values[("a", 1, "c")] == (1, 20)
    assert places.values[("d", 0)] == (4, 7)
    assert places.keys[("d", 1, "on")] == (5, 9)
    assert places.values[("d", 1, "on")] == (5, 13)


def test_something_missing_is_placed_at_what_is_around_it() -> None:
    assert parsed('{"a":\n  {"b": 1}}', "json").positions.of(("a", "x", 3, "y")) == (2, 3)


BAD_JSON = [
    ("", "1:1: the file is empty"),
    (" \n\t ", "1:1: the file is empty"),
    ('{"a": 1,}', "1:9: not JSON: expecting property name enclosed in double quotes"),
    ('{"a": 1', "1:8: not JSON: expecting ',' delimiter"),
    ('{"a": 1}\n{', "2:1: not JSON: extra data"),
    ('{"a": "x\ny"}', "1:9: not JSON: a control character inside a string"),
    ("{\"a\": 'x'}", "1:7: not JSON: expecting value"),
    ("{\n // why\n}", "2:2: not JSON: expecting property name enclosed in double quotes"),
    ('{"a": 1, "b": {"a": 2, "a": 3}, "a": 4}', "1:24: b.a: the key is given twice; it is first on line 1"),
    ('{"a": [NaN]}', "1:8: a.0: NaN is not a number that JSON can hold"),
    ('{"a": -Infinity}', "1:7: a: -Infinity is not a number that JSON can hold"),
    ('{"a": 1e999}', "1:7: a: 1e999 is not a number that JSON can hold"),
    ('{"a": ' + "9" * 5000 + "}", "1:7: a word or number without an end"),
    ('{"a": "\\u0000"}', "1:7: a: holds a NUL character, which no program can be given"),
    ('{"a": "\\ud800"}', "1:7: a: holds half of a surrogate pair"),
    (b'{"a": "\x00"}', "1:8: control character 0x00 in the file"),
    (b'{"a":\n "gr\xfcn"}', "2:5: byte 0xfc is not UTF-8"),
    ('{"a": 1}'.encode("utf-16"), "1:1: the file is UTF-16"),
    ("[" * 100_000, "1:51: nested more than 50 deep"),
    ('{"a":' * 100_000, "1:251: nested more than 50 deep"),
]

BAD_YAML = [
    ("a:\n\tb: 1", "2:1: a tab, where YAML wants blanks"),
    ("a:\n  b: 1\n \tc: 2", "3:2: a tab, where YAML wants blanks"),
    ("a: b: c", "1:5: not YAML: mapping values are not allowed in this context"),
    ("a: [1, 2", "2:1: not YAML: did not find expected ',' or ']' (while parsing a flow sequence)"),
    ('a: "x', "1:6: not YAML: found unexpected end of stream (while scanning a quoted scalar)"),
    ("a: 1\nb: 2\na: 3", "3:1: a: the key is given twice; it is first on line 1"),
    ("a: 1\n---\nb: 1", "2:1: a second document begins here"),
    ("a: *b", "1:4: not YAML: found undefined alias"),
    ("a: !!python/object/apply:os.system [ls]", "1:4: a: the tag python/object/apply:os.system is not allowed"),
    ("a: !!python/name:os.system", "1:4: a: the tag python/name:os.system is not allowed"),
    ("a: !!set {x}", "1:4: a: the tag set is not allowed"),
    ("a: !secret x", "1:4: a: the tag !secret is not allowed"),
    ("? [a, b]\n: 1", "1:3: a key must be a word, not a list or map"),
    ("a: .nan", "1:4: a: not a number that can be used"),
    ("a: -.inf", "1:4: a: not a number that can be used"),
    ("a: 0b" + "1" * 20_000, "1:4: a: not a number that can be used"),
    ("a: 012", "1:4: a: 012 does not mean what it looks like"),
    ("a: 1:30", "1:4: a: 1:30 does not mean what it looks like"),
    ("a: &x [*x]", "1:4: nested more than 50 deep, aliases followed"),
    ("a: &x\n  <<: *x", "1:4: nested more than 50 deep, aliases followed"),
    ('a: "\\0"', "1:4: a: holds a NUL character, which no program can be given"),
    ("a: x\x07", "1:5: control character 0x07 in the file"),
    ("a: x\x80", "1:5: control character in the file"),
    ("[" * 100_000, "1:51: nested more than 50 deep"),
    ("- " * 100_000, "1:101: nested more than 50 deep"),
]


def labelled(file: str, line: str) -> str:
    place, _, words = line.partition(": ")
    return f"{file}:{place}: error: {words}"


@pytest.mark.parametrize(("text", "line"), BAD_JSON)
def test_bad_json(text: str | bytes, line: str) -> None:
    assert said(parsed(text, "json"))[0] == labelled("file.json", line)


@pytest.mark.parametrize(("text", "line"), BAD_YAML)
def test_bad_yaml(text: str, line: str) -> None:
    assert said(parsed(text, "yaml"))[0] == labelled("file.yaml", line)


def test_yaml_as_people_write_it() -> None:
    lines = ["\ufeffx-base: &base {a: 1, b: 2}", "c:", "  <<: *base", "  b: 3"]
    lines += ["d: 1e3", "e: 2024-02-31", "f: 1_000", "g:", "1: yes", ""]

    document = parsed("\r\n".join(lines), "yaml")

    assert said(document) == []
    assert document.data == {
        "x-base": {"a": 1, "b": 2},
        "c": {"b": 3, "a": 1},
        "d": "1e3",
        "e": "2024-02-31",
        "f": 1000,
        "g": None,
        "1": True,
    }


def test_an_empty_yaml_file_says_nothing() -> None:
    for text in ("", "# only a comment\n", "---\n", "\ufeff"):
        document = parsed(text, "yaml")
        assert (document.data, said(document), document.can_be_judged) == (None, [], True)


def bomb(levels: int, width: int) -> str:
    lines = ["l0: &l0 [x]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


HOSTILE = {
    "billion laughs": (bomb(30, 10), "yaml"),
    "merge laughs": (
        "a0: &a0 {}\n" + "\n".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 45)),
        "yaml",
    ),
    "anchors": ("\n".join(f"a{n}: &a{n} x" for n in range(60_000)), "yaml"),
    "escaped quotes": ('"' + '\\"' * 500_000, "json"),
    "open quotes": ('"' * 1_000_001, "json"),
    "open braces in text": ("{" + '"a' * 300_000, "json"),
    "keys": ("{" + ",".join(f'"k{n}": 1' for n in range(60_000)) + "}", "json"),
    "same keys": ("{" + ",".join('"k": 1' for n in range(100_000)) + "}", "json"),
    "long key": ('{"' + "k" * 1_000_000 + '": 1}', "json"),
    "tabs": ("\t" * 1_000_000, "yaml"),
    "colons": (": " * 500_000, "yaml"),
    "questions": ("? " * 500_000, "yaml"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_answered_soon(name: str) -> None:
    text, kind = HOSTILE[name]
    started = time.process_time()

    document = parsed(text[: 1 << 20], kind)

    assert time.process_time() - started < 5
    assert len(document.findings) <= MAX_FINDINGS + 1


def test_more_problems_than_anybody_reads_are_cut_off() -> None:
    document = parsed("{" + ",".join('"k": 1' for _ in range(500)) + "}", "json")

    assert len(document.findings) == MAX_FINDINGS + 1
    assert document.findings[-1].message == "there are more problems than are shown"


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


def paths(data: object, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    found = {path}
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        found |= paths(value, (*path, key))
    return found


@given(plain, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_every_value_of_any_json_has_its_place(data: object, indent: int | str | None, is_ascii: bool) -> None:
    text = json.dumps(data, indent=indent, ensure_ascii=is_ascii)

    document = parsed(text, "json")

    if document.data is not None:
        assert set(document.positions.values) == paths(data)
        lines = text.split("\n")
        for path, (line, col) in document.positions.values.items():
            value = data
            for step in path:
                value = value[step]  # type: ignore[index]
            assert lines[line - 1][col - 1 :].startswith(json.dumps(value, ensure_ascii=is_ascii)[:1])


@given(st.binary(max_size=200), st.sampled_from(["json", "yaml"]))
def test_any_bytes_give_data_or_findings(raw: bytes, kind: str) -> None:
    document = parsed(raw, kind)

    assert document.data is not None or document.findings or kind == "yaml" or raw.strip() == b"null"


@given(st.text(alphabet=" \n-:[]{}&*!|>'\"%@,?#<a1~\t", max_size=60))
def test_what_looks_like_yaml_means_what_pyyaml_says_or_is_a_finding(text: str) -> None:
    document = parsed(text, "yaml")

    if not document.findings:
        expected = yaml.load(text, Loader=yaml.CBaseLoader)
        assert document.data == expected or document.data is None or _has_types(document.data)


def _has_types(data: object) -> bool:
    """The base loader knows texts only: data with numbers, nulls or merged maps can't be compared with its own."""
    if isinstance(data, dict):
        return any(map(_has_types, data.values())) or not data
    if isinstance(data, list):
        return any(map(_has_types, data))
    return not isinstance(data, str)
