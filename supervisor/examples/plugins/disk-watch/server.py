"""Watches free space, free inodes and load of this machine. Standard library only.

    python3 server.py        samples for ever, until SIGTERM or Ctrl-C
    python3 server.py get    prints a summary of the samples as JSON

Settings, from the environment:
    DISK_WATCH_SECONDS       from one sample to the next (60)
    DISK_WATCH_PATHS         what to watch, with colons between (/)
    DISK_WATCH_LOW_PERCENT   less than this free is low (10)
    SB_LOG_DIR               where samples.ndjson goes (logs/ beside this file)
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

MAX_BYTES = 1 << 20  # of samples.ndjson; a full file keeps its newer half

SETTINGS_ERROR = 78  # sbctl shows this exit code as a mistake in the settings

Sample = dict[str, Any]


def setting(name: str, default: float) -> float:
    text = os.environ.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        print(f"{name} must be a number greater than 0, not {text!r}", file=sys.stderr)
        sys.exit(SETTINGS_ERROR)
    return value


def samples_file() -> Path:
    folder = os.environ.get("SB_LOG_DIR") or Path(__file__).resolve().parent / "logs"
    return Path(folder) / "samples.ndjson"


def percent(free: int, total: int) -> float:
    """Some file systems count no inodes: then there is no shortage of them."""
    return round(100 * free / total, 1) if total else 100.0


def measure(paths: list[str]) -> Sample:
    disks: dict[str, Any] = {}
    for path in paths:
        try:
            fs = os.statvfs(path)
        except OSError as error:
            disks[path] = {"error": error.strerror}
            continue
        disks[path] = {
            "free_bytes": fs.f_bavail * fs.f_frsize,
            "free_percent": percent(fs.f_bavail, fs.f_blocks),
            "free_inodes_percent": percent(fs.f_favail, fs.f_files),
        }
    return {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "load": os.getloadavg()[0], "disks": disks}


def is_low(disk: dict[str, Any], limit: float) -> bool:
    """One that cannot be asked counts as low: that is no less news."""
    return "error" in disk or min(disk["free_percent"], disk["free_inodes_percent"]) < limit


def low_disks(sample: Sample, limit: float) -> set[str]:
    return {path for path, disk in sample["disks"].items() if is_low(disk, limit)}


def changes(before: set[str], sample: Sample, limit: float) -> list[str]:
    """A line for each disk that has crossed the limit since the sample before."""
    now = low_disks(sample, limit)
    return [f"{path}: {describe(sample['disks'][path], path in now)}" for path in sorted(now ^ before)]


def describe(disk: dict[str, Any], low: bool) -> str:
    if "error" in disk:
        return str(disk["error"])
    state = "LOW" if low else "has room again"
    return f"{state}, free: space {disk['free_percent']} %, inodes {disk['free_inodes_percent']} %"


def append(file: Path, sample: Sample) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(sample) + "\n")
        full = out.tell() > MAX_BYTES
    if full:
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        fresh = file.with_suffix(".tmp")
        fresh.write_text("".join(lines[len(lines) // 2 :]), encoding="utf-8")
        fresh.replace(file)


def read(file: Path) -> list[Sample]:
    """Every whole sample; a line cut by a full disk or a kill is passed over."""
    samples: list[Sample] = []
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return samples
    for line in lines:
        try:
            sample = json.loads(line)
            if isinstance(sample["disks"], dict) and isinstance(sample["load"], float):
                samples.append(sample)
        except (ValueError, KeyError, TypeError):
            continue
    return samples


def serve(paths: list[str], seconds: float, limit: float, file: Path) -> None:
    # Waited for rather than handled: the sleep is the wait, so a signal ends it at once and nowhere else.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    earlier = read(file)[-1:]  # what was low before a restart is not news
    low = low_disks(earlier[0], limit) & set(paths) if earlier else set()
    print(f"ready: {', '.join(paths)} every {seconds:g} s, low below {limit:g} %", flush=True)
    while True:
        sample = measure(paths)
        for line in changes(low, sample, limit):
            print(line, flush=True)
        low = low_disks(sample, limit)
        try:
            append(file, sample)
        except OSError as error:  # a full disk is what we are here to tell of
            print(f"{file}: {error.strerror}", file=sys.stderr, flush=True)
        if got := signal.sigtimedwait(ends, seconds):
            print(f"{signal.Signals(got.si_signo).name}: ending", flush=True)
            return


def summary(samples: list[Sample]) -> Sample:
    if not samples:
        return {"samples": 0}
    least: dict[str, float] = {}
    for sample in samples:
        for path, disk in sample["disks"].items():
            if "free_percent" in disk:
                least[path] = min(disk["free_percent"], least.get(path, 100.0))
    return {
        "samples": len(samples),
        "first": samples[0]["at"],
        "last": samples[-1],
        "max_load": max(sample["load"] for sample in samples),
        "least_free_percent": least,
    }


def main() -> None:
    paths = [path for path in (os.environ.get("DISK_WATCH_PATHS") or "/").split(":") if path]
    if sys.argv[1:] == ["get"]:
        print(json.dumps(summary(read(samples_file())), indent=2))
    elif sys.argv[1:]:
        sys.exit("usage: server.py [get]")
    else:
        serve(paths, setting("DISK_WATCH_SECONDS", 60), setting("DISK_WATCH_LOW_PERCENT", 10), samples_file())


if __name__ == "__main__":
    main()
