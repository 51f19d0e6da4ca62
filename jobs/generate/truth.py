"""The truth folder: where each planted fault must end, which scores and entries are due. No step reads it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

COLUMNS = {
    "faults": ("night", "feed", "file", "row_number", "outcome", "reasons"),
    "scores": ("night", "national_id", "purpose", "recipient", "due", "no_score_reason"),
    "entries": ("night", "register", "record_id", "national_id"),
}


class Truth:
    """Three CSV files, appended to as the chunks pass by."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.files = {n: (folder / f"{n}.csv").open("w", encoding="utf-8", newline="") for n in COLUMNS}
        self.writers: dict[str, Any] = {n: csv.writer(f, lineterminator="\n") for n, f in self.files.items()}
        for name, columns in COLUMNS.items():
            self.writers[name].writerow(columns)

    def add(self, name: str, rows: Any) -> None:
        """Rows of one file."""
        self.writers[name].writerows(rows)

    def close(self) -> None:
        """Ends the files."""
        for file in self.files.values():
            file.close()
