#!/bin/sh
# run_automations.sh start|stop|status|restart: sbctl for programs that call a script and read JSON.
# Each verb ends in `exec`, so that signals reach what does the work and its exit code is ours.

case $0 in */*) self=$0 ;; *) self=./$0 ;; esac
if [ -L "$self" ]; then self=$(readlink -f -- "$self") || exit 5; fi
here=${self%/*}

usage() {
    echo "usage: run_automations.sh start|stop|status|restart" >&2
    exit 2
}

[ $# -eq 1 ] || usage
case $1 in
    start) exec "$here/sbctl" start ;;
    stop) exec "$here/sbctl" stop --timeout 5 ;;
    restart) exec "$here/sbctl" restart --timeout 5 ;;
    status) ;;
    *) usage ;;
esac

answer=$("$here/sbctl" status --json)
code=$?
# 1: nothing runs, but PID files are left of a tree that was killed. To stop what is stopped cleans them up.
[ $code -ne 1 ] || "$here/sbctl" stop >/dev/null 2>&1

# After sbctl has run, its environment is there.
venv=${SB_VENV:-$here/../.venv}
[ -x "$venv/bin/python" ] || exit $code
exec "$venv/bin/python" -I -S "$here/automations_status.py" "$code" <<END
$answer
END
