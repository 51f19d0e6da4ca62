"""One JVM serves the processes of a night, and is gone after it."""

import json
import os
import subprocess
import sys

import pytest

from jobs.errors import AssentError
from jobs.lake import shared_jvm
from jobs.lake.config import REPOSITORY

STEP = """
from pathlib import Path
import sys
from jobs.lake import shared_jvm
shared_jvm.use(Path(sys.argv[1]))
from jobs.lake.spark import spark_session
spark = spark_session()
print(spark.sparkContext.applicationId, spark.range(3).count())
"""


def step(path):
    env = {k: v for k, v in os.environ.items() if k != "ASSENT_JVM"}
    run = subprocess.run(
        [sys.executable, "-c", STEP, str(path)],
        cwd=REPOSITORY,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.split()


def alive(pid):
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def test_the_steps_of_a_night_share_one_jvm_and_none_is_left(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    path = shared_jvm.place_of("s3://bucket/lake", "2026-11-20")
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path != shared_jvm.place_of("s3://bucket/lake", "2026-11-21")
    path.write_text(json.dumps({"port": 1, "secret": "x", "pid": 2**22 + 1}))  # of a machine that went down
    assert shared_jvm.begin(path, small=True)
    assert path.stat().st_mode & 0o777 == 0o600
    pid = json.loads(path.read_text())["pid"]
    try:
        assert not shared_jvm.begin(path, small=True)  # a task that is tried again
        first, second = step(path), step(path)
    finally:
        shared_jvm.end(path)
    assert first == second
    assert first[1] == "3"
    assert not alive(pid)
    assert list(path.parent.iterdir()) == []
    shared_jvm.end(path)  # nothing is left to end


def test_a_step_without_the_nights_jvm_starts_its_own(tmp_path, monkeypatch):
    monkeypatch.delenv("ASSENT_JVM", raising=False)
    shared_jvm.use(tmp_path / "none.json")
    assert "ASSENT_JVM" not in os.environ


def test_a_jvm_that_does_not_come_up_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSENT_DRIVER_MEMORY", "none")
    with pytest.raises(AssentError, match="no JVM came up to be shared"):
        shared_jvm.begin(tmp_path / "jvm.json", small=True)
