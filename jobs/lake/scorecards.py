"""Scorecard files: read for a night, and kept in the lake as they were for every night that used them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from jobs.errors import AssentError
from jobs.lake.config import policy_path, scorecards_folder
from jobs.lake.lake import Lake
from jobs.rules.compiler import compile_scorecard
from jobs.rules.policy import Pair, Policy, pairs_in, parse
from jobs.rules.scorecard import Scorecard


def load_scorecards(policy: Policy) -> dict[str, Scorecard]:
    """Every purpose's compiled scorecard; AssentError with file and line, or naming the purpose without one."""
    folder = scorecards_folder()
    found: dict[str, Scorecard] = {}
    paths = sorted(folder.glob("*.yaml"))
    if (
        folder.parent != policy_path().parent
    ):  # a policy without scorecards of its own may leave a purpose out
        paths = [p for p in paths if p.stem in policy.purposes]
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as e:
            raise AssentError(
                f"{path}: the scorecard cannot be read ({type(e).__name__}); mend the file"
            ) from None
        card = compile_scorecard(text, str(path), policy)
        if card.purpose in found:
            raise AssentError(f"{path}:1: a second scorecard for {card.purpose}; keep one")
        found[card.purpose] = card
    for purpose in policy.purposes:
        if purpose not in found:
            raise AssentError(
                f"{folder}: no scorecard for {purpose}; add {purpose}.yaml or remove the purpose"
            )
    return found


def store(lake: Lake, policy: Policy, scorecards: dict[str, Scorecard]) -> None:
    """Keeps policy and scorecards by their SHA-256, so that any past night can be explained by its own."""
    kept = {f"_scorecards/{c.sha256}.yaml": c.text for c in scorecards.values()}
    kept[f"_policies/{policy.sha256}.yaml"] = Path(policy.path).read_text(encoding="utf-8")
    for name, text in kept.items():
        if not lake.fs.exists(f"{lake.path}/{name}"):
            lake.write_text(name, text)


def earlier_pairs(lake: Lake, night: dt.date) -> list[tuple[dt.date, frozenset[Pair]]]:
    """The nights published before one, each with the pairs that its policy allowed; AssentError when one is lost."""
    kept: dict[str, frozenset[Pair]] = {}
    found = []
    for row in lake.publications():
        if row["night"] >= night:
            continue
        sha256 = row["policy_hash"]
        if sha256 not in kept:
            kept[sha256] = pairs_in(parse(stored_policy(lake, sha256), f"_policies/{sha256}.yaml").node)
        found.append((row["night"], kept[sha256]))
    return found


def _stored(lake: Lake, folder: str, sha256: str) -> str:
    path = f"{lake.path}/{folder}/{sha256}.yaml"
    if not lake.fs.exists(path):
        raise AssentError(
            f"{folder}/{sha256[:12]}… is not in the lake any more; restore {folder} from your backup"
        )
    return str(lake.fs.cat_file(path).decode())


def stored_scorecard(lake: Lake, sha256: str) -> str:
    """A kept scorecard's text; AssentError when the lake has lost it."""
    return _stored(lake, "_scorecards", sha256)


def stored_policy(lake: Lake, sha256: str) -> str:
    """A kept policy's text; AssentError when the lake has lost it."""
    return _stored(lake, "_policies", sha256)


def published_scorecards(
    lake: Lake, publication: dict[str, Any], policy: Policy, now: dict[str, Scorecard]
) -> dict[str, Scorecard]:
    """The scorecards that a published night was scored by, whatever the files say since; ``now`` where it had none.

    AssentError when the lake has lost one, or when floor or policy have become narrower than it.
    """
    known: dict[str, dict[str, str]] = json.loads(publication["scorecards"])
    found = dict(now)
    for purpose, card in known.items():
        if purpose in policy.purposes and card["sha256"] != now[purpose].sha256:
            text = stored_scorecard(lake, card["sha256"])
            found[purpose] = compile_scorecard(text, f"_scorecards/{card['sha256']}.yaml", policy)
    return found
