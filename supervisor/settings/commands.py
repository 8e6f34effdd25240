"""From a command as written to the words that are executed, without or with a shell.

A shell between us and a server costs a process and swallows signals, so it is used only for what
needs one.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from typing import Annotated, Any

from pydantic import BeforeValidator

from supervisor.settings.shape import wrong

SHELL = "/bin/sh"
_INSTALL = "install it, or correct the command"
MAX_COMMAND = 32_000  # the kernel takes 128 KiB a word

_PLAIN = set("_./:=@%+,- \t\"'")
_OPERATORS = set(";&|<>(){}`\\!#\n")  # more than one command, or something that exec would read otherwise
_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_OF_THE_SHELL = """
. : alias bg break case cd command continue declare do done elif else esac eval exec exit export fc fg fi for function
getopts hash if in jobs let local read readonly return select set shift source then time times trap type typeset ulimit
umask unalias unset until wait while
"""
_SHELL_WORDS = frozenset(_OF_THE_SHELL.split())


def _is_plain(text: str) -> bool:
    return all(char in _PLAIN or char.isalnum() for char in text)


def _check_quotes(text: str) -> None:
    """An open quote ends in a puzzling message of the shell at run time; here it is one with a place."""
    if "<<" in text:  # the text of a here-document may hold anything
        return
    quote = ""
    chars = iter(text)
    before = " "
    for char in chars:
        if quote:
            if char == "\\" and quote == '"':
                next(chars, "")
            elif char == quote:
                quote = ""
        elif char == "\\":
            next(chars, "")
        elif char in "\"'":
            quote = char
        elif char == "#" and before.isspace():
            while next(chars, "\n") != "\n":
                continue
        before = char
    if quote:
        raise wrong(f"a quote ({quote}) is not closed", "close it, or write the command as a list of words")


def words(command: str | list[str]) -> tuple[str, ...]:
    """The argument list to execute; the command has been checked."""
    if isinstance(command, list):
        return tuple(command)
    if _is_plain(command):
        split = shlex.split(command)
        if not _ASSIGNMENT.match(split[0]) and split[0] not in _SHELL_WORDS:
            return tuple(split)
    return (SHELL, "-c", command)


def server_words(command: str | list[str]) -> tuple[str, ...]:
    """The same for a server: a shell that is only there to fill in variables makes way for it.

    So its pid is the server's, and a signal for the main process alone reaches it.
    """
    argv = words(command)
    if isinstance(command, str) and argv[0] == SHELL and argv[2:] == (command,) and _is_one_program(command):
        return (SHELL, "-c", f"exec {command}")
    return argv


def _is_one_program(command: str) -> bool:
    text = _VARIABLE.sub("", command)
    first = command.split(maxsplit=1)[0]
    return not (set(text) & _OPERATORS) and "=" not in first and first not in _SHELL_WORDS


def _check_command(value: Any) -> Any:
    if isinstance(value, str):
        if not value.strip():
            raise wrong("the command is empty", "write a command, or remove the key")
        if len(value) > MAX_COMMAND:
            raise wrong(f"the command is longer than {MAX_COMMAND} letters", "put it into a script")
        _check_quotes(value)
        if not words(value)[0]:
            raise wrong("the command is empty", "write a command, or remove the key")
        return value
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise wrong("must be a text or a list of texts", 'write "python3 server.py" or ["python3", "server.py"]')
    if not value or not value[0]:
        raise wrong("the command is empty", "write a command, or remove the key")
    if sum(len(word) for word in value) > MAX_COMMAND:
        raise wrong(f"the command is longer than {MAX_COMMAND} letters", "put it into a script")
    return value


CommandKey = Annotated[str | list[str], BeforeValidator(_check_command, json_schema_input_type=str | list[str])]


def find_problem(argv: tuple[str, ...], cwd: str, search: str) -> tuple[str, str] | None:
    """Why the program can't be started as things are now, and a remedy. Only a warning: it may be there in time."""
    program = argv[0]
    if "/" not in program:
        if shutil.which(program, path=search):
            return None
        here = os.path.isfile(os.path.join(cwd, program))
        remedy = f"write ./{program}: a name without a slash is looked up on PATH only" if here else _INSTALL
        return f"command not found on PATH: {program}", remedy
    path = os.path.join(cwd, program.removeprefix("./"))
    if os.path.isdir(path):
        return f"a folder, not a program: {path}", "name the program in it"
    if not os.path.exists(path):
        return f"command not found: {path}", _INSTALL
    if not os.access(path, os.X_OK):
        return f"not executable: {path}", f"chmod +x {shlex.quote(path)}"
    return None
