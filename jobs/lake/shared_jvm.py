"""One JVM for the processes of one night on one machine: how it is begun, found and ended. No pyspark is imported.

Of a small night most is the JVM's start and the loading of classes, and Airflow's tasks are a process each.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jobs.errors import AssentError


def place_of(lake: str, night: str) -> Path:
    """Where the JVM that one night's tasks share says how it is reached: a folder of this machine and this user."""
    folder = Path(tempfile.gettempdir()) / f"assent-jvm-of-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077:
        raise AssentError(f"{folder} is open to others; remove it")
    return folder / f"{hashlib.sha256(lake.encode()).hexdigest()[:16]}-{night}.json"


def use(path: Path) -> None:
    """Has this process attach to the JVM that serves at ``path``, where one does and the caller named no other."""
    if not os.environ.get("ASSENT_JVM") and path.exists():
        os.environ["ASSENT_JVM"] = str(path)


def begin(path: Path, small: bool) -> bool:
    """Starts a JVM that outlives this process and serves at ``path``; False where one serves there already.

    AssentError when it does not come up. It ends at :func:`end`, or after ``jvm.LONGEST_HOURS`` when nobody ends it.
    """
    if path.exists():
        try:
            os.kill(int(json.loads(path.read_text(encoding="utf-8"))["pid"]), 0)
            return False
        except (OSError, ValueError, KeyError, TypeError):  # of a machine that went down
            path.unlink(missing_ok=True)
    log = path.with_suffix(".log")
    with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "jobs.lake.jvm", str(path), *(["--small"] if small else [])],
            stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
            env={k: v for k, v in os.environ.items() if k != "ASSENT_JVM"},
        )  # fmt: skip
    while not path.exists():
        try:
            status = process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        raise AssentError(f"no JVM came up to be shared (status {status}); see {log}")
    return True


def end(path: Path) -> None:
    """Ends the JVM that serves at ``path``, and waits until it has; nothing where none does."""
    try:
        pid = int(json.loads(path.read_text(encoding="utf-8"))["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    path.unlink(missing_ok=True)
    for _ in range(300):
        with contextlib.suppress(ChildProcessError):  # most often it is the child of another process
            os.waitpid(pid, os.WNOHANG)
        try:
            os.kill(pid, 0)
        except OSError:
            break
        time.sleep(0.1)
    path.with_suffix(".log").unlink(missing_ok=True)
