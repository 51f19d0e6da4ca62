"""Holds published scores against the outcome: ``python -m examples.uci_credit_card.evaluate --csv FILE --lake DIR``.

``--split holdout`` looks at the people alone who had no part in developing the scorecard. The last line is a JSON
object: ``gini`` (2 AUC - 1, ties half) with its 95 % interval ``gini_low`` and ``gini_high`` (DeLong), ``ks``
(Kolmogorov-Smirnov distance), ``n``, ``split``, and ``bands``: bad outcomes expected from the scores and observed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
from ruamel.yaml import YAML

from examples.uci_credit_card.source import NIGHT, OUTCOME, in_development, national_id, read
from jobs.errors import AssentError
from jobs.rules import ranking

PURPOSE = "consumer_credit"
SCORES = f"""
SELECT person_id, score FROM scores
WHERE purpose = '{PURPOSE}' AND recipient = 'demo-lender' AND status = 'scored'
"""


def rank_quality(score: np.ndarray, bad: np.ndarray) -> dict[str, float]:
    """Gini and KS of scores (higher is better) against outcomes (1 is bad); AssentError without both outcomes."""
    try:
        value, low, high = ranking.gini(score, bad)
        distance = ranking.ks(score, bad)
    except ValueError:
        raise AssentError(
            "evaluate: the scored people have one outcome only; give a file with both"
        ) from None
    named = {"gini": value, "gini_low": low, "gini_high": high, "ks": distance}
    return {k: round(v, 4) for k, v in named.items()}


def _scale(lake: str) -> tuple[list[tuple[str, int]], tuple[float, float, float]]:
    """Bands and scaling of the scorecard that made the night's scores."""
    from jobs.lake.lake import Lake
    from jobs.lake.query import run_query
    from jobs.lake.scorecards import stored_scorecard

    row = run_query(
        lake, "SELECT scorecards FROM publications ORDER BY night DESC LIMIT 1", NIGHT
    ).to_pylist()[0]
    card = YAML(typ="safe").load(
        stored_scorecard(Lake(lake), json.loads(row["scorecards"])[PURPOSE]["sha256"])
    )
    scaling = card["scaling"]
    return list(card["bands"].items()), (
        float(scaling["score"]),
        float(scaling["odds"]),
        float(scaling["points_to_double_odds"]),
    )


def evaluate(source: Path, lake: str, split: str = "all") -> dict[str, Any]:
    """Quality over the people of the file who are scored for ``consumer_credit``."""
    from jobs.development.measures import calibration
    from jobs.lake.query import run_query
    from jobs.lake.vault import person_ids

    rows = read(source, "ID", OUTCOME).to_pylist()
    if split != "all":
        rows = [r for r in rows if in_development(r["ID"]) == (split == "development")]
    people = person_ids(lake, [national_id(r["ID"]) for r in rows])
    outcome = dict(zip(people, (r[OUTCOME] for r in rows), strict=True))
    scores = run_query(lake, SCORES, NIGHT).to_pylist()
    known = [(s["score"], outcome[s["person_id"]]) for s in scores if s["person_id"] in outcome]
    if not known:
        raise AssentError(
            f"evaluate: nobody of the file is scored on {NIGHT}; run `assent night --date {NIGHT}` first"
        )
    score, bad = (np.array(v) for v in zip(*known, strict=True))
    bands, scaling = _scale(lake)
    held = [
        {k: round(v, 4) if isinstance(v, float) else v for k, v in b.items()}
        for b in calibration(score, bad, bands, scaling)
    ]
    return {**rank_quality(score, bad), "n": len(known), "split": split, "bands": held}


@click.command()
@click.option("--csv", "source", type=click.Path(path_type=Path), required=True)
@click.option("--lake", envvar="ASSENT_LAKE", required=True)
@click.option(
    "--split",
    type=click.Choice(["all", "holdout", "development"]),
    default="all",
    help="The held-out people alone, those the scorecard was made from, or everybody in the file (the default).",
)
def main(source: Path, lake: str, split: str) -> None:
    """Prints the quality of the published scores."""
    try:
        found = evaluate(source, lake, split)
    except AssentError as e:
        click.echo(f"evaluate: {e}", err=True)
        sys.exit(e.status)
    if split == "all":
        click.echo("some of these people helped to make the scorecard: --split holdout leaves them out")
    click.echo(
        f"Gini {found['gini']} ({found['gini_low']} to {found['gini_high']}), KS {found['ks']}, n {found['n']}"
    )
    for b in found["bands"]:
        if b["people"]:
            click.echo(
                f"band {b['band']}: {b['people']} people, bad expected {b['expected']:.1%}, "
                f"observed {b['observed']:.1%} ({b['low']:.1%} to {b['high']:.1%})"
            )
    click.echo(json.dumps(found))


if __name__ == "__main__":
    main()
