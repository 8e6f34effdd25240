"""`sbctl config validate|show|path|schema|history|undo`."""

from __future__ import annotations

import click

from supervisor.base.errors import BAD_SETTINGS
from supervisor.cli.compiling import finding_texts, run_compiler
from supervisor.cli.json_text import encode, encode_indented
from supervisor.cli.main import Asked
from supervisor.cli.out import answer, note, show
from supervisor.cli.params import SubVerbs

FILES = ("sbctl.yaml", "scheduler.json", "schedule.json", "manifest.json")


@click.group(cls=SubVerbs, invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Check and show the settings, and go back to earlier ones."""
    if ctx.invoked_subcommand is None:
        show(ctx.get_help())


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object: ok, findings")
@click.pass_obj
def validate(asked: Asked, as_json: bool) -> int:
    """Check all files and name everything wrong.

    Changes nothing. Exit code 6 when there are errors.
    """
    home = asked.home()
    found = run_compiler(home, "--check")
    if as_json:
        show(encode({"ok": found["ok"], "findings": found["findings"]}))
        return 0 if found["ok"] else BAD_SETTINGS
    for text in finding_texts(found):
        show(text)
    errors = sum(1 for finding in found["findings"] if finding["level"] == "error")
    if errors:
        note(f"{errors} error{'' if errors == 1 else 's'} in {home.etc} and {home.plugins}")
        return BAD_SETTINGS
    show(f"the settings of {home} are good")
    return 0


@command.command(name="show")
@click.option("--json", "as_json", is_flag=True, help="One JSON object")
@click.pass_obj
def show_settings(asked: Asked, as_json: bool) -> int:
    """Show the settings, every default filled in.

    These are the files' settings, which are in force after the next start or reload.
    """
    from supervisor.settings import api  # pydantic: 0.2 s

    settings = api.show(asked.home())
    if as_json:
        show(encode(settings))
        return 0
    import yaml

    show(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True).rstrip())
    return 0


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object")
@click.pass_obj
def path(asked: Asked, as_json: bool) -> int:
    """Show where this home's files are."""
    home = asked.home()
    places = {
        "home": home.path,
        "settings": home.settings_file,
        "scheduler": home.join("etc", "scheduler.json"),
        "plugins": home.plugins,
        "logs": home.logs,
        "key": home.key_file,
    }
    if as_json:
        show(encode(places))
    else:
        show("\n".join(f"{name:<10}{where}" for name, where in places.items()))
    return 0


@command.command()
@click.argument("file", type=click.Choice(FILES))
@click.option("--json", "as_json", is_flag=True, help="On one line; it is JSON in any case")
def schema(file: str, as_json: bool) -> int:
    """Show the JSON Schema of a settings file, for editors that check while one types."""
    from supervisor.settings import api

    show((encode if as_json else encode_indented)(api.json_schema(file)))
    return 0


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object: revisions")
@click.pass_obj
def history(asked: Asked, as_json: bool) -> int:
    """Show the settings' revisions, newest first: when, and what each changed."""
    home = asked.home()
    from supervisor.cli.undoing import history_lines
    from supervisor.settings import api

    revisions = api.history(home)
    facts = {"revisions": [revision.as_dict() for revision in revisions]}
    answer("\n".join(history_lines(revisions)), facts, as_json=as_json)
    return 0


@command.command()
@click.argument("number", required=False, metavar="[N]")
@click.option("--yes", is_flag=True, help="Do not ask")
@click.option("--dry-run", is_flag=True, help="Show what would be done to which files, and do nothing")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: revision, files, undone, changes")
@click.pass_obj
def undo(asked: Asked, number: str | None, yes: bool, dry_run: bool, as_json: bool) -> int:
    """Bring the settings files of revision N back, and put them in force.

    Without N the last change is undone: edits that were not taken over yet, else the latest revision. What was there
    is kept as a revision, so that an undo can be undone. A running sbctl takes the settings over, as by reload.
    """
    from supervisor.cli import undoing

    return undoing.undo(asked.home(changing=not dry_run), number, yes=yes, dry_run=dry_run, as_json=as_json)
