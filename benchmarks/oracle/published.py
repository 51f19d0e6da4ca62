"""The inputs of a published night: accepted and refused rows at the pinned versions, its policy and scorecards."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as pads
from deltalake import DeltaTable
from ruamel.yaml import YAML

FEEDS = ("consents", "court", "disputes", "education", "tax", "traffic", "transactions")


class Publication:
    """One row of ``publications``, and what it pins."""

    def __init__(self, lake: str, row: dict[str, Any]) -> None:
        self.lake = lake
        self.night: dt.date = row["night"]
        self._pins = json.loads(row["tables"])
        self._policy = row["policy_hash"]
        self._scorecards = json.loads(row["scorecards"])

    def table(self, name: str) -> pads.Dataset | None:
        """A table at its pinned version; None where the night had none."""
        pin = self._pins.get(name)
        if pin is None:
            return None
        return DeltaTable(f"{self.lake}/{name}", version=int(pin["version"])).to_pyarrow_dataset()

    def whole(self) -> bool:
        """Whether its inputs are still all there: a later night may have purged some (RULES, "Identity")."""
        return all(
            Path(file.removeprefix("file://")).exists()
            for zone in ("accepted", "quarantine")
            for feed in FEEDS
            if (pin := self._pins.get(f"{zone}/{feed}")) is not None
            for file in DeltaTable(f"{self.lake}/{zone}/{feed}", version=int(pin["version"])).file_uris()
        )

    def policy(self) -> dict[str, Any]:
        """policy.yaml as it was on the night."""
        return _yaml(Path(self.lake, "_policies", f"{self._policy}.yaml"))

    def scorecards(self) -> list[dict[str, Any]]:
        """The scorecards of the night."""
        return [
            _yaml(Path(self.lake, "_scorecards", f"{c['sha256']}.yaml"))
            for _, c in sorted(self._scorecards.items())
        ]


def _yaml(path: Path) -> dict[str, Any]:
    return dict(YAML(typ="safe").load(path.read_text(encoding="utf-8")))


def publications(lake: str) -> list[Publication]:
    """Every published night of a local lake, oldest first."""
    rows: pa.Table = DeltaTable(f"{lake}/publications").to_pyarrow_table()
    return [Publication(lake, r) for r in sorted(rows.to_pylist(), key=lambda r: r["night"])]
