"""Which services a word on the command line means."""

from __future__ import annotations

import fnmatch
import random
import time

import pytest

from supervisor.core.names import fits, matching

PLUGINS = {"api": "api", "web:1": "web", "web:2": "web", "webhook": "webhook", "a-b_c": "a-b_c"}


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("api", ["api"]),
        ("web:2", ["web:2"]),
        ("web", ["web:1", "web:2"]),
        ("web*", ["web:1", "web:2", "webhook"]),
        ("web:*", ["web:1", "web:2"]),
        ("web:?", ["web:1", "web:2"]),
        ("web:[2-9]", ["web:2"]),
        ("w[!x]b", ["web:1", "web:2"]),
        ("*", list(PLUGINS)),
        ("we", []),
        ("x*", []),
        ("", []),
        ("web:3", []),
    ],
)
def test_a_word_means_a_service_a_plugin_or_what_fits(word: str, names: list[str]) -> None:
    assert matching(word, PLUGINS) == names


def test_it_agrees_with_the_shell_patterns_of_the_library() -> None:
    chance = random.Random(7)
    for _ in range(20_000):
        text = "".join(chance.choice("ab:-") for _ in range(chance.randrange(6)))
        pattern = "".join(chance.choice("ab*?[]!-:") for _ in range(chance.randrange(6)))

        assert fits(text, pattern) == fnmatch.fnmatchcase(text, pattern), (text, pattern)


def test_no_pattern_takes_long() -> None:
    began = time.process_time()

    assert not fits("a" * 5000, "*a" * 30 + "b")

    assert time.process_time() - began < 1
