"""Which commands need a shell, and which words are executed."""

from __future__ import annotations

import time

import pytest
from pydantic import TypeAdapter, ValidationError

from supervisor.settings.commands import CommandKey, find_problem, server_words, words

DIRECT = [
    ("python3 server.py", ("python3", "server.py")),
    ("  python3\tserver.py  ", ("python3", "server.py")),
    ("python3 -m http.server --bind=127.0.0.1 8080", ("python3", "-m", "http.server", "--bind=127.0.0.1", "8080")),
    ("echo 'a b' \"c d\"", ("echo", "a b", "c d")),
    ("serve '' x", ("serve", "", "x")),
    ("prog NAME=value", ("prog", "NAME=value")),
    ("./run.sh user@host:/x 50%", ("./run.sh", "user@host:/x", "50%")),
    ("träger ünïcode", ("träger", "ünïcode")),
    (["a b", "$HOME"], ("a b", "$HOME")),
    ("true", ("true",)),
    ("test -f x", ("test", "-f", "x")),
]

BY_SHELL = [
    "python3 server.py | tee x",
    "python3 server.py > log 2>&1",
    "echo $HOME",
    "echo ~",
    "ls *.py",
    "a; b",
    "a && b",
    "a\nb",
    "FOO=1 python3 server.py",
    "FOO+=1 x",
    "exec python3 server.py",
    "cd x",
    ". env.sh",
    "source env.sh",
    "if true",
    "echo \\'",
    "# a comment with a quote: don't\necho x",
    "cat <<END\ndon't\nEND",
    'echo "a\\"b"',
]


@pytest.mark.parametrize(("command", "expected"), DIRECT)
def test_executed_directly(command: str | list[str], expected: tuple[str, ...]) -> None:
    assert words(TypeAdapter(CommandKey).validate_python(command)) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("command", "makes_way"),
    [
        ("./serve --port 808$SB_INSTANCE", True),
        ('./serve "${NAME}" *.conf', True),
        ("$PYTHON server.py", True),
        ("./serve $A; echo $B", False),
        ("./serve $A && ./other", False),
        ("./serve $A | logger", False),
        ("./serve $A > file", False),
        ("X=1 ./serve $A", False),
        ("cd $A", False),
        ("exec ./serve $A", False),
        ("./serve $(cat file)", False),
        ("( ./serve $A )", False),
        ("./serve $A &", False),
        ("./serve $A\n./other", False),
    ],
)
def test_the_shell_of_a_server_makes_way_for_one_program(command: str, makes_way: bool) -> None:
    assert server_words(command) == ("/bin/sh", "-c", f"exec {command}" if makes_way else command)


def test_without_a_shell_nothing_makes_way() -> None:
    assert server_words("./serve --port 80") == ("./serve", "--port", "80")
    assert server_words(["/bin/sh", "-c", "./serve $A"]) == ("/bin/sh", "-c", "./serve $A")


@pytest.mark.parametrize("command", BY_SHELL)
def test_given_to_a_shell(command: str) -> None:
    assert words(TypeAdapter(CommandKey).validate_python(command)) == ("/bin/sh", "-c", command)  # type: ignore[arg-type]


@pytest.mark.parametrize("command", ["echo 'x", 'echo "x', "echo 'x | cat", 'echo "\\"', "echo $'x", "a \"b' c"])
def test_an_open_quote_is_an_error(command: str) -> None:
    with pytest.raises(ValidationError, match="is not closed"):
        TypeAdapter(CommandKey).validate_python(command)


@pytest.mark.parametrize("unit", ["'", "\\", "a ", "\"'", "# ", "$", "<<", "\n", "=", "''"])
def test_no_text_takes_long(unit: str) -> None:
    started = time.process_time()
    for length in (100_000, 31_000):
        try:
            words(TypeAdapter(CommandKey).validate_python(unit * (length // len(unit))))  # type: ignore[arg-type]
        except ValidationError:
            continue
    assert time.process_time() - started < 1


def test_a_program_that_is_there_is_no_problem(tmp_path: object) -> None:
    assert find_problem(("sh", "x"), str(tmp_path), "/nowhere:/bin") is None
    assert find_problem(("/bin/sh",), str(tmp_path), "") is None
    assert find_problem(("../../../../../../../../bin/sh",), str(tmp_path), "") is None
