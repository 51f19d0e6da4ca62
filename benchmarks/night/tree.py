"""What a process and those that it starts take: memory at its peak, and how many Java machines they start."""

from __future__ import annotations

import threading
from pathlib import Path

EVERY_S = 0.2


def _children(pid: int) -> list[int]:
    found = []
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += [int(c) for c in (thread / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return found


def processes(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for child in _children(pid):
        found += processes(child)
    return found


def _resident_kib(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):  # what is shared counts once
                return int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        pass
    return 0


def _is_java(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "java"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Watched:
    """Looks at a process tree while it runs."""

    def __init__(self, pid: int) -> None:
        self.pid, self.peak_mib, self.java = pid, 0.0, set[int]()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._ended.wait(EVERY_S):
            tree = processes(self.pid)
            self.peak_mib = max(self.peak_mib, sum(_resident_kib(p) for p in tree) / 1024)
            self.java |= {p for p in tree if _is_java(p)}

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
