"""An environment that takes effect only behind a change of user.

What stands in front of it (limits, a reader of files, setpriv) runs as root, while the values may come from a file of
the user: LD_PRELOAD, LOCPATH or GCONV_PATH would say what root loads. So each is carried under another name, which
means nothing to anybody, until a shell of the user gives it back. Values are never words of a command line.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = "SB_LATER"  # lists what is held
PREFIX = "SB_LATER_"
ROOT_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
MARKS = ("SB_HOME_ID", "SB_KEY", "NOTIFY_SOCKET")  # whose process it is, and where it is heard: at every moment

# For the shell of the user. `command`: one that a shell keeps for itself (UID, in bash) must not end it.
GIVE_BACK = (
    f'for _sb_name in ${NAMES}; do eval "command export $_sb_name=\\"\\${PREFIX}$_sb_name\\"" 2>/dev/null; '
    f'unset "{PREFIX}$_sb_name"; done; unset _sb_name {NAMES}; '
)


def hold(env: Mapping[str, str]) -> dict[str, str]:
    """What root's programs are given. A name that no shell takes as one is left out, as the shell would do."""
    held = {"PATH": ROOT_PATH}
    names: list[str] = []
    for name, value in env.items():
        if name in MARKS:
            held[name] = value
        elif name.isascii() and name.isidentifier() and not name.startswith(NAMES):
            held[PREFIX + name] = value
            names.append(name)
    held[NAMES] = " ".join(names)
    return held


def given_back(held: Mapping[str, str]) -> dict[str, str]:
    """What it stands for."""
    env = {name: held[PREFIX + name] for name in held[NAMES].split()}
    env.update((name, held[name]) for name in MARKS if name in held)
    return env
