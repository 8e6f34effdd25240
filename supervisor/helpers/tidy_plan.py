"""What to do with the older files of all logs: which to pack, which to remove. Pure: files seen in, decisions out."""

from __future__ import annotations

from dataclasses import dataclass, field

PACK_FROM = 2  # number 1 is still read for last words, and followed


@dataclass
class Seen:
    """One file of a log that nobody writes any more."""

    log: str  # the plain name of the log it belongs to; of the daily log its own
    name: str
    number: int  # 0: a file of the daily log, which has its date in its name
    size: int  # with its index
    inode: int
    mtime: float

    @property
    def packed(self) -> bool:
        return self.name.endswith(".gz")


@dataclass
class Group:
    """Logs with one budget between them: those of a service."""

    files: list[Seen]
    current: int = 0  # bytes of the files being written
    reserve: int = 0  # what these may grow to
    keep: int = 0  # older files of each; 0: any number
    budget: int = 0  # bytes; 0: no limit
    may_pack: bool = True


@dataclass
class Rules:
    gzip: bool = True
    keep_age: float = 0.0  # seconds; 0: no limit
    total_budget: int = 0  # bytes; 0: no limit


@dataclass
class Plan:
    remove: list[Seen] = field(default_factory=list)
    pack: list[Seen] = field(default_factory=list)


def first_pass(groups: list[Group], rules: Rules, now: float) -> Plan:
    """What has to go whatever is packed, and what is worth packing."""
    plan = Plan()
    for group in groups:
        plain = {(seen.log, seen.number) for seen in group.files if not seen.packed}
        for seen in list(group.files):
            doubled = seen.packed and (seen.log, seen.number) in plain  # a kill came between: the plain one counts
            too_many = bool(group.keep) and seen.number > group.keep
            too_old = bool(rules.keep_age) and now - seen.mtime > rules.keep_age
            if doubled or too_many or too_old:
                plan.remove.append(seen)
                group.files.remove(seen)
            elif rules.gzip and group.may_pack and not seen.packed and (not seen.number or seen.number >= PACK_FROM):
                plan.pack.append(seen)
    return plan


def over_budget(groups: list[Group], rules: Rules) -> list[Seen]:
    """The oldest files of each group, then of all, until what is left fits. Sizes are those after packing."""
    gone: list[Seen] = []
    for group in groups:
        if group.budget:
            gone += _oldest(group.files, group.budget - max(group.reserve, group.current))
    if rules.total_budget:
        left = [seen for group in groups for seen in group.files if seen not in gone]
        gone += _oldest(left, rules.total_budget - sum(group.current for group in groups))
    return gone


def _oldest(files: list[Seen], room: int) -> list[Seen]:
    """Those that must go for the rest to fit into the room."""
    size = sum(seen.size for seen in files)
    gone: list[Seen] = []
    for seen in sorted(files, key=lambda seen: (seen.mtime, -seen.number)):
        if size <= room:
            break
        size -= seen.size
        gone.append(seen)
    return gone
