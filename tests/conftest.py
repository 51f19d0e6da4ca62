"""One Spark session for the whole suite, also where two processes share the tests (``make test``)."""

from __future__ import annotations

import os
import sys

import pytest

os.environ.setdefault("ASSENT_DRIVER_MEMORY", "2g")
BEFORE = pytest.StashKey[bool]()  # whether there was a session before the test


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process has every test that needs Spark; the others are handed out file by file."""
    for item in items:
        group = "spark" if "spark" in getattr(item, "fixturenames", ()) else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))


def _started() -> bool:
    module = sys.modules.get("jobs.lake.spark")
    return module is not None and module._session is not None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[BEFORE] = _started()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """A test that starts Spark says so, or two processes would have a session each."""
    if _started() and not item.stash[BEFORE] and "spark" not in getattr(item, "fixturenames", ()):
        pytest.fail("starts Spark: name the fixture `spark`")


@pytest.fixture(scope="session")
def spark():
    """The session that every test shares."""
    from jobs.lake.spark import spark_session

    return spark_session("assent-tests", small=True)
