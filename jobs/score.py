"""score: each application by its purpose's scorecard (DESIGN 5)."""

from __future__ import annotations

import datetime as dt
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.lake.night import Night
from jobs.rules import floor
from jobs.rules.scorecard import Scorecard, points
from schemas.tables import SCORES

MOST_REASONS = 4  # FCRA 15 USC 1681g(f)(1)(C)


def _no_score(card: Scorecard) -> Column:
    """The coded reason why there is no score; null where there is one."""
    reason = F.lit(None).cast("string")
    for name, least in card.minimum:
        reason = F.when(F.coalesce(F.col(name) < least, F.lit(True)), F.lit("thin_file")).otherwise(reason)
    for source in card.required:
        reason = F.when(~F.array_contains("sources_used", source), F.lit("source_absent")).otherwise(reason)
    return reason


def _band(card: Scorecard) -> Column:
    out: Column | None = None
    for band, lowest in card.bands:
        fits = F.col("score") >= lowest
        out = F.when(fits, F.lit(band)) if out is None else out.when(fits, F.lit(band))
    assert out is not None
    return out


def _reasons(card: Scorecard) -> Column:
    """Codes of the largest shortfalls against neutral, largest first, ties in scorecard order."""
    entries = [
        F.struct(
            (F.element_at("points", i + 1) - F.lit(c.neutral)).alias("above"),
            F.lit(i).alias("place"),
            F.lit(c.code).alias("code"),
        )
        for i, c in enumerate(card.characteristics)
    ]
    short = F.filter(F.array(*entries), lambda e: e["above"] < 0)
    return F.transform(F.slice(F.array_sort(short), 1, MOST_REASONS), lambda e: e["code"])


def of_purpose(features: DataFrame, card: Scorecard, night: dt.date) -> DataFrame:
    """SCORES of one purpose, one row an application."""
    rows = features.where(F.col("purpose") == card.purpose).withColumns(
        {"no_score_reason": _no_score(card), "points": F.array(*[points(c) for c in card.characteristics])}
    )
    total = F.aggregate("points", F.lit(card.base), lambda a, b: a + b)
    clamped = F.greatest(F.lit(floor.SCORE_MIN), F.least(F.lit(floor.SCORE_MAX), total)).cast("int")
    rows = rows.withColumn("score", clamped).withColumns({"band": _band(card), "reasons": _reasons(card)})
    scored = F.col("no_score_reason").isNull()
    return rows.select(
        "person_id",
        "purpose",
        "recipient",
        F.lit(night).alias("score_date"),
        F.when(scored, F.lit("scored")).otherwise(F.lit("no_score")).alias("status"),
        *[F.when(scored, F.col(n)).alias(n) for n in ("score", "band")],
        F.lit(card.version).alias("scorecard_version"),
        *[F.when(scored, F.col(n)).alias(n) for n in ("points", "reasons")],
        "no_score_reason",
        "sources_used",
    ).select(*SCORES.names)


def scores(features: DataFrame, scorecards: dict[str, Scorecard], night: dt.date) -> DataFrame:
    """SCORES of every application in ``features``."""
    parts = [of_purpose(features, card, night) for _, card in sorted(scorecards.items())]
    return reduce(DataFrame.unionByName, parts)


def run(night: Night) -> dict[str, int]:
    """Writes the night's scores; returns how many applications were rated."""
    pin = night.write_touched("scores", scores(night.touched_frame("features"), night.scorecards, night.date))
    night.lake.clear_scratch()
    return {"applications": int(pin["rows"])}
