"""What DuckDB puts on the disk for want of memory."""

import os
import signal
import subprocess
import sys

SORT = "SELECT i, md5(i::VARCHAR) AS text FROM range(2_000_000) t(i) ORDER BY text"
KILLED = f"""
import os, signal
from jobs.lake import ask
ask.MEMORY = "100MB"
with ask.stream({SORT!r}, {{}}) as batches:
    assert next(batches).num_rows
    os.kill(os.getpid(), signal.SIGKILL)
"""
SORTED = f"""
from jobs.lake import ask
ask.MEMORY = "100MB"
with ask.stream({SORT!r}, {{}}) as batches:
    assert sum(b.num_rows for b in batches) == 2_000_000
"""


def test_what_does_not_fit_the_memory_goes_to_the_disk_and_leaves_with_its_process(tmp_path):
    def run(code: str) -> int:
        return subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(tmp_path)}
        ).returncode

    assert run(KILLED) == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert sum(f.stat().st_size for f in left.iterdir()) > 10 << 20
    (tmp_path / f"assent-spill-{os.getpid()}-other").mkdir()  # of a process that runs
    assert run(SORTED) == 0
    assert [f.name for f in tmp_path.iterdir()] == [f"assent-spill-{os.getpid()}-other"]
