"""docker-compose.yml against the Compose specification and our own rules: pinned, on the loopback, healthy, no secret in it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from jobs.lake.config import REPOSITORY
from tests.servers import program

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
        if re.search("PASSWORD|SECRET|_KEY(_|$)|CONN", key) and not key.endswith("PASSWORDS_FILE"):
            assert "/run/secrets/" in value, key
    for secret in service.get("secrets", ()):
        assert COMPOSE["secrets"][secret]["file"].startswith("deploy/secrets/")


def test_airflow_knows_each_command():
    for name in ("migrate", "api-server", "scheduler", "dag-processor", "triggerer"):
        words = COMPOSE["services"][name]["command"]
        if words[0].endswith(".sh"):
            words = (REPOSITORY / words[0]).read_text(encoding="utf-8").splitlines()[-1].split()[1:]
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


def test_each_folder_that_is_mounted_belongs_to_the_user_of_the_image():
    """An empty volume takes the owner of the image's folder; one that the image has not is root's, and not writable."""
    image = (REPOSITORY / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    made = {
        w for line in re.findall(r"(?:mkdir -p|install -d .*?) ((?:/\S+ ?)+)", image) for w in line.split()
    }
    for name, service in COMPOSE["services"].items():
        if not service["image"].startswith("assent"):
            continue
        for volume in service.get("volumes", ()):
            assert any(m == volume.split(":")[1] or m.startswith(volume.split(":")[1] + "/") for m in made), (
                name,
                volume,
            )


@pytest.fixture
def secrets(tmp_path):
    shutil.copytree(REPOSITORY / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("secrets"))
    for _ in range(2):  # the second time it overwrites nothing
        run = subprocess.run(
            [tmp_path / "deploy" / "make-secrets.sh"], capture_output=True, text=True, check=True
        )
        before = {p.name: p.read_bytes() for p in (tmp_path / "deploy" / "secrets").iterdir()}
    assert {p.name: p.read_bytes() for p in (tmp_path / "deploy" / "secrets").iterdir()} == before
    assert not any(json.loads(before["airflow_users"])["admin"] in line for line in run.stdout.splitlines())
    return tmp_path / "deploy" / "secrets"


def test_secrets_can_be_read_in_their_services_and_by_nobody_else_here(secrets):
    assert secrets.stat().st_mode & 0o777 == 0o700
    files = {Path(s["file"]).name for s in COMPOSE["secrets"].values()}
    modes = {p.name: p.stat().st_mode & 0o777 for p in secrets.iterdir()}
    assert files <= set(modes)
    # sshd, which is root, refuses a host key that others can read
    assert {n for n in files if modes[n] == 0o600} == {"sftp_host_key"}
    assert modes["sftp_client_key"] == 0o600
    assert all(modes[n] == 0o644 for n in files - {"sftp_host_key"})


def test_sshd_takes_its_settings(secrets, tmp_path):
    sshd = program("sshd", "openssh-server")
    if os.getuid() == 0:  # as the image does: sshd asks for it before it reads anything
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    settings = (REPOSITORY / "deploy" / "sshd_config").read_text(encoding="utf-8")
    (tmp_path / "sshd_config").write_text(settings.replace("/run/secrets", str(secrets)))
    run = subprocess.run(
        [sshd, "-T", "-f", tmp_path / "sshd_config"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "forcecommand internal-sftp -d /home/deliveries/in -u 0022" in run.stdout


def test_the_users_of_airflow_are_a_copy_that_it_can_write(secrets, tmp_path):
    """Airflow's own auth manager reads the file it is given, and opens it for writing."""
    home = tmp_path / "airflow"
    home.mkdir()
    script = (REPOSITORY / COMPOSE["services"]["api-server"]["command"][0]).read_text(encoding="utf-8")
    start = "python -c 'from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager as S;"
    start += " m = S(); m.init(); print(list(m.get_passwords()))'"
    lines = [line.replace("/run/secrets", str(secrets)) for line in script.splitlines()]
    lines[-1] = lines[-1].replace("airflow api-server --port 8080", start)
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "users.json"),
    }
    run = subprocess.run(["sh", "-c", "\n".join(lines)], env=env, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "['admin']"
    assert (home / "users.json").read_bytes() == (secrets / "airflow_users").read_bytes()
    assert (home / "users.json").stat().st_mode & 0o777 == 0o600
    # where a service mounts its secrets nothing can be written
    assert not COMPOSE["x-airflow"]["environment"][
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"
    ].startswith("/run")
