"""automations_status.py CODE: what `sbctl status --json` said (on stdin, with that exit code), as one JSON
object that always has pid, running, last_activity and ticks, also when sbctl could not say anything."""

import json
import sys

UP = 0


def main(code: int, text: str) -> int:
    try:
        told = json.loads(text)
    except ValueError:
        told = {}
    answer = {
        "pid": told.get("pid"),
        "running": code == UP,
        "last_activity": told.get("last_activity_at"),
        "ticks": told.get("ticks") or 0,
    }
    print(json.dumps({**told, **answer}))
    return code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.stdin.read()))
