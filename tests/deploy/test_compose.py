"""docker-compose.yml against the Compose specification and our own rules: pinned, on the loopback, healthy, no secret in it."""

import re
import subprocess
import sys

import pytest
from ruamel.yaml import YAML

from jobs.lake.config import REPOSITORY

FILE = REPOSITORY / "docker-compose.yml"
COMPOSE = YAML(typ="safe").load(FILE.read_text(encoding="utf-8"))
SERVICES = sorted(COMPOSE["services"])


def test_it_is_a_compose_file():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_pinned_private_and_watched(name):
    service = COMPOSE["services"][name]
    assert re.search(r":\d+\.\d+", service["image"]), "the image has no version"
    for port in service.get("ports", ()):
        assert port.startswith("127.0.0.1:")
    if service.get("restart") != "no":
        assert service["healthcheck"]["test"]
    for key, value in service.get("environment", {}).items():
        if re.search("PASSWORD|SECRET|_KEY(_|$)|CONN", key):
            # a secret's file, or the copy of one that its own service makes
            assert "/run/secrets/" in value or value.endswith("/users.json"), key
    for secret in service.get("secrets", ()):
        assert COMPOSE["secrets"][secret]["file"].startswith("deploy/secrets/")


def test_airflow_knows_each_command():
    for name in ("migrate", "api-server", "scheduler", "dag-processor", "triggerer"):
        words = COMPOSE["services"][name]["command"]
        if words[0] == "bash":
            words = words[-1].split("exec ")[-1].split()
        assert words[0] == "airflow"
        options = [w for w in words[1:] if w.startswith("--")]
        run = subprocess.run(
            [
                sys.executable,
                "-m",
                "airflow",
                *[w for w in words[1:] if w.isalpha() or re.fullmatch("[a-z-]+", w)][
                    : 2 if name == "migrate" else 1
                ],
                "--help",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, name
        assert all(option in run.stdout for option in options), name
