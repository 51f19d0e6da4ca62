"""One Spark session for the whole suite."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("ASSENT_DRIVER_MEMORY", "2g")


@pytest.fixture(scope="session")
def spark():
    """The session that every test shares."""
    from jobs.lake.spark import spark_session

    return spark_session("assent-tests", small=True)
