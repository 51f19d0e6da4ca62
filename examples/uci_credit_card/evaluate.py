"""Holds published scores against the outcome: ``python -m examples.uci_credit_card.evaluate --csv FILE --lake DIR``.

The last line is a JSON object: ``gini`` (2 AUC - 1, ties half), ``ks`` (Kolmogorov-Smirnov distance) and ``n``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
import numpy as np

from examples.uci_credit_card.source import NIGHT, OUTCOME, national_id, read
from jobs.errors import AssentError


def rank_quality(score: np.ndarray, bad: np.ndarray) -> dict[str, float]:
    """Gini and KS of scores (higher is better) against outcomes (1 is bad); AssentError without both outcomes."""
    good_count, bad_count = int((bad == 0).sum()), int((bad == 1).sum())
    if not good_count or not bad_count:
        raise AssentError("evaluate: the scored people have one outcome only; give a file with both")
    values, place = np.unique(score, return_inverse=True)
    goods = np.bincount(place, weights=bad == 0, minlength=len(values))
    bads = np.bincount(place, weights=bad == 1, minlength=len(values))
    below = np.cumsum(bads) - bads
    auc = float((goods * (below + bads / 2)).sum() / (good_count * bad_count))
    distance = np.abs(np.cumsum(bads) / bad_count - np.cumsum(goods) / good_count).max()
    return {"gini": round(2 * auc - 1, 4), "ks": round(float(distance), 4)}


def evaluate(source: Path, lake: str) -> dict[str, float]:
    """Quality over everybody in the file who is scored for ``consumer_credit``."""
    from jobs.lake.query import run_query
    from jobs.lake.vault import person_ids

    table = read(source, "ID", OUTCOME)
    people = person_ids(lake, [national_id(i) for i in table.column("ID").to_pylist()])
    outcome = dict(zip(people, table.column(OUTCOME).to_pylist(), strict=True))
    scores = run_query(
        lake,
        "select person_id, score from scores where purpose = 'consumer_credit' and recipient = 'demo-lender' "
        "and status = 'scored'",
        NIGHT,
    ).to_pylist()
    known = [(s["score"], outcome[s["person_id"]]) for s in scores if s["person_id"] in outcome]
    if not known:
        raise AssentError(
            f"evaluate: nobody of the file is scored on {NIGHT}; run `assent night --date {NIGHT}` first"
        )
    score, bad = (np.array(v) for v in zip(*known, strict=True))
    return {**rank_quality(score, bad), "n": len(known)}


@click.command()
@click.option("--csv", "source", type=click.Path(path_type=Path), required=True)
@click.option("--lake", envvar="ASSENT_LAKE", required=True)
def main(source: Path, lake: str) -> None:
    """Prints the quality of the published scores."""
    try:
        found = evaluate(source, lake)
    except AssentError as e:
        click.echo(f"evaluate: {e}", err=True)
        sys.exit(e.status)
    click.echo(json.dumps(found))


if __name__ == "__main__":
    main()
