"""The verbs and what may follow each: for the help page and for completion, without importing a single verb.

A test compares this with the commands themselves, option for option.
"""

from __future__ import annotations

# The help page is made from this, so that showing it imports no verb.
VERBS = {
    "start": "Start everything, or single services",
    "stop": "Stop everything, or single services",
    "restart": "Stop, then start",
    "status": "What runs, since when, and what does not",
    "reload": "Take over changed settings, or make a service read its own",
    "signal": "Send a signal to services",
    "enable": "Start services, now and always",
    "disable": "Stop services, and never start them by themselves",
    "logs": "Output of services, and the daily log",
    "events": "What has happened",
    "why": "Why a service is as it is, or why a schedule ran or did not",
    "next": "What runs next, and what is held",
    "runs": "The last runs and how they went",
    "run": "Run a schedule, or commands of a plugin, now",
    "retry": "Run again what has ended",
    "cancel": "End a run",
    "show": "All about one run",
    "pause": "Let schedules rest, all or some",
    "resume": "Let paused schedules go on",
    "schedule": "Show, make, change and test schedules",
    "doctor": "What is wrong here, and what mends it",
    "drill": "Break a service on purpose, and check what follows",
    "explain": "What a cron line means, and when it fires",
    "init": "Make a home, with two example plugins",
    "homes": "All homes of this user, and which of them run",
    "boot": "Start sbctl when the machine starts",
    "serve": "Run scheduler, config or tunnel alone, in the foreground",
    "config": "Check and show the settings, and go back to earlier ones",
    "backup": "Write settings, state and history into a file",
    "restore": "Bring back what backup has written",
    "completion": "Completion for bash, zsh or fish",
    "upgrade": "Go over to another version while everything runs",
    "version": "Version and where it runs from",
    "help": "This page",
}
WITHOUT_HOME = ("init", "homes", "explain", "completion", "version", "help")

SUB_VERBS = {
    "schedule": {
        "list": "All schedules: status, next run, last run",
        "show": "All about one schedule",
        "add": "Make a schedule",
        "edit": "Change a schedule",
        "rm": "Remove the file of a schedule",
        "pause": "Let schedules rest",
        "resume": "Let paused ones go on",
        "enable": "Let schedules run by themselves, now and always",
        "disable": "Let schedules run by hand only",
        "test": "Try schedules on a virtual clock over a year",
    },
    "drill": {
        "kill": "Kill a service: is it back as its policy says?",
        "hang": "Stop a service: does anything notice?",
    },
    "boot": {
        "enable": "Start sbctl with this home at boot",
        "disable": "Do not start it at boot any more",
        "status": "Whether it is started at boot, and by what",
    },
    "config": {
        "validate": "Check all files and name everything wrong",
        "show": "Show the settings, every default filled in",
        "path": "Show where this home's files are",
        "schema": "The JSON Schema of a settings file",
        "history": "Earlier revisions of the settings",
        "undo": "Go back to earlier settings",
    },
}

# What an argument, or the value of an option, is; "" is an option without a value.
FLAG = ""
ANY = "any"  # nothing that could be listed
DIR = "dir"
SERVICE = "service"
SERVICES = "services"
PLUGIN_SERVICES = "plugin services"  # those that are not sbctl's own
LOGGED = "logged"  # all that has a log
SIGNALLED = "signalled"  # services, then a signal
REVISION = "revision"
SCHEDULE = "schedule"
SCHEDULES = "schedules"
RUNNABLE = "runnable"  # schedules, and plugins with commands
HISTORIC = "historic"  # schedules and plugins
RUN = "run"  # ids of the last runs
EXPLAINED = "explained"  # a service or a schedule
COMMAND = "command"  # of the plugin that was named before it
TENANT = "tenant"
FILE = "file"
VERB = "verb"

Kind = str | tuple[str, ...]  # a tuple is a choice

GLOBAL_OPTIONS: dict[str, Kind] = {
    "--home": DIR,
    "--color": ("auto", "always", "never"),
    "--version": FLAG,
    "--help": FLAG,
}

_AFTER = ("next", "once", "catch-up")
_DST = ("vixie", "literal", "skip")
_KEYS: dict[str, Kind] = {
    "--commands": ANY,
    "--every": ANY,
    "--cron": ANY,
    "--at": ANY,
    "--once": ANY,
    "--jitter": ANY,
    "--tz": ANY,
    "--missed": ("skip", "latest", "earliest", "all"),
    "--overlap": ("skip", "queueOne", "queueAll", "cancelOther", "killOther", "allow"),
    "--set": ANY,
    "--dry-run": FLAG,
    "--json": FLAG,
}
_PAUSE: dict[str, Kind] = {
    "--for": ANY,
    "--until": ANY,
    "--tz": ANY,
    "--reason": ANY,
    "--on-resume": _AFTER,
    "--json": FLAG,
}
_RESUME: dict[str, Kind] = {"--what": _AFTER, "--json": FLAG}

# (arguments, options) of each verb and sub-verb; `--home` and `--help`, which nearly all have, are not repeated.
FOLLOWS: dict[str, tuple[Kind, dict[str, Kind]]] = {
    "start": (
        SERVICES,
        {"--wait": ANY, "--foreground": FLAG, "--log-format": ("text", "json"), "--output": FLAG, "--json": FLAG},
    ),
    "stop": (SERVICES, {"--timeout": ANY, "--json": FLAG}),
    "restart": (
        SERVICES,
        {"--wait": ANY, "--timeout": ANY, "--rolling": FLAG, "--at-once": FLAG, "--json": FLAG},
    ),
    "status": (SERVICES, {"--json": FLAG, "--plain": FLAG, "--watch": FLAG, "--check": FLAG}),
    "reload": (PLUGIN_SERVICES, {"--dry-run": FLAG, "--json": FLAG}),
    "signal": (SIGNALLED, {"--group": FLAG, "--json": FLAG}),
    "enable": (PLUGIN_SERVICES, {"--json": FLAG}),
    "disable": (PLUGIN_SERVICES, {"--json": FLAG}),
    "logs": (
        LOGGED,
        {
            "--follow": FLAG,
            "--lines": ANY,
            "--since": ANY,
            "--until": ANY,
            "--level": ("debug", "info", "warning", "error", "critical"),
            "--grep": ANY,
            "--ignore-case": FLAG,
            "--commands": FLAG,
            "--stdout": FLAG,
            "--stderr": FLAG,
            "--json": FLAG,
            "--raw": FLAG,
            "--prefix": FLAG,
            "--no-prefix": FLAG,
        },
    ),
    "events": (ANY, {"--follow": FLAG, "-n": ANY, "--since": ANY, "--json": FLAG}),
    "why": (EXPLAINED, {"--json": FLAG}),
    "next": (SCHEDULES, {"-n": ANY, "--tz": ANY, "--json": FLAG}),
    "runs": (HISTORIC, {"--failed": FLAG, "--since": ANY, "--tenant": TENANT, "-n": ANY, "--tz": ANY, "--json": FLAG}),
    "run": (
        RUNNABLE,
        {
            "--force": FLAG,
            "--wait": FLAG,
            "--follow": FLAG,
            "--env": ANY,
            "--timeout": ANY,
            "--exit-code": FLAG,
            "--json": FLAG,
        },
    ),
    "retry": (RUN, {"--force": FLAG, "--wait": FLAG, "--follow": FLAG, "--env": ANY, "--json": FLAG}),
    "cancel": (RUN, {"--now": FLAG, "--json": FLAG}),
    "show": (RUN, {"--log": FLAG, "--tz": ANY, "--json": FLAG}),
    "pause": (SCHEDULES, _PAUSE),
    "resume": (SCHEDULES, _RESUME),
    "schedule list": (SCHEDULES, {"--tenant": TENANT, "--json": FLAG}),
    "schedule show": (SCHEDULE, {"--tz": ANY, "--json": FLAG}),
    "schedule add": (ANY, _KEYS),
    "schedule edit": (SCHEDULE, {**_KEYS, "--unset": ANY, "--editor": FLAG}),
    "schedule rm": (SCHEDULE, {"--dry-run": FLAG, "--json": FLAG}),
    "schedule pause": (SCHEDULES, _PAUSE),
    "schedule resume": (SCHEDULES, _RESUME),
    "schedule enable": (SCHEDULES, {"--json": FLAG}),
    "schedule disable": (SCHEDULES, {"--json": FLAG}),
    "schedule test": (SCHEDULES, {"--days": ANY, "--from": ANY, "--json": FLAG}),
    "doctor": (ANY, {"--fix": FLAG, "--json": FLAG}),
    "drill kill": (SERVICE, {"--yes": FLAG, "--timeout": ANY, "--force": FLAG, "--json": FLAG}),
    "drill hang": (SERVICE, {"--yes": FLAG, "--timeout": ANY, "--force": FLAG, "--json": FLAG}),
    "explain": (ANY, {"--tz": ANY, "-n": ANY, "--seconds": FLAG, "--dst": _DST, "--key": ANY, "--json": FLAG}),
    "init": (DIR, {"--json": FLAG}),
    "homes": (ANY, {"--forget": FLAG, "--json": FLAG}),
    "boot enable": (ANY, {"--print": FLAG, "--json": FLAG}),
    "boot disable": (ANY, {"--print": FLAG, "--json": FLAG}),
    "boot status": (ANY, {"--json": FLAG}),
    "serve": (("scheduler", "config", "tunnel"), {}),
    "config validate": (ANY, {"--json": FLAG}),
    "config show": (ANY, {"--json": FLAG}),
    "config path": (ANY, {"--json": FLAG}),
    "config schema": (("sbctl.yaml", "scheduler.json", "schedule.json", "manifest.json"), {"--json": FLAG}),
    "config history": (ANY, {"--json": FLAG}),
    "config undo": (REVISION, {"--yes": FLAG, "--dry-run": FLAG, "--json": FLAG}),
    "backup": (FILE, {"--with-secrets": FLAG, "--force": FLAG, "--json": FLAG}),
    "restore": (FILE, {"--dry-run": FLAG, "--yes": FLAG, "--cursors": ("keep", "from-backup"), "--json": FLAG}),
    "completion": (("bash", "zsh", "fish"), {}),
    "upgrade": (FILE, {"--check": FLAG, "--json": FLAG}),
    "version": (ANY, {"--json": FLAG}),
    "help": (VERB, {}),
}
