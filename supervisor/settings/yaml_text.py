"""YAML with places: events (counted, capped) -> nodes -> plain data. Builds no objects but the six of JSON.

PyYAML knows YAML 1.1, in which `on` is true, `012` is 10 and `1:30` is 90. The words stay as they are,
because the schema refuses a truth where a text is wanted; numbers that read otherwise are refused here.
"""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

from supervisor.settings.document import MAX_DEPTH, BadText, Document, check_string, report_duplicate
from supervisor.settings.findings import Path
from supervisor.settings.positions import Place

MAX_VALUES = 20_000  # once aliases are followed: a bomb is small until then

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONTROL = re.compile("[\x80-\x84\x86-\x9f\ufffe\uffff]")
_SURPRISING = re.compile(r"[-+]?(0[0-9_]+|[0-9][0-9_]*(:[0-9.]+)+)$")
_TRUE = {"true", "yes", "on"}
_TAG = "tag:yaml.org,2002:"


def read_yaml(text: str, document: Document) -> Any:
    found = _CONTROL.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        raise BadText("control character in the file", (line, found.start() - text.rfind("\n", 0, found.start())))
    try:
        _check_depth(text)
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(text, error) from None
    except yaml.YAMLError as error:
        raise BadText(f"not YAML: {error}", (1, 1), "mend the text") from None
    return _Build(document).value(node, (), 0) if node is not None else None


def _check_depth(text: str) -> None:
    """Before the composer sees it, which recurses in C."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise BadText(f"nested more than {MAX_DEPTH} deep", _place(event.start_mark), "flatten it")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _place(mark: Any) -> Place:
    return mark.line + 1, mark.column + 1


def _syntax_error(text: str, error: yaml.MarkedYAMLError) -> BadText:
    mark = error.problem_mark or error.context_mark
    if mark and (tab := _tab_before(text, mark.line)):
        return BadText("a tab, where YAML wants blanks", (mark.line + 1, tab), "indent with blanks")
    words = error.problem or error.context or "not readable"
    remedy = "mend the text at this place (or at the line before)"
    if mark and (line := "---" if "another document" in words else "..." if "<document start>" in words else ""):
        if any(each.startswith(line) for each in text.split("\n")[: mark.line + 1]):
            return BadText("a second document begins here", _place(mark), f"a file holds one: remove the line {line}")
        return BadText("text after the end of the settings", _place(mark), "remove it, or put it into the map before")
    if "mapping values are not allowed" in words:
        remedy = "put a text that holds a colon in quotes, or check the indentation"
    context = f" ({error.context})" if error.context and error.problem else ""
    return BadText(f"not YAML: {words}{context}", _place(mark) if mark else (1, 1), remedy)


def _tab_before(text: str, line: int) -> int:
    """The column of a tab in the indentation of this line, or 0."""
    lines = text.split("\n")
    whole = lines[line] if line < len(lines) else ""
    return whole.find("\t", 0, len(whole) - len(whole.lstrip(" \t"))) + 1


class _Build:
    """Nodes to data. Aliases are followed, so the same node may be built several times: it is counted."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._left = MAX_VALUES

    def value(self, node: yaml.Node, path: Path, depth: int) -> Any:
        self._spend(node, depth)
        self._document.positions.values[path] = _place(node.start_mark)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if node.tag not in (f"{_TAG}map", f"{_TAG}seq"):
            self._refuse_tag(node, path)
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        return [self.value(item, (*path, number), depth + 1) for number, item in enumerate(node.value)]

    def _spend(self, node: yaml.Node, depth: int) -> None:
        self._left -= 1
        if self._left < 0:
            raise BadText(f"more than {MAX_VALUES} values, aliases followed", _place(node.start_mark), "write fewer")
        if depth > MAX_DEPTH:
            raise BadText(f"nested more than {MAX_DEPTH} deep, aliases followed", _place(node.start_mark), "flatten it")

    def _mapping(self, node: yaml.MappingNode, path: Path, depth: int) -> dict[str, Any]:
        data: dict[str, Any] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            place = _place(key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                raise BadText("a key must be a word, not a list or map", place, "write a plain key")
            if key_node.tag == f"{_TAG}merge":
                merged.append(value_node)
                continue
            inner: Path = (*path, key_node.value)
            check_string(self._document, path, key_node.value)
            if key_node.value in data:
                report_duplicate(self._document, inner, place)
            self._document.positions.keys[inner] = place
            data[key_node.value] = self.value(value_node, inner, depth + 1)
        for source in merged:
            self._merge(data, source, path, depth)
        return data

    def _merge(self, data: dict[str, Any], source: yaml.Node, path: Path, depth: int) -> None:
        """`<<: *defaults`: what the map does not say itself."""
        for each in source.value if isinstance(source, yaml.SequenceNode) else [source]:
            self._spend(each, depth)
            if not isinstance(each, yaml.MappingNode):
                raise BadText("<< wants a map", _place(source.start_mark), "point it at a map")
            new = [pair for pair in each.value if str(pair[0].value) not in data]
            data.update(self._mapping(yaml.MappingNode(each.tag, new, each.start_mark), path, depth + 1))

    def _refuse_tag(self, node: yaml.Node, path: Path) -> None:
        self._document.report(path, f"the tag {node.tag.removeprefix(_TAG)} is not allowed", "write a plain value")

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        text = str(node.value)
        match node.tag.removeprefix(_TAG):
            case "null":
                return None
            case "bool":
                return text.lower() in _TRUE
            case "int" | "float":
                return self._number(node, text, path)
            case "str" | "timestamp":
                check_string(self._document, path, text)
                return text
            case _:
                self._refuse_tag(node, path)
                return None

    def _number(self, node: yaml.ScalarNode, text: str, path: Path) -> Any:
        if _SURPRISING.match(text):
            self._document.report(
                path, f"{text} does not mean what it looks like", "write a plain number, or use quotes"
            )
            return 0
        try:
            if node.tag.endswith("float"):
                number = float(text.replace("_", ""))
            else:
                number = yaml.SafeLoader("").construct_yaml_int(node)
            if math.isfinite(number):
                return number
        except (ValueError, OverflowError):
            pass
        self._document.report(path, "not a number that can be used", "write a plain number")
        return 0
