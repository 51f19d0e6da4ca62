"""A night in a process of its own: ``python -m benchmarks.night.one DATE DELIVERIES LAKE [full] [lean]``.

``full`` computes everybody. ``lean`` is for sizes that the disk would not hold: under a policy without pages of the
notices, and what was delivered is gone once it has landed. The last line is one JSON object: seconds of each step, and
of ``extract`` those of each feed.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import sys
import time
from pathlib import Path

from jobs.cli import leave
from jobs.generate.issuer import certificate
from jobs.lake.config import REPOSITORY, load_policy
from jobs.lake.issuers import trust_demo
from jobs.lake.recipients import make_demo_recipients
from jobs.nightly import STEPS, begin, open_night, run_step
from schemas.contract import contracts


def main(date: str, deliveries: str, lake: str, *words: str) -> None:
    """Runs and times the steps."""
    seconds: dict[str, float] = {}
    shipped, lean = load_policy(), "lean" in words
    if lean:
        policy = Path(f"{lake}.policy.yaml")
        policy.write_text((REPOSITORY / "policy.yaml").read_text() + "\nnotice_pages: false\n")
        os.environ["ASSENT_POLICY"] = str(policy)
    started = time.perf_counter()
    night = open_night(
        dt.date.fromisoformat(date),
        lake,
        deliveries,
        full="full" in words,
        approve=True,
        create=True,
        say=lambda text: print(text, flush=True),
    )
    if lean:  # the demo's issuer and recipients are trusted and made under the shipped policy alone
        trust_demo(night.keys, certificate())
        make_demo_recipients(night.keys.folder, shipped, night.say)
    begin(night)
    for step in STEPS:
        for feed in contracts() if step == "extract" else [None]:
            before = time.perf_counter()
            run_step(night, step, feed)
            spent = time.perf_counter() - before
            seconds[step] = seconds.get(step, 0.0) + spent
            if feed:
                seconds[f"extract {feed}"] = spent
        if lean and step == "extract":
            shutil.rmtree(Path(deliveries, date))
    seconds["all"] = time.perf_counter() - started
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
    leave(0)
