"""conform: the current version of each record, a person key in place of identity, and only what may be read.

Consent is applied here and nowhere else; disputes, doubt, erasures and deaths become flags or absence.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import partial, reduce

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.lake import spark_tables, tallies
from jobs.lake.night import Night
from jobs.lake.scorecards import earlier_pairs
from jobs.lake.vault import encrypted
from jobs.rules import consent, disputes, doubt, floor, grace
from jobs.rules.months import monthly
from jobs.rules.policy import allowed_since
from jobs.side_by_side import side_by_side
from schemas.contract import IDENTITY_NAMES, Contract, contracts
from schemas.tables import DELIVERIES, FEED_STATE, ORDER_FLAGS, QUARANTINE, RECORD_FLAGS, VAULT

# The person's own declarations; every other feed is data about the person.
OWN_CHANNEL = ("consents", "disputes")
DISPUTED_IN_SCORES = ("tax", "court", "traffic")


@dataclass(frozen=True)
class People:
    """What is so of people tonight, each a frame of ``person_id``.

    Dead, erased (with night and day), contested; ``doubted``: a death or an erasure that could not be read, so that
    nobody stays listed who would not be if it had been.
    """

    deceased: DataFrame
    erased: DataFrame
    contested: DataFrame
    doubted: DataFrame


def feed_state(deliveries: pa.Table, night: dt.date) -> pa.Table:
    """FEED_STATE, one row a feed. Without fresh disputes tax, court and traffic are absent (RULES, "Orders")."""
    last: dict[str, dt.date] = {}
    for row in deliveries.select(["feed", "delivered_on", "stopped"]).to_pylist():
        if row["stopped"] is None and row["delivered_on"] <= night:
            last[row["feed"]] = max(row["delivered_on"], last.get(row["feed"], dt.date.min))
    fresh = {
        feed: feed in last and last[feed] >= night - dt.timedelta(days=contract.freshness_days)
        for feed, contract in contracts().items()
    }
    rows = [
        {
            "feed": f,
            "last_good_on": last.get(f),
            "fresh": ok and (fresh["disputes"] or f not in DISPUTED_IN_SCORES),
        }
        for f, ok in fresh.items()
    ]
    return pa.Table.from_pylist(rows, schema=FEED_STATE.arrow())


def current_versions(accepted: DataFrame, contract: Contract) -> DataFrame:
    """The newest revision of each record (all rows of an append feed)."""
    if contract.mode == "append":
        return accepted
    newest = Window.partitionBy(contract.key).orderBy(F.col("revised_at").desc())
    return accepted.withColumn("_rank", F.row_number().over(newest)).where("_rank = 1").drop("_rank")


def people(consents: DataFrame, stopped: DataFrame, contested: DataFrame, night: dt.date) -> People:
    """Deaths, erasures and contested ids. ``consents`` are all accepted rows; ``stopped`` as doubt gives it."""
    d = F.lit(night)
    deceased = consents.where("kind = 'death'").select("person_id").distinct()
    erased = (
        consents.where("kind = 'erasure'")
        .where(F.col("night") <= d)
        # a later revision of one erasure does not erase again what came since
        .groupBy("person_id", "consent_id")
        .agg(F.min("granted_on").alias("granted_on"), F.min("night").alias("night"))
        .groupBy("person_id")
        .agg(F.max("granted_on").alias("erased_on"), F.max("night").alias("erased_night"))
    )
    doubted = stopped.where("kind IN ('death', 'erasure')").select("person_id").distinct()
    return People(deceased, erased, contested, doubted)


def barred(who: People, stopped: DataFrame) -> DataFrame:
    """People who may not be scored: ``person_id, until`` (null: for good; a date: consents granted through it)."""
    for_good = who.deceased.unionByName(who.contested).unionByName(stopped.select("person_id")).distinct()
    return for_good.withColumn("until", F.lit(None).cast("date")).unionByName(
        who.erased.select("person_id", F.col("erased_on").alias("until"))
    )


def not_erased(rows: DataFrame, erased: DataFrame) -> DataFrame:
    """Rows but those of an erased person that were taken through the night of the erasure."""
    gone = erased.select(F.col("person_id").alias("e_person"), "erased_night")
    return rows.join(
        F.broadcast(gone),
        (F.col("person_id") == F.col("e_person")) & (F.col("night") <= F.col("erased_night")),
        "left_anti",
    )


def flagged(
    current: DataFrame,
    contract: Contract,
    verdicts: DataFrame,
    quarantine: DataFrame,
    suspended: DataFrame | None = None,
) -> DataFrame:
    """Current records with ``in_doubt, disputed, upheld``. ``suspended`` are those that a refused dispute suspends."""
    key = contract.key
    in_doubt = doubt.doubted_keys(quarantine, current, key).withColumn("in_doubt", F.lit(True))
    flags = disputes.dispute_flags(current, key, contract.feed, verdicts)
    out = current.join(flags, key, "left").join(in_doubt, key, "left")
    disputed: Column = F.coalesce("disputed", F.lit(False))
    if suspended is not None:
        mine = suspended.where(F.col("feed") == contract.feed).select(
            F.col("record_id").alias(key), "person_id", F.lit(True).alias("_suspended")
        )
        out = out.join(mine, [key, "person_id"], "left")
        disputed = disputed | F.coalesce("_suspended", F.lit(False))
    return out.withColumns(
        {
            "disputed": disputed,
            "upheld": F.coalesce("upheld", F.lit(False)),
            "in_doubt": F.coalesce("in_doubt", F.lit(False)),
        }
    )


def order_flags(records: DataFrame, accepted: DataFrame, contract: Contract, who: People) -> DataFrame:
    """ORDER_FLAGS but ``for_scores``: which records are orders, and whose."""
    feed, key = contract.feed, contract.key
    if "gone_since" not in records.columns:
        records = records.withColumn("gone_since", F.lit(None).cast("date"))
    if feed == "tax":
        ever = (
            accepted.where("status = 'final_determination'")
            .select(key)
            .distinct()
            .withColumn("_ever", F.lit(True))
        )
        records = records.join(ever, key, "left")
        is_order = F.coalesce("_ever", F.lit(False)) | F.col("gone_since").isNotNull()
        left = F.when(
            is_order & (F.col("status") != "final_determination"),
            F.when(F.col("status") == "paid", F.lit("satisfied")).otherwise(F.lit("set_aside")),
        )
    else:
        is_order = F.col("kind").isin([k for f, k in floor.REGISTERS.values() if f == feed])
        left = F.lit(None).cast("string")
    dead = who.deceased.withColumn("deceased", F.lit(True))
    contested = who.contested.withColumn("contested", F.lit(True))
    doubted = who.doubted.withColumn("_doubted", F.lit(True))
    return (
        records.join(dead, "person_id", "left")
        .join(contested, "person_id", "left")
        .join(doubted, "person_id", "left")
        .withColumns(
            {
                "in_doubt": F.col("in_doubt") | F.coalesce("_doubted", F.lit(False)),
                "is_order": is_order,
                "deceased": F.coalesce("deceased", F.lit(False)),
                "erased": F.lit(False),  # an erased person's records are gone; no shipped law keeps an order
                "contested": F.coalesce("contested", F.lit(False)),
                "left_determination": left,
            }
        )
        .drop("_ever", "_doubted")
    )


def covered(records: DataFrame, contract: Contract, consented: DataFrame) -> DataFrame:
    """Only what a live consent covers, or, for orders, its legal basis; adds ``for_scores`` to order feeds."""
    mine = consented.where(F.col("source") == contract.feed).select("person_id").distinct()
    if not contract.orders:
        return records.join(mine, "person_id", "left_semi")
    mine = mine.withColumn("for_scores", F.lit(True))
    out = records.join(mine, "person_id", "left").withColumn(
        "for_scores", F.coalesce("for_scores", F.lit(False)) & F.col("gone_since").isNull()
    )
    return out.where("for_scores OR is_order")


def without_identity(records: DataFrame, contract: Contract, more: list[str]) -> DataFrame:
    """Contract columns but the identity, the person key, where the row came from, and the flags."""
    own = [n for n in contract.names if n not in IDENTITY_NAMES]
    return records.select("person_id", *own, "file", "row_number", "night", *more)


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
    variants = rows.groupBy("person_id", "name_macs").agg(
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


def _grow_vault(night: Night, accepted: dict[str, DataFrame]) -> int:
    tonight = [f.where(F.col("night") == F.lit(night.date)) for f in accepted.values()]
    mine = {
        f: night.lake.dataset(f"accepted/{f}", v)
        for f in accepted
        if (v := night.pinned(f"accepted/{f}")) is not None
    }
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


def _lost(night: Night, contract: Contract, accepted: DataFrame, who: People) -> DataFrame | None:
    """Orders that the source no longer has, within the grace (rules/grace.py); None where it has them all."""
    before = night.pinned_before(f"conformed/{contract.feed}")
    lost = 0 if before is None else night.lake.lacking(
        f"conformed/{contract.feed}", before, f"accepted/{contract.feed}", night.pinned(f"accepted/{contract.feed}"),
        contract.key, "is_order",
    )  # fmt: skip
    if before is None or not lost:
        return None
    night.say(
        f"{contract.feed}: {lost} orders are no longer held as the source's; each stays for {contract.grace_days} "
        "nights and then leaves as source_withdrew; ask the source, or restore the lake from its backup"
    )
    frame = night.lake.frame(f"conformed/{contract.feed}", before)
    return grace.carried(frame, accepted, who.erased, contract, night.date)


def _conform_feed(
    night: Night,
    contract: Contract,
    accepted: DataFrame,
    quarantine: DataFrame,
    verdicts: DataFrame,
    suspended: DataFrame,
    consented: DataFrame,
    who: People,
) -> int:
    rows = not_erased(accepted, who.erased)
    if contract.feed == "transactions":
        touched = disputes.dispute_flags(rows, contract.key, contract.feed, verdicts).where(
            "disputed OR upheld"
        )
        of_feed = [F.col("person_id"), F.col("record_id").alias(contract.key)]
        said, doubted = (
            f.where(F.col("feed") == contract.feed).select(*of_feed) for f in (verdicts, suspended)
        )
        struck = said.join(touched, contract.key, "left_semi").unionByName(doubted).distinct()
        night.write("conformed/left_out", struck)
        left_out = F.broadcast(night.frame("conformed/left_out"))
        counts = covered(rows.join(left_out, ["person_id", contract.key], "left_anti"), contract, consented)
        pin = night.write("conformed/transactions", monthly(counts, night.date))
        return int(pin["rows"])
    current = current_versions(rows, contract)
    if contract.orders and (lost := _lost(night, contract, accepted, who)) is not None:
        current = current.unionByName(lost, allowMissingColumns=True)
    records = flagged(current, contract, verdicts, quarantine, suspended)
    more = [name for name, _, _ in RECORD_FLAGS]
    if contract.orders:
        records = order_flags(records, rows, contract, who)
        more += [name for name, _, _ in ORDER_FLAGS]
    pin = night.write(
        f"conformed/{contract.feed}", without_identity(covered(records, contract, consented), contract, more)
    )
    return int(pin["rows"])


def _own_channel(
    night: Night,
    accepted: dict[str, DataFrame],
    quarantine: dict[str, DataFrame],
    who: People,
    suspended: DataFrame,
) -> tuple[DataFrame, DataFrame]:
    """Writes conformed consents and disputes; returns the current consents and tonight's verdicts."""
    feeds = contracts()
    current = current_versions(not_erased(accepted["disputes"], who.erased), feeds["disputes"])
    said = disputes.verdicts(current, night.date, night.policy.dispute_extensions)
    plain = without_identity(
        current.join(said.select("dispute_id", "verdict", "decided_on"), "dispute_id", "left"),
        feeds["disputes"],
        ["verdict", "decided_on"],
    )
    night.write("conformed/disputes", plain)
    verdicts = night.frame("conformed/disputes").where("verdict IS NOT NULL")
    mine = flagged(
        current_versions(not_erased(accepted["consents"], who.erased), feeds["consents"]),
        feeds["consents"],
        verdicts,
        quarantine["consents"],
        suspended,
    )
    mine = night.lake.scratch("consents", mine)
    night.write(
        "conformed/consents", without_identity(mine, feeds["consents"], ["in_doubt", "disputed", "upheld"])
    )
    return mine, verdicts


def _told_once(night: Night, who: People, stopped: DataFrame) -> tuple[People, DataFrame]:
    """The same frames, evaluated once for all the feeds that ask them, and known as empty where they are."""
    frames = {**vars(who), "stopped": stopped}
    every = [f.withColumn("what", F.lit(name)) for name, f in frames.items()]
    told = night.lake.scratch(
        "people", reduce(partial(DataFrame.unionByName, allowMissingColumns=True), every)
    )
    found = tallies.values(night.lake.scratched("people"), "what")
    once = {
        name: told.where(F.col("what") == name).select(*f.columns)
        if name in found
        else spark_tables.empty(f.sparkSession, f.schema)
        for name, f in frames.items()
    }
    return People(*[once[name] for name in vars(who)]), once["stopped"]


def run(night: Night) -> dict[str, int]:
    """Conforms every feed for the night; returns the rows of each table written."""
    feeds = contracts()
    accepted = {f: night.frame(f"accepted/{f}", c.accepted_ddl()) for f, c in feeds.items()}
    quarantine = {f: night.frame(f"quarantine/{f}", QUARANTINE.ddl()) for f in feeds}
    counts = {"vault": _grow_vault(night, accepted)}
    state = feed_state(night.arrow("deliveries", DELIVERIES.arrow()), night.date)
    night.write_arrow("conformed/feeds", state)
    fresh = {r["feed"]: r["fresh"] for r in state.to_pylist()}

    stopped = doubt.stopped_people(quarantine["consents"], accepted["consents"])
    contested = doubt.contested_people(quarantine["consents"].unionByName(quarantine["disputes"]))
    who, stopped = _told_once(night, people(accepted["consents"], stopped, contested, night.date), stopped)
    suspended = doubt.suspending_disputes(quarantine["disputes"], accepted["disputes"])
    suspended = night.lake.scratch("suspended", suspended)
    mine, verdicts = _own_channel(night, accepted, quarantine, who, suspended)
    attested = consent.attested_consents(accepted["consents"], night.frame("deliveries", DELIVERIES.ddl()))
    since = allowed_since(night.policy, earlier_pairs(night.lake, night.date), night.date)
    live = consent.live_consents(
        accepted["consents"], mine, attested, barred(who, stopped), night.date, since
    )
    if not fresh["consents"]:
        night.say("consents: past its freshness, nobody is scored tonight; deliver consents")
        live = live.limit(0)
    counts["consented"] = int(night.write("conformed/consented", live)["rows"])
    consented = night.frame("conformed/consented")
    others = [f for f in feeds if f not in OWN_CHANNEL]

    def conformed(feed: str) -> int:
        return _conform_feed(
            night, feeds[feed], accepted[feed], quarantine[feed], verdicts, suspended, consented, who
        )

    counts |= dict(zip(others, side_by_side(conformed, others), strict=True))
    night.lake.clear_scratch()
    return counts
