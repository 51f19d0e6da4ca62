"""The people and the names that a night meets for the first time, for the vault."""

from __future__ import annotations

import datetime as dt

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.lake import tallies
from jobs.lake.night import Night
from jobs.lake.vault import encrypted
from schemas.contract import IDENTITY_NAMES
from schemas.tables import VAULT


def new_identities(accepted: list[DataFrame], vault: DataFrame, night: dt.date) -> DataFrame:
    """VAULT's rows of tonight with the identity still as text: a person's first, and each further family name.

    ``accepted`` are tonight's accepted rows of each feed. Spellings that compare equal are one variant.
    """
    columns = ["person_id", "id_mac", "birth_mac", "name_macs", *IDENTITY_NAMES]
    rows = accepted[0].select(*columns)
    for frame in accepted[1:]:
        rows = rows.unionByName(frame.select(*columns))
    text = F.min(
        F.struct(
            "family_name", "given_name", F.col("birth_date").cast("string").alias("birth_date"), "national_id"
        )
    )
    # The distinct ones first, which takes a hash table: the least of texts takes a sort of all that was delivered.
    # Without something between, the optimiser would see that the least does not need them distinct.
    distinct = rows.distinct().repartition("person_id")
    variants = distinct.groupBy("person_id", "name_macs").agg(
        F.min("id_mac").alias("id_mac"), F.min("birth_mac").alias("birth_mac"), text.alias("v")
    )
    known = vault.select(F.col("person_id").alias("k_person"), F.col("name_macs").alias("k_macs"))
    fresh = variants.join(
        known,
        (F.col("person_id") == F.col("k_person")) & (F.col("name_macs") == F.col("k_macs")),
        "left_anti",
    )
    met = known.select(F.col("k_person").alias("person_id")).distinct().withColumn("_known", F.lit(True))
    order = F.row_number().over(Window.partitionBy("person_id").orderBy("v"))
    return (
        fresh.join(met, "person_id", "left")
        .withColumn("_order", order)
        .select(
            "person_id",
            "id_mac",
            "birth_mac",
            "name_macs",
            "v.national_id",
            "v.family_name",
            "v.given_name",
            "v.birth_date",
            F.when(F.col("_known").isNull() & (F.col("_order") == 1), F.lit("first"))
            .otherwise(F.lit("name"))
            .alias("event"),
            F.lit(night).alias("night"),
        )
    )


def grow_vault(night: Night, accepted: dict[str, DataFrame]) -> int:
    """Writes tonight's new people and names into the vault; returns how many rows that is."""
    tonight = [f.where(F.col("night") == F.lit(night.date)) for f in accepted.values()]
    mine = [data for f in accepted if (data := night.dataset(f"accepted/{f}")) is not None]
    known = night.among_before(
        "vault",
        "person_id IN (SELECT person_id FROM keys)",
        tallies.distinct(mine, "person_id", night.date),
        ["person_id", "name_macs"],
        VAULT.ddl(),
        "vault-before",
    )
    fresh = new_identities(tonight, known, night.date)
    with night.lake.streamed(fresh, f"identities-{night.date.isoformat()}") as batches:
        pin = night.write_arrow_stream("vault", encrypted(batches, night.keys), VAULT.arrow())
    return int(pin["rows"])
