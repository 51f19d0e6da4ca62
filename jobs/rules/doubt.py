"""Doubt never costs a person: what a quarantined row still does (RULES, "Doubt" and "Identity").

Every function takes ``quarantine``, one row a refused row with a readable ``person_id``, and reads the cells
it needs from ``verbatim`` (JSON); they hold identities and go no further than these frames.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

EVENTS = ("withdrawn_on", "satisfied_on", "set_aside_on", "stayed_from", "appeal_lodged_on")
STOPPING_KINDS = ("withdrawal", "erasure", "death")


def _cell(name: str) -> Column:
    return F.nullif(F.trim(F.get_json_object("verbatim", f"$.{name}")), F.lit(""))


def doubted_keys(quarantine: DataFrame, current: DataFrame, key: str) -> DataFrame:
    """Keys of current records that a refused row puts in doubt: ``key``, one row a record.

    The row's key and person equal the record's, it fills one of :data:`EVENTS` where the record has
    nothing, and no newer revision was accepted since: newer than the refused row says it is, the row itself mended, or,
    where it says nothing that can be (unreadable, or after its own night), any that came later.
    """
    events = [e for e in EVENTS if e in current.columns]
    refused = quarantine.where("record_key IS NOT NULL AND person_id IS NOT NULL").select(
        F.col("record_key").alias("q_key"),
        F.col("person_id").alias("q_person"),
        F.col("night").alias("q_night"),
        F.try_to_timestamp(_cell("revised_at")).alias("q_revised_at"),
        *[_cell(e).alias(f"q_{e}") for e in events],
    )
    fills = F.lit(False)
    for e in events:
        fills = fills | (F.col(f"q_{e}").isNotNull() & F.col(e).isNull())
    later = F.col("night") > F.col("q_night")
    said = F.coalesce(F.to_date("q_revised_at") <= F.col("q_night"), F.lit(False))
    newer = F.when(
        said,
        (F.col("revised_at") > F.col("q_revised_at"))
        | ((F.col("revised_at") == F.col("q_revised_at")) & later),
    ).otherwise(later)
    joined = current.join(refused, (F.col(key) == F.col("q_key")) & (F.col("person_id") == F.col("q_person")))
    return joined.where(fills & ~newer).select(key).distinct()


def stopped_people(quarantine: DataFrame, accepted_consents: DataFrame) -> DataFrame:
    """People whose scores stop: ``person_id, kind``. A refused withdrawal, erasure or death, until it is mended.

    Mended: a row of the same key is accepted on the same or a later night, or, where the key cannot be read, a
    later declaration of that kind by the same person.
    """
    refused = quarantine.where("person_id IS NOT NULL").select(
        "person_id",
        F.lower(_cell("kind")).alias("kind"),
        "record_key",
        F.col("night").alias("q_night"),
    )
    refused = refused.where(F.col("kind").isin(*STOPPING_KINDS))
    accepted = accepted_consents.where(F.col("kind").isin(*STOPPING_KINDS)).select(
        F.col("consent_id").alias("a_key"),
        F.col("person_id").alias("a_person"),
        F.col("kind").alias("a_kind"),
        F.col("night").alias("a_night"),
    )
    mended = (F.col("person_id") == F.col("a_person")) & (
        ((F.col("record_key") == F.col("a_key")) & (F.col("a_night") >= F.col("q_night")))
        | (
            F.col("record_key").isNull()
            & (F.col("kind") == F.col("a_kind"))
            & (F.col("a_night") > F.col("q_night"))
        )
    )
    return refused.join(accepted, mended, "left_anti").select("person_id", "kind").distinct()


def contested_people(quarantine: DataFrame) -> DataFrame:
    """People whose own channel brought another birth date: ``person_id``."""
    return quarantine.where("contested AND person_id IS NOT NULL").select("person_id").distinct()


def contested_disputes(quarantine: DataFrame) -> DataFrame:
    """Records that a contested id disputes: ``feed, record_id, person_id``."""
    return (
        quarantine.where("contested AND person_id IS NOT NULL")
        .select(_cell("feed").alias("feed"), _cell("record_id").alias("record_id"), "person_id")
        .where("feed IS NOT NULL AND record_id IS NOT NULL")
        .distinct()
    )
