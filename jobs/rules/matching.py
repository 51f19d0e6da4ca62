"""What can be told of a row only beside others: duplicates, identities, disputes, consents, erasures.

``rows`` are tonight's rows that passed every row check: the typed contract columns, ``person_id, file, row_number``.
``history`` are rows accepted on earlier nights. Every function returns a frame of what it refuses, never the rows
themselves changed.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from schemas.contract import Contract

PLACE = ["file", "row_number"]
# What of a declaration is held against what it said before.
SAID = (
    "consent_id revised_at kind person_id expires_on withdrawn_on purpose source recipient granted_on receipt_sha256"
).split()


def repeated(rows: DataFrame, history: DataFrame | None, contract: Contract) -> DataFrame:
    """``rows`` with ``fate``: null, ``duplicate``, or the reason of a key with two contents.

    Within a night both contents are refused; across nights the newcomer alone (RULES, "Revisions and duplicates").
    ``first_file, first_row`` say of which of tonight's rows a row is the copy; null where it is none of them.
    """
    reason = "conflicting_duplicate" if contract.mode == "append" else "ambiguous_revision"
    version = contract.version
    rows = rows.selectExpr("*", _content(contract))
    same = Window.partitionBy(*version)
    first = Window.partitionBy(*version, "_content").orderBy(*PLACE)
    marked = rows.withColumns(
        {
            "_two": F.min("_content").over(same) != F.max("_content").over(same),
            "_place": F.row_number().over(first),
            "first_file": F.first("file").over(first),
            "first_row": F.first("row_number").over(first),
        }
    )
    copy = F.col("_place") > 1
    marked = marked.withColumns({n: F.when(copy, F.col(n)) for n in ("first_file", "first_row")})
    if history is None:
        outcome = F.when(F.col("_two"), reason).when(copy, "duplicate")
        return marked.withColumn("fate", outcome).drop("_two", "_place", "_content")
    known = history.selectExpr(*[f"{c} AS _h_{c}" for c in version], _content(contract)).withColumnRenamed(
        "_content", "_known"
    )
    matches = F.lit(True)
    for c in version:
        matches = matches & (F.col(c) == F.col(f"_h_{c}"))
    outcome = (
        F.when(
            F.col("_known").isNotNull(),
            F.when(F.col("_known") == F.col("_content"), "duplicate").otherwise(reason),
        )
        .when(F.col("_two"), reason)
        .when(copy, "duplicate")
    )
    joined = marked.join(known, matches, "left").withColumn("fate", outcome)
    return joined.drop("_two", "_place", "_content", "_known", *[f"_h_{c}" for c in version])


def _content(contract: Contract) -> str:
    """SQL of a hash of the contract's columns."""
    # a marker a column keeps a null apart from a neighbour's value
    return f"xxhash64({', '.join(f'CAST({n} IS NULL AS INT), {n}' for n in contract.names)}) AS _content"


def conflicting(found: DataFrame, vault: DataFrame) -> DataFrame:
    """Identities that are refused tonight: ``person_id, birth_mac, name_macs, own, contested``.

    ``found`` are tonight's identities in all feeds, each with whether it is of the person's own channel. Of an id met
    for the first time, all are refused when they disagree; later those that disagree with the vault. The person's own
    channel may bring a new family name; when it brings another birth date the id is contested (RULES, "Identity").
    """
    names = F.array_distinct(F.flatten(F.collect_list("name_macs")))
    known = vault.groupBy("person_id").agg(F.min("birth_mac").alias("k_birth"), names.alias("k_names"))
    found = found.select("person_id", "birth_mac", "name_macs", "own").distinct()
    met = found.join(known, "person_id", "left")
    brought = (
        met.where("own AND k_birth IS NOT NULL AND birth_mac = k_birth")
        .groupBy("person_id")
        .agg(names.alias("b_names"))
    )
    shared = F.aggregate(
        F.collect_list("name_macs"), F.first("name_macs"), lambda kept, one: F.array_intersect(kept, one)
    )
    fresh = (
        met.where("k_birth IS NULL")
        .groupBy("person_id")
        .agg(((F.min("birth_mac") != F.max("birth_mac")) | (F.size(shared) == 0)).alias("disagree"))
    )
    accepted = F.coalesce(F.col("b_names"), F.array().cast("array<binary>"))
    bad = (
        F.when(F.col("k_birth").isNull(), F.coalesce("disagree", F.lit(False)))
        .when(F.col("birth_mac") != F.col("k_birth"), True)
        .otherwise(~F.arrays_overlap(F.concat("k_names", accepted), F.col("name_macs")))
    )
    return (
        met.join(brought, "person_id", "left")
        .join(fresh, "person_id", "left")
        .where(bad)
        .select(
            "person_id",
            "birth_mac",
            "name_macs",
            "own",
            (F.col("own") & F.col("k_birth").isNotNull() & (F.col("birth_mac") != F.col("k_birth"))).alias(
                "contested"
            ),
        )
    )


def disputes_of_others(disputes: DataFrame, records: DataFrame, contract: Contract) -> DataFrame:
    """Disputes of a record that is another person's and not their own: ``file, row_number``.

    ``records`` are ``key, person_id`` of the disputed feed, accepted on any night.
    """
    mine = disputes.where(F.col("feed") == contract.feed).select("record_id", "person_id", *PLACE)
    owners = records.select(F.col(contract.key).alias("record_id"), F.col("person_id").alias("owner"))
    return (
        owners.join(F.broadcast(mine), "record_id")
        .groupBy(*PLACE)
        .agg(F.bool_or(F.col("owner") == F.col("person_id")).alias("own"))
        .where("NOT own")
        .select(*PLACE)
    )


def rewritten(consents: DataFrame, history: DataFrame) -> DataFrame:
    """Declarations that say otherwise than what is accepted under the same id: ``file, row_number``.

    The person never changes; of a consent neither purpose, source, recipient, day and receipt. ``expires_on`` may only
    move earlier, a withdrawal is final, and no consent takes the place of another declaration (RULES, "Consents").
    What is accepted already decides, of tonight's rows the oldest revision; a row refused here decides nothing.
    """
    mine = consents.select("consent_id").distinct()
    columns = ["consent_id", "revised_at", "kind", "person_id", "expires_on", "withdrawn_on"]
    said = F.struct("purpose", "source", "recipient", "granted_on", _receipt().alias("receipt"))
    known = history.join(mine, "consent_id", "left_semi").select(
        *columns,
        said.alias("said"),
        F.lit(None).cast("string").alias("file"),
        F.lit(None).alias("row_number"),
    )
    every = known.unionByName(consents.select(*columns, said.alias("said"), *PLACE))
    order = Window.partitionBy("consent_id").orderBy(F.col("file").isNotNull(), "revised_at")
    whole = order.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    consent = F.col("kind") == "consent"
    first = F.first(F.when(consent, F.col("said")), ignorenulls=True).over(whole)
    every = every.withColumn(
        "_changed",
        (F.col("person_id") != F.first("person_id").over(whole))
        | (consent & ~F.col("said").eqNullSafe(first)),
    )
    older = (
        Window.partitionBy("consent_id", "_changed")
        .orderBy("revised_at")
        .rowsBetween(Window.unboundedPreceding, -1)
    )
    end = F.min(F.when(consent, F.col("expires_on"))).over(older)
    withdrawn = F.min(F.when(consent, F.col("withdrawn_on"))).over(older)
    declared = F.coalesce(F.bool_or(~consent).over(older), F.lit(False))
    undone = withdrawn.isNotNull() & (F.col("withdrawn_on").isNull() | (F.col("withdrawn_on") > withdrawn))
    broken = F.col("_changed") | (
        consent & (F.coalesce(F.col("expires_on") > end, F.lit(False)) | undone | declared)
    )
    return every.withColumn("_broken", broken).where("_broken AND file IS NOT NULL").select(*PLACE)


def _receipt() -> Column:
    return F.lower(F.trim("receipt_sha256"))


def receipts_reused(consents: DataFrame, history: DataFrame) -> DataFrame:
    """Consents whose receipt is another person's: ``file, row_number``; both within a night, else the newcomer."""
    receipt = _receipt().alias("receipt")
    tonight = consents.where("kind = 'consent' AND receipt_sha256 IS NOT NULL").select(
        "person_id", *PLACE, receipt
    )
    before = (
        history.where("kind = 'consent' AND receipt_sha256 IS NOT NULL")
        .select(F.col("person_id").alias("owner"), receipt)
        .groupBy("receipt")
        .agg(F.min("owner").alias("owner"))
    )
    shared = tonight.groupBy("receipt").agg((F.min("person_id") != F.max("person_id")).alias("two"))
    return (
        tonight.join(shared, "receipt")
        .join(before, "receipt", "left")
        .where(
            F.when(F.col("owner").isNotNull(), F.col("owner") != F.col("person_id")).otherwise(F.col("two"))
        )
        .select(*PLACE)
    )


def erased_people(history: DataFrame, tonight: DataFrame) -> DataFrame:
    """People erased on an earlier night who have not consented again since: ``person_id, erased_on, returned``.

    ``returned`` is true where tonight or since brought a consent granted after the erasure with a receipt of its own.
    """
    erased = (
        history.where("kind = 'erasure'").groupBy("person_id").agg(F.max("granted_on").alias("erased_on"))
    )
    consent = "kind = 'consent' AND receipt_sha256 IS NOT NULL"
    columns = ["person_id", "granted_on", "receipt_sha256"]
    every = history.where(consent).select(*columns).unionByName(tonight.where(consent).select(*columns))
    dated = every.join(F.broadcast(erased), "person_id")
    old = dated.where("granted_on <= erased_on").select("person_id", "receipt_sha256")
    back = (
        dated.where("granted_on > erased_on")
        .join(old, ["person_id", "receipt_sha256"], "left_anti")
        .select("person_id")
        .distinct()
        .withColumn("returned", F.lit(True))
    )
    return erased.join(back, "person_id", "left").select(
        "person_id", "erased_on", F.coalesce("returned", F.lit(False)).alias("returned")
    )


def of_erased(rows: DataFrame, erased: DataFrame, feed: str) -> DataFrame:
    """Rows of erased people that may not be kept: ``file, row_number``. ``rows`` are those of all that has landed, with
    ``t_kind`` and ``t_granted_on`` where they are of ``consents``.

    After a consent granted later with a new receipt the person is a person again, and only what was dated before it in
    ``consents`` stays out.
    """
    joined = rows.join(F.broadcast(erased), "person_id")
    if feed == "consents":
        return joined.where("NOT returned OR (t_kind = 'consent' AND t_granted_on <= erased_on)").select(
            *PLACE
        )
    return joined.where("NOT returned").select(*PLACE)
