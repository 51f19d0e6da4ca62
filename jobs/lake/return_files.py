"""The files in which agencies answer: ``<place>/<recipient>/<register>-<date>.csv``, in a folder or at a URL."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from dataclasses import dataclass
from typing import Any

from jobs.errors import AssentError
from jobs.lake.deliveries import opened
from jobs.lake.out import out_folder
from jobs.rules.returned import header_fault

LARGEST = 256 << 20  # bytes; an answer is a few words an entry


@dataclass(frozen=True)
class ReturnFile:
    """One file: who delivered it, its name, its hash, and its rows by number, or the code of what is wrong with it."""

    recipient: str
    name: str
    sha256: str | None
    rows: list[dict[str, str | None]]
    fault: str | None

    @property
    def path(self) -> str:
        """Recipient and name."""
        return f"{self.recipient}/{self.name}"


def returns_place(lake: str) -> str:
    """``ASSENT_RETURNS``, or ``returns/`` beside what leaves."""
    return os.environ.get("ASSENT_RETURNS") or str(out_folder(lake) / "returns")


def _parsed(content: bytes) -> tuple[list[dict[str, str | None]], str | None]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [], "encoding"
    if not text.strip():
        return [], "empty_file"
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return [], "unreadable"
    head = [c.strip() for c in lines[0]]
    fault = header_fault(head)
    # a row of another width has no cell that can be trusted: every required one is missing
    return [dict(zip(head, r, strict=True)) if len(r) == len(head) else {} for r in lines[1:] if r], fault


def return_files(place: str, recipients: list[str], known: set[tuple[str, str]]) -> list[ReturnFile]:
    """The files of some recipients that are not among ``known`` (path and SHA-256), sorted by path.

    AssentError when the place cannot be read; a place or folder that is not there holds no file.
    """
    found = []
    try:
        fs, root = opened(place, "returns")
        for recipient in recipients:
            folder = f"{root.rstrip('/')}/{recipient}"
            if not fs.exists(folder):
                continue
            for info in sorted(fs.ls(folder, detail=True), key=lambda i: str(i["name"])):
                found += _read(fs, info, recipient, known)
    except AssentError:
        raise
    except Exception as e:  # each storage has its own faults, and their texts may name what lies there
        raise AssentError(
            f"returns {place.split('@')[-1]}: cannot be read ({type(e).__name__}); mend --returns"
        ) from None
    return found


def _read(fs: Any, info: dict[str, Any], recipient: str, known: set[tuple[str, str]]) -> list[ReturnFile]:
    name = str(info["name"]).rsplit("/", 1)[-1]
    if info["type"] != "file" or name.startswith("."):
        return []
    if int(info.get("size") or 0) > LARGEST:
        return [ReturnFile(recipient, name, None, [], "too_large")]
    content = fs.cat_file(info["name"])
    digest = hashlib.sha256(content).hexdigest()
    if (f"{recipient}/{name}", digest) in known:
        return []
    rows, fault = _parsed(content)
    return [ReturnFile(recipient, name, digest, [] if fault else rows, fault)]
