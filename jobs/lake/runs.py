"""What stands beside the tables of a lake: small files, the pins and steps of the night that runs, its manifests."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from typing import Any

import fsspec

from jobs.errors import AssentError, UsageError

MANIFESTS = "landing/_manifests"
IDENTITIES = "landing/_identities"


class Runs:
    """A lake's root, and what a night writes there until it is published."""

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/")
        if not self.root or root.endswith("://"):
            raise UsageError(f"lake {root!r} names no place; give a folder or URL with --lake")
        if "%" in self.root and "://" not in self.root:
            raise UsageError(f"lake {root}: a % in a path is read as part of a URL; name another folder")
        try:
            self.fs, self.path = fsspec.core.url_to_fs(self.root)
        except (ValueError, ImportError) as e:
            raise UsageError(
                f"lake {root}: no such kind of place ({type(e).__name__}); give a folder or URL with --lake"
            ) from None

    def write_text(self, name: str, text: str) -> None:
        """Writes a small file of the lake at once, whole or not at all."""
        self._write_text(f"{self.path}/{name}", text)

    def _write_text(self, path: str, text: str) -> None:
        try:
            self.fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
            # outside the folder, so that nobody who lists it meets half a file
            scratch = f"{self.path}/_scratch/{secrets.token_hex(8)}"
            self.fs.makedirs(f"{self.path}/_scratch", exist_ok=True)
            with self.fs.open(scratch, "w") as f:
                f.write(text)
            self.fs.mv(scratch, path)
        except OSError as e:
            raise AssentError(
                f"lake {self.root} cannot be written ({e.strerror or type(e).__name__}); check the folder's rights"
            ) from None

    # -- the pins of the night that runs: table -> {version, rows, hash}
    def _pin_folder(self, night: dt.date) -> str:
        return f"{self.path}/_runs/{night.isoformat()}"

    def _pin_path(self, night: dt.date, table: str) -> str:
        return f"{self._pin_folder(night)}/{table.replace('/', '__')}.json"

    def pin(self, night: dt.date, table: str, value: dict[str, Any]) -> None:
        """Remembers what a step of the night wrote, until it is published."""
        self._write_text(self._pin_path(night, table), json.dumps({"table": table, **value}))

    def unpin(self, night: dt.date, table: str) -> None:
        """Forgets what an earlier run of a step wrote."""
        path = self._pin_path(night, table)
        if self.fs.exists(path):
            self.fs.rm(path)

    def pins(self, night: dt.date) -> dict[str, dict[str, Any]]:
        """What the steps of the night wrote so far."""
        folder = self._pin_folder(night)
        if not self.fs.exists(folder):
            return {}
        found = {}
        for path in sorted(self.fs.ls(folder, detail=False, refresh=True)):
            if path.endswith(".json"):
                value = json.loads(self.fs.cat_file(path))
                found[value.pop("table")] = value
        return found

    def clear_pins(self, night: dt.date) -> None:
        """Forgets an unfinished run of the night."""
        if self.fs.exists(self._pin_folder(night)):
            self.fs.rm(self._pin_folder(night), recursive=True)

    def clear_runs(self, night: dt.date) -> None:
        """Forgets what the runs of a night and of earlier ones left for their later steps."""
        folder = f"{self.path}/_runs"
        for path in self.fs.ls(folder, detail=False, refresh=True) if self.fs.exists(folder) else []:
            if path.rsplit("/", 1)[-1] <= night.isoformat():
                self.fs.rm(path, recursive=True)

    # -- the steps done and the manifests of the night that runs
    def steps_done(self, night: dt.date) -> set[str]:
        """Which steps of the night were finished since it began."""
        folder = f"{self._pin_folder(night)}/_done"
        if not self.fs.exists(folder):
            return set()
        return {p.rsplit("/", 1)[-1].replace("=", ":") for p in self.fs.ls(folder, detail=False)}

    def mark_done(self, night: dt.date, steps: list[str], later: tuple[str, ...]) -> None:
        """Marks steps as done; those after them must be run again.

        One marker a step and feed, because Airflow extracts the feeds side by side.
        """
        folder = f"{self._pin_folder(night)}/_done"
        for step in later:
            if self.fs.exists(f"{folder}/{step}"):
                self.fs.rm(f"{folder}/{step}")
        for step in steps:
            self._write_text(f"{folder}/{step.replace(':', '=')}", "")

    def manifest(self, night: dt.date, feed: str) -> list[dict[str, Any]]:
        """What extract tried for a feed on a night, one object a file; empty when it did not run."""
        path = f"{self.path}/{self._manifest(night, feed)}"
        if not self.fs.exists(path):
            return []
        found: list[dict[str, Any]] = json.loads(self.fs.cat_file(path))
        return found

    def write_manifest(self, night: dt.date, feed: str, entries: list[dict[str, Any]]) -> None:
        """What extract tried, and later what validate made of it."""
        self.write_text(self._manifest(night, feed), json.dumps(entries, indent=1))

    @staticmethod
    def _manifest(night: dt.date, feed: str) -> str:
        return f"{MANIFESTS}/{night.isoformat()}/{feed}.json"
