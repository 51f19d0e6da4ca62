"""The programs of real servers that tests start on the loopback: found, or the test is skipped, or, in CI, fails."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

PLACES = (
    "/usr/sbin",
    "/usr/local/sbin",
    *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)),
)


def program(name: str, package: str) -> str:
    """Where a program is. With ``ASSENT_REQUIRE_SERVERS=1``, which ``.ci/run`` sets, a missing one fails the test."""
    found = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *PLACES)))
    if found is not None:
        return found
    said = f"no {name} on this machine (Debian: {package})"
    if os.environ.get("ASSENT_REQUIRE_SERVERS") == "1":
        pytest.fail(said, pytrace=False)
    pytest.skip(said)
