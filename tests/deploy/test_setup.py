"""A fresh machine: what `make setup` and `.ci/run` say and do where something is missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.errors import AssentError
from jobs.lake import class_archive, setup
from jobs.lake.config import REPOSITORY
from tests.servers import program

BASE = str(Path(sys.base_prefix) / "bin" / "python3.11")


def lines(run):
    """What standard error says but for make's own last word."""
    return [line for line in run.stderr.splitlines() if line.strip() and not line.startswith("make")]


@pytest.fixture
def clone(tmp_path):
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    return tmp_path


def make(clone, python=BASE, **env):
    # a registry at which nothing listens, and none of this machine's own settings
    known = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "MAKE", "VIRTUAL_ENV"))}
    known |= {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
    }
    return subprocess.run(
        ["make", "setup", f"PYTHON={python}"],
        cwd=clone,
        env=known | env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_registry_it_is_one_line_and_the_next_try_goes_on(clone):
    for _ in range(2):
        run = make(clone)
        assert run.returncode
        (line,) = lines(run)
        assert line.startswith("setup: requirements.lock could not be installed (ERROR: ")
        assert "registry" in line
        assert "127.0.0.1" in (clone / ".venv" / "setup.log").read_text()
        assert not (clone / ".venv" / ".installed").exists()
        shutil.rmtree(clone / ".venv" / "lib")  # as an environment that was not finished


def test_without_python_it_is_one_line(clone):
    run = make(clone, python="python-that-is-not-there")
    assert run.returncode
    (line,) = lines(run)
    assert line.startswith("setup: Python 3.11 is missing")


def test_java_of_another_version_is_one_line(monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "java").chmod(0o755)
    (tmp_path / "release").write_text('JAVA_VERSION="11.0.2"\n')
    monkeypatch.setattr(setup, "_candidates", lambda: [tmp_path, tmp_path / "none"])
    with pytest.raises(AssentError, match=r"needs Java 17 or 21 \(.* has Java 11; .* has none\); install"):
        setup.find_java()


def test_an_archive_of_classes_is_used_where_one_is_kept_for_this_java(monkeypatch, tmp_path):
    monkeypatch.setenv("ASSENT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "java").mkdir()
    (tmp_path / "java" / "release").write_text('JAVA_VERSION="17.0.2"\n')
    assert class_archive.options(tmp_path / "java") == []
    place = class_archive._place(tmp_path / "java")
    place.parent.mkdir()
    place.touch()
    assert str(place) in class_archive.options(tmp_path / "java")[0]
    (tmp_path / "java" / "release").write_text('JAVA_VERSION="17.0.3"\n')
    assert class_archive.options(tmp_path / "java") == []


def test_a_missing_server_fails_in_ci_and_is_skipped_elsewhere(monkeypatch):
    monkeypatch.setenv("ASSENT_REQUIRE_SERVERS", "1")
    with pytest.raises(pytest.fail.Exception, match="Debian: a-package"):
        program("a-server-that-is-not-there", "a-package")
    monkeypatch.delenv("ASSENT_REQUIRE_SERVERS")
    with pytest.raises(pytest.skip.Exception, match="Debian: a-package"):
        program("a-server-that-is-not-there", "a-package")


STUBS = {
    "id": "echo $USER_ID",
    "apt-get": 'echo "apt-get $*" >> $SAID; exit ${APT:-0}',
    "make": 'echo "make $* $ASSENT_REQUIRE_SERVERS" >> $SAID',
    "python3.11": "exit 0",
}


@pytest.mark.parametrize(
    ("user", "apt", "status", "said"),
    [
        ("0", "0", 0, ["apt-get -qq update", "apt-get -qq install", "make lint 1", "make test 1"]),
        ("1000", "0", 0, ["make lint 1", "make test 1"]),
        ("0", "100", 1, ["apt-get -qq update"]),
    ],
)
def test_ci_installs_the_servers_of_its_tests(user, apt, status, said, tmp_path):
    (tmp_path / ".ci").mkdir()
    # a machine on which no such program is found: only the stubs and what the script itself is written in
    text = (REPOSITORY / ".ci" / "run").read_text().replace("/usr/sbin:/usr/local/sbin", "/nowhere")
    (tmp_path / ".ci" / "run").write_text(text.replace("/usr/lib/postgresql", "/nowhere"))
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, body in STUBS.items():
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)
    for name in ("bash", "dirname", "sh"):
        (tools / name).symlink_to(shutil.which(name))
    log = tmp_path / "said"
    run = subprocess.run(
        [tools / "bash", tmp_path / ".ci" / "run"],
        env={"PATH": str(tools), "SAID": str(log), "USER_ID": user, "APT": apt},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == status, run.stderr
    found = log.read_text().splitlines()
    assert [line[: len(s)] for line, s in zip(found, said, strict=True)] == said
    if user == "0" and apt == "0":
        assert found[1].endswith("--no-install-recommends openssh-server gnupg sqv postgresql")
    if status:
        assert "could not install openssh-server gnupg sqv postgresql" in run.stderr
