"""What `reload` shows of changes."""

from __future__ import annotations

from supervisor.cli.commands.reload import change_lines, in_written_keys


def test_a_schedule_and_a_service_of_one_name_are_told_apart() -> None:
    service = {"name": "web", "action": "restart", "fields": ["launch.argv"]}
    schedule = {"name": "web", "action": "live", "fields": ["commands", "triggers"], "kind": "schedule"}

    assert change_lines([in_written_keys(service), in_written_keys(schedule)], dry_run=True) == [
        "would change:",
        "  restart  web           commands.server",
        "  live     schedule web  commands, triggers",
    ]
