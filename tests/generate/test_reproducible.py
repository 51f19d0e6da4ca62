"""The same seed gives the same bytes, signatures included, and GnuPG reads them."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from jobs.cli import main

WORDS = ("generate", "--persons", "130", "--nights", "2", "--start", "2026-11-18", "--seed", "11", "--out")


def digests(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("generated")
    for name in ("one", "two"):
        assert main([*WORDS, str(out / name)]) == 0
    return out


def test_the_same_seed_gives_the_same_files_byte_for_byte(made):
    one, two = digests(made / "one"), digests(made / "two")
    assert one == two
    assert len(one) > 20


def test_every_consents_file_is_signed_by_the_demo_issuer(made, tmp_path):
    env = {**os.environ, "GNUPGHOME": str(tmp_path)}
    tmp_path.chmod(0o700)
    key = made / "one" / "keys" / "demo-issuer.pub.asc"
    subprocess.run(["gpg", "--batch", "--quiet", "--import", key], env=env, check=True, capture_output=True)
    files = [p for p in (made / "one").glob("2026-*/consents*") if p.suffix not in (".sig", ".sha256")]
    assert len(files) == 4  # people and cases, two nights
    for original in files:
        path = tmp_path / original.name
        path.write_bytes(original.read_bytes())
        checked = ["gpg", "--batch", "--verify", f"{original}.sig", path]
        subprocess.run(checked, env=env, check=True, capture_output=True)
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        assert subprocess.run(checked, env=env, capture_output=True).returncode == 1
