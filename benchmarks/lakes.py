"""A lake once more, and what it published."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from pathlib import Path

from jobs.lake.lake import Lake


def copied(source: Path, target: Path) -> None:
    """A lake and its keys again, its files linked: none is ever changed in place."""
    shutil.copytree(source, target, copy_function=os.link)
    shutil.copytree(f"{source}.keys", f"{target}.keys")


def hashes(lake: Path, night: dt.date) -> dict[str, str]:
    """The content hash of every table that a night published."""
    published = Lake(str(lake)).publication(night)
    assert published is not None
    return {table: pin["hash"] for table, pin in published["tables"].items()}
