"""One JVM and Spark context for the whole suite, also where two processes share the tests (``make test``)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

os.environ.setdefault("ASSENT_DRIVER_MEMORY", "3g")
BEFORE = pytest.StashKey[bool]()  # whether there was a session before the test
SERVER = pytest.StashKey[tuple[Path, subprocess.Popen[bytes]]]()  # of the process that hands out the tests
# Histories of many nights, begun first so that neither process is left with one at the end; then what waits for
# connections while the other process is at work.
LONGEST = ("tests/oracle", "tests/edges", "tests/packages/test_delivery.py")

# The JVM ends with the process that hands out the tests, however that ends.
SERVE = """
import sys, threading
from pathlib import Path
from jobs.lake.jvm import serve

stop, told = threading.Event(), Path(sys.argv[1])
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
try:
    serve(told, stop, small=True)
finally:
    told.with_name("ended").touch()
"""


def _group(item: pytest.Item) -> str:
    """The tests that one process must have: of one file, or of one history that several files read."""
    known = getattr(item, "_fixtureinfo", None)
    for definitions in known.name2fixturedefs.values() if known else ():
        made = definitions[-1]
        if made.scope == "session" and "spark" in made.argnames:
            return str(made.baseid)
    return item.nodeid.partition("::")[0]


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not hasattr(config, "workerinput"):
        return
    groups: dict[str, list[pytest.Item]] = {name: [] for name in LONGEST}
    for item in items:
        group = _group(item)
        item.add_marker(pytest.mark.xdist_group(group))
        groups.setdefault(group, []).append(item)
    # then those with Spark, so that what is short fills the end
    spark = {g for g, of in groups.items() if any("spark" in getattr(i, "fixturenames", ()) for i in of)}
    order = [*LONGEST, *(g for g in groups if g in spark), *groups]
    items[:] = [item for group in dict.fromkeys(order) for item in groups[group]]


def pytest_configure(config: pytest.Config) -> None:
    """Where tests are handed out to processes, the JVM that these share is started beside their collection."""
    if not hasattr(config, "workerinput") and getattr(config.option, "numprocesses", None):
        folder = Path(tempfile.mkdtemp(prefix="assent-tests-"))
        command = [sys.executable, "-c", SERVE, str(folder / "jvm")]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        config.stash[SERVER] = (folder, server)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    """pytest-xdist is about to start a process."""
    found = node.config.stash.get(SERVER, None)
    if found:
        node.workerinput["jvm"] = str(found[0] / "jvm")


def pytest_unconfigure(config: pytest.Config) -> None:
    found = config.stash.get(SERVER, None)
    if found:
        folder, server = found
        server.stdin.close()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _started() -> bool:
    module = sys.modules.get("jobs.lake.spark")
    return module is not None and module._session is not None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[BEFORE] = _started()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """A test that starts Spark says so, or it would start a JVM of its own."""
    if _started() and not item.stash[BEFORE] and "spark" not in getattr(item, "fixturenames", ()):
        pytest.fail("starts Spark: name the fixture `spark`")


def _shared(told: Path) -> None:
    until = time.monotonic() + 120
    while not told.exists():
        if time.monotonic() > until or told.with_name("ended").exists():
            log = told.with_name("log")
            pytest.fail(f"no JVM for the tests: {log.read_text() if log.exists() else 'it has ended'}")
        time.sleep(0.1)


@pytest.fixture(scope="session")
def spark(request: pytest.FixtureRequest):
    """The session that every test of this process shares."""
    from jobs.lake.spark import spark_session

    with pytest.MonkeyPatch.context() as patch:
        handed = getattr(request.config, "workerinput", {}).get("jvm")
        if handed:
            _shared(Path(handed))
            patch.setenv("ASSENT_JVM", handed)
        return spark_session("assent-tests", small=lambda: True)
