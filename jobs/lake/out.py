"""Where everything that leaves goes: ``ASSENT_OUT``, or ``<lake>.out`` beside a local lake."""

from __future__ import annotations

import os
from pathlib import Path

from jobs.errors import AssentError


def out_folder(lake: str) -> Path:
    """The folder of exports, notices and reports; AssentError for a remote lake without ``ASSENT_OUT``."""
    if given := os.environ.get("ASSENT_OUT"):
        return Path(given)
    if "://" in lake:
        raise AssentError(f"lake {lake} is remote: name the folder of what leaves in ASSENT_OUT")
    return Path(lake.rstrip("/") + ".out")
