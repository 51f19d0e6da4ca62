"""What a dispute does to the record it disputes (RULES, "Orders"; FCRA 15 USC 1681i)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

CLOCK_DAYS = 30  # 1681i(a)(1)(A)
EXTENDED_DAYS = 45  # 1681i(a)(1)(B)


def verdicts(disputes: DataFrame, night: dt.date, extensions: Sequence[str]) -> DataFrame:
    """Disputes with what they say tonight: one row a dispute that is not a review.

    Adds ``verdict`` (``open``, ``upheld``, ``corrected``, ``rejected``) and ``decided_on`` (date of the outcome;
    of a dispute whose clock ran out, the day on which it did). An answer after the clock comes too late to bring the
    record back: it stays as upheld, and only a certified revision newer than the answer ends that (1681i(a)(5)(B)).
    """
    d = F.lit(night)
    days = F.when(F.col("dispute_id").isin(*extensions), EXTENDED_DAYS) if extensions else F.lit(None)
    runs_out = F.date_add("opened_on", F.coalesce(days, F.lit(CLOCK_DAYS)))
    answered = F.col("resolved_on").isNotNull() & F.col("outcome").isNotNull() & (F.col("resolved_on") <= d)
    decided = answered & (F.col("resolved_on") <= runs_out)
    ended = F.when(answered, F.col("resolved_on")).when(runs_out <= d, runs_out)
    return (
        disputes.where("kind <> 'review'")
        .where(F.col("opened_on") <= d)
        .withColumn(
            "verdict",
            F.when(decided, F.col("outcome")).when(runs_out <= d, F.lit("upheld")).otherwise(F.lit("open")),
        )
        .withColumn("decided_on", ended)
    )


def dispute_flags(current: DataFrame, key: str, feed: str, verdicts: DataFrame) -> DataFrame:
    """Records of a feed that a dispute touches: ``key, disputed, upheld``, one row a record.

    ``current`` has ``person_id`` and, but for transactions, ``revised_at``; a dispute counts only with the
    record's own person. ``upheld`` lasts until a certified revision newer than the decision; ``corrected``
    suspends until a revision newer than the opening; after a rejection no further dispute of the same version
    suspends, unless certified.
    """
    mine = verdicts.where(F.col("feed") == feed).select(
        F.col("record_id").alias("d_key"),
        F.col("person_id").alias("d_person"),
        "verdict",
        "opened_on",
        "decided_on",
        "certified_by",
    )
    revised = F.to_date("revised_at") if "revised_at" in current.columns else F.lit(None).cast("date")
    slim = current.select(key, "person_id", revised.alias("revised_on"))
    joined = slim.join(mine, (F.col(key) == F.col("d_key")) & (F.col("person_id") == F.col("d_person")))
    newer_than_decision = F.coalesce(F.col("revised_on") > F.col("decided_on"), F.lit(False))
    newer_than_opening = F.coalesce(F.col("revised_on") > F.col("opened_on"), F.lit(False))
    one = joined.select(
        key,
        F.when(F.col("verdict") == "upheld", ~(newer_than_decision & F.col("certified_by").isNotNull()))
        .otherwise(F.lit(False))
        .alias("upheld"),
        ((F.col("verdict") == "corrected") & ~newer_than_opening).alias("correcting"),
        F.when(F.col("verdict") == "open", F.col("opened_on")).alias("opened_on"),
        (F.col("certified_by").isNotNull()).alias("certified"),
        F.when((F.col("verdict") == "rejected") & ~newer_than_decision, F.col("decided_on")).alias(
            "rejected_on"
        ),
    )
    grouped = one.groupBy(key).agg(
        F.bool_or("upheld").alias("upheld"),
        F.bool_or("correcting").alias("correcting"),
        F.bool_or(F.col("opened_on").isNotNull() & F.col("certified")).alias("open_certified"),
        F.min(F.when(~F.col("certified"), F.col("opened_on"))).alias("first_open"),
        F.min("rejected_on").alias("rejected_on"),
    )
    # the earliest open dispute decides: if it was opened after the rejection, so were all the others
    still_open = F.col("first_open").isNotNull() & (
        F.col("rejected_on").isNull() | (F.col("first_open") < F.col("rejected_on"))
    )
    return grouped.select(
        key, (F.col("correcting") | F.col("open_certified") | still_open).alias("disputed"), "upheld"
    )
