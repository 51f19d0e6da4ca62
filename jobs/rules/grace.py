"""Orders that the source no longer has, kept for a while as they were last known.

The order feeds are deltas: a record stays as it is until a newer revision, so a delivery that is missing, empty or cut
says nothing about what it leaves out, and removes nobody. A record can still be gone: accepted rows were lost, restored
from an older copy, or taken back. That is no statement by the source either; the order keeps its place, its dates and
its disputes for the contract's grace, and leaves as ``source_withdrew`` when that is over. It counts in no score.
"""

from __future__ import annotations

import datetime as dt

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from schemas.contract import Contract


def carried(
    before: DataFrame, accepted: DataFrame, erased: DataFrame, contract: Contract, night: dt.date
) -> DataFrame:
    """Orders of ``before`` (conformed, the night before) that ``accepted`` lacks, with ``gone_since``; a row a record.

    Not those of an erased person (``erased`` has ``person_id``), nor those whose grace is over.
    """
    since: Column = F.lit(None).cast("date")
    if "gone_since" in before.columns:
        since = F.col("gone_since")
    return (
        before.where("is_order")
        .join(accepted.select(contract.key).distinct(), contract.key, "left_anti")
        .join(erased.select("person_id").distinct(), "person_id", "left_anti")
        .withColumn("gone_since", F.coalesce(since, F.lit(night)))
        .where(F.date_add("gone_since", contract.grace_days) > F.lit(night))
        .drop("in_doubt", "disputed", "upheld", "deceased", "contested", "left_determination", "for_scores")
        .drop("is_order", "erased")
    )
