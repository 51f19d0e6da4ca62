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


def _source_time() -> Column:
    """``revised_at`` of a refused row; a time after the night that refused it is not the source's."""
    told = F.try_to_timestamp(_cell("revised_at"))
    return F.when(F.to_date(told) <= F.col("night"), told)


def _newer() -> Column:
    """Whether a row mends a refused one: it is of a later time, or the same one delivered again.

    Where the refused row's time cannot be read, any that was accepted later.
    """
    later = F.col("night") > F.col("q_night")
    at, told = F.col("revised_at"), F.col("q_revised_at")
    return F.coalesce((at > told) | (later & (at == told)), later)


def doubted_keys(quarantine: DataFrame, current: DataFrame, key: str) -> DataFrame:
    """Keys of current records that a refused row puts in doubt: ``key``, one row a record.

    The row's key and person equal the record's, it fills one of :data:`EVENTS` where the record has
    nothing, and no newer revision was accepted.
    """
    events = [e for e in EVENTS if e in current.columns]
    refused = quarantine.where("record_key IS NOT NULL AND person_id IS NOT NULL").select(
        F.col("record_key").alias("q_key"),
        F.col("person_id").alias("q_person"),
        F.col("night").alias("q_night"),
        _source_time().alias("q_revised_at"),
        *[_cell(e).alias(f"q_{e}") for e in events],
    )
    fills = F.lit(False)
    for e in events:
        fills = fills | (F.col(f"q_{e}").isNotNull() & F.col(e).isNull())
    joined = current.join(refused, (F.col(key) == F.col("q_key")) & (F.col("person_id") == F.col("q_person")))
    return joined.where(fills & ~_newer()).select(key).distinct()


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


def suspending_disputes(quarantine: DataFrame, accepted_disputes: DataFrame) -> DataFrame:
    """Records that a refused dispute suspends as one that was read would: ``feed, record_id, person_id``.

    Of a contested id until an operator decides; else until the dispute is mended. One that says it was rejected, and
    when, would suspend nothing.
    """
    refused = quarantine.where("person_id IS NOT NULL").select(
        "person_id",
        "record_key",
        "contested",
        F.col("night").alias("q_night"),
        _source_time().alias("q_revised_at"),
        _cell("feed").alias("feed"),
        _cell("record_id").alias("record_id"),
        ((F.lower(_cell("outcome")) == "rejected") & F.try_to_date(_cell("resolved_on")).isNotNull()).alias(
            "rejected"
        ),
    )
    refused = refused.where("feed IS NOT NULL AND record_id IS NOT NULL AND NOT coalesce(rejected, false)")
    accepted = accepted_disputes.select(
        "dispute_id",
        "revised_at",
        "night",
        F.col("person_id").alias("a_person"),
        F.col("feed").alias("a_feed"),
        F.col("record_id").alias("a_record"),
    )
    mended = (
        ~F.col("contested")
        & (F.col("person_id") == F.col("a_person"))
        & F.when(F.col("record_key").isNotNull(), (F.col("record_key") == F.col("dispute_id")) & _newer())
        .otherwise(
            (F.col("feed") == F.col("a_feed"))
            & (F.col("record_id") == F.col("a_record"))
            & (F.col("night") > F.col("q_night"))
        )
    )  # fmt: skip
    return refused.join(accepted, mended, "left_anti").select("feed", "record_id", "person_id").distinct()
