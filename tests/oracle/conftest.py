"""A generated history of sixty nights, ten of which are published by the pipeline, for every test here.

A night takes every delivery since the one before, so the nights that are left out are not lost: what happens on them
is taken by the next. `make bench` publishes all sixty. The nights compute the people whom they touch alone, but where
something changed for all (another month or policy, a feed that is late).
"""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks.lakes import copied
from benchmarks.oracle.compare import Comparison, compare
from benchmarks.oracle.night import connect
from benchmarks.oracle.published import publications
from jobs.cli import main
from jobs.generate import generate
from jobs.lake import touched
from jobs.nightly import open_night, run_night

ROOT = Path(__file__).resolve().parents[2]
START, PERSONS, LENGTH, SEED = dt.date(2026, 11, 18), 320, 60, 7
# 14 and 45 begin a month; 21: consents are late; 29-31: transactions; 42-43: disputes
NIGHTS = (1, 2, 14, 15, 21, 30, 42, 45, 53, 60)
# nights that are also computed whole, from the lake as it was before: number of shuffle partitions
REBUILT = {15: 4, 60: 64}  # those of the history have one
NEW_POLICY_FROM = 53  # another recipient, and another version of a scorecard


def date(number: int) -> dt.date:
    """The day of a night by its number."""
    return START + dt.timedelta(days=number - 1)


def certified(home: Path, recipient: str) -> None:
    """Gives the lake a recipient's certificate, of a key that nobody has."""
    gpg = ["gpg", "--homedir", str(home / "gpg"), "--batch", "--quiet", "--pinentry-mode", "loopback"]
    (home / "gpg").mkdir(mode=0o700)
    made = ["--passphrase", "", "--quick-generate-key", recipient, "future-default", "default", "never"]
    subprocess.run([*gpg, *made], check=True, capture_output=True)
    file = home / f"{recipient}.asc"
    file.write_bytes(subprocess.run([*gpg, "--armor", "--export"], check=True, capture_output=True).stdout)
    subprocess.run(["gpgconf", "--homedir", str(home / "gpg"), "--kill", "all"], check=False)
    assert main(["keys", "import", recipient, str(file), "--lake", str(home / "lake")]) == 0


@dataclass(frozen=True)
class History:
    """A lake with its deliveries."""

    deliveries: Path
    lake: str
    compared: list[Comparison] = field(default_factory=list)  # each night as it was published
    before: dict[int, str] = field(default_factory=dict)  # the lake before a night of REBUILT
    said: dict[int, list[str]] = field(default_factory=dict)


def policy_folder(home: Path) -> Path:
    """Policy and scorecards as shipped, but for one recipient more and one scorecard's points and version."""
    folder = home / "policy"
    shutil.copytree(ROOT / "scorecards", folder / "scorecards")
    text = (ROOT / "policy.yaml").read_text(encoding="utf-8")
    path = folder / "policy.yaml"
    path.write_text(
        text.replace("recipients: [demo-insurer]", "recipients: [demo-insurer, new-insurer]"),
        encoding="utf-8",
    )
    card = folder / "scorecards" / "motor_cover.yaml"
    text = card.read_text(encoding="utf-8")
    changed = text.replace("version: 1.0.0", "version: 1.1.0").replace("base: 650", "base: 655")
    assert changed != text
    card.write_text(changed, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def history(spark, tmp_path_factory: pytest.TempPathFactory) -> History:
    """The published history."""
    home = tmp_path_factory.mktemp("history")
    made = History(home / "deliveries", str(home / "lake"))
    generate(PERSONS, LENGTH, START, SEED, made.deliveries)
    con = connect()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ASSENT_LAKE", "ASSENT_KEYS", "ASSENT_OUT", "ASSENT_POLICY", "ASSENT_DELIVERIES"):
            patch.delenv(name, raising=False)
        # a history so small would be computed anew each night
        patch.setattr(touched, "WORTH_ROWS", 0)
        patch.setattr(touched, "MOST", 0)
        for number in NIGHTS:
            if number == NEW_POLICY_FROM:
                patch.setenv("ASSENT_POLICY", str(policy_folder(home)))
                certified(home, "new-insurer")
            if number in REBUILT:
                made.before[number] = str(home / f"before-{number}")
                copied(Path(made.lake), Path(made.before[number]))
            said = made.said[number] = []
            run_night(open_night(date(number), made.lake, str(made.deliveries), create=True, say=said.append))
            # now: a later night purges what this one was made from
            made.compared.extend(compare(con, publications(made.lake)[-1])[0])
    return made
