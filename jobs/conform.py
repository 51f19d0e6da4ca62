"""conform: the current version of each record, a person key in place of identity, and only what may be read.

Consent is applied here and nowhere else; disputes, doubt, erasures and deaths become flags or absence.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import partial, reduce

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.lake import spark_tables, tallies
from jobs.lake.ask import NO_KEYS
from jobs.lake.night import Night
from jobs.lake.scorecards import earlier_pairs
from jobs.lake.touched import touched
from jobs.retention import refused_rows
from jobs.rules import consent, disputes, doubt, floor, grace, versions
from jobs.rules.months import monthly, that_count
from jobs.rules.policy import allowed_since
from jobs.side_by_side import side_by_side
from schemas.contract import IDENTITY_NAMES, Contract, contracts
from schemas.tables import DELIVERIES, FEED_STATE, ORDER_FLAGS, RECORD_FLAGS

# The person's own declarations; every other feed is data about the person.
OWN_CHANNEL = ("consents", "disputes")
DISPUTED_IN_SCORES = ("tax", "court", "traffic")
# What every revision of a record says together (rules/versions.py), by feed: type and SQL of further columns.
DETERMINED = {
    "determined": ("BOOLEAN", "bool_or(status = 'final_determination')")
}  # a tax debt stays an order
OF_ALL_REVISIONS = {"consents": consent.OF_ALL_REVISIONS, "tax": DETERMINED}


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
    fresh = {feed: contract.is_fresh(last.get(feed), night) for feed, contract in contracts().items()}
    rows = [
        {
            "feed": f,
            "last_good_on": last.get(f),
            "fresh": ok and (fresh["disputes"] or f not in DISPUTED_IN_SCORES),
        }
        for f, ok in fresh.items()
    ]
    return pa.Table.from_pylist(rows, schema=FEED_STATE.arrow())


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
    """Rows but those of an erased person that were taken through the night of the erasure.

    After the current versions are told: an older version of a record, of another person, is never current again.
    """
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


def order_flags(records: DataFrame, contract: Contract, who: People) -> DataFrame:
    """ORDER_FLAGS but ``for_scores``: which records are orders, and whose. Those of ``tax`` have DETERMINED."""
    feed = contract.feed
    if "gone_since" not in records.columns:
        records = records.withColumn("gone_since", F.lit(None).cast("date"))
    if feed == "tax":
        is_order = F.coalesce("determined", F.lit(False)) | F.col("gone_since").isNotNull()
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
        .drop("determined", "_doubted")
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


def _lost(night: Night, contract: Contract, current: DataFrame, who: People) -> DataFrame | None:
    """Orders that the source no longer has, within the grace (rules/grace.py); None where it has them all."""
    table = f"conformed/{contract.feed}"
    before = night.pinned_before(table)
    if before is None or night.touched is not None:  # a night that touches some people has lost no order
        return None
    has = night.dataset(f"accepted/{contract.feed}")
    lost = tallies.lacking(night.lake.dataset(table, before), has, contract.key, "is_order")
    if not lost:
        return None
    night.say(
        f"{contract.feed}: {lost} orders are no longer held as the source's; each stays for {contract.grace_days} "
        "nights and then leaves as source_withdrew; ask the source, or restore the lake from its backup"
    )
    return grace.carried(night.lake.frame(table, before), current, who.erased, contract, night.date)


def _left_out(
    night: Night, contract: Contract, verdicts: DataFrame, suspended: DataFrame, who: People
) -> None:
    """Writes the bookings that a dispute suspends or has struck."""
    disputed = night.among(
        f"accepted/{contract.feed}",
        f"{contract.key} IN (SELECT record_id FROM keys WHERE feed = '{contract.feed}')",
        night.dataset("conformed/disputes"),
        [contract.key, "person_id", "night"],
        contract.accepted_ddl(),
        "disputed-bookings",
    )
    rows = not_erased(disputed, who.erased)
    touched = disputes.dispute_flags(rows, contract.key, contract.feed, verdicts).where("disputed OR upheld")
    of_feed = [F.col("person_id"), F.col("record_id").alias(contract.key)]
    said, doubted = (f.where(F.col("feed") == contract.feed).select(*of_feed) for f in (verdicts, suspended))
    struck = said.join(touched, contract.key, "left_semi").unionByName(doubted).distinct()
    night.write("conformed/left_out", struck)


def _fold(night: Night, contract: Contract) -> None:
    """Keeps the months' sums of the bookings that count, for features alone, which computes nobody else tonight."""
    tables = {
        "bookings": night.rows(f"accepted/{contract.feed}", contract.accepted_schema()),
        "consented": night.dataset("conformed/consented"),
        "left_out": night.dataset("conformed/left_out"),
        "erased": night.lake.scratched("people").filter(pc.field("what") == "erased"),
    }
    if night.touched is not None:
        tables["touched"] = night.touched
    sums = monthly(that_count("touched" in tables), night.date)
    night.lake.answer_work(night.date, contract.feed, sums, tables)


def _conform_feed(
    night: Night,
    contract: Contract,
    quarantine: DataFrame,
    verdicts: DataFrame,
    suspended: DataFrame,
    consented: DataFrame,
    who: People,
) -> int:
    newest = _current(night, contract)
    current = not_erased(newest, who.erased)
    if contract.orders and (lost := _lost(night, contract, newest, who)) is not None:
        current = current.unionByName(lost, allowMissingColumns=True)
    records = flagged(current, contract, verdicts, quarantine, suspended)
    more = [name for name, _, _ in RECORD_FLAGS]
    if contract.orders:
        records = order_flags(records, contract, who)
        more += [name for name, _, _ in ORDER_FLAGS]
    kept = without_identity(covered(night.only_touched(records), contract, consented), contract, more)
    return int(night.write_touched(f"conformed/{contract.feed}", kept)["rows"])


def _disputes(night: Night, who: People) -> DataFrame:
    """Writes conformed disputes, everybody's; returns tonight's verdicts."""
    contract = contracts()["disputes"]
    current = not_erased(_current(night, contract), who.erased)
    said = disputes.verdicts(current, night.date, night.policy.dispute_extensions)
    told = current.join(said.select("dispute_id", "verdict", "decided_on"), "dispute_id", "left")
    night.write("conformed/disputes", without_identity(told, contract, ["verdict", "decided_on"]))
    return night.frame("conformed/disputes").where("verdict IS NOT NULL")


def _consents(
    night: Night,
    quarantine: DataFrame,
    who: People,
    verdicts: DataFrame,
    suspended: DataFrame,
) -> DataFrame:
    """Writes conformed consents; returns the current ones, with the birth date and OF_ALL_REVISIONS."""
    contract = contracts()["consents"]
    current = not_erased(_current(night, contract), who.erased)
    mine = night.only_touched(flagged(current, contract, verdicts, quarantine, suspended))
    plain = without_identity(mine, contract, [name for name, _, _ in RECORD_FLAGS])
    night.write_touched("conformed/consents", plain)
    return mine


def _current(night: Night, contract: Contract) -> DataFrame:
    """The current version of each record of the people to compute, with OF_ALL_REVISIONS of the feed; no identity."""
    table, key, more = f"accepted/{contract.feed}", contract.key, OF_ALL_REVISIONS.get(contract.feed, {})
    names = [n for n in contract.names if n not in IDENTITY_NAMES]
    if contract.feed == "consents":
        names.append("birth_date")  # nobody under age is scored
    names += ["person_id", "file", "row_number", "night"]
    made = "".join(f", {name} {kind}" for name, (kind, _) in more.items())
    nothing = night.lake.empty(contract.accepted_ddl() + made).select(*names, *more)
    if night.pinned(table) is None:
        return nothing
    rows, tables = "data", {"data": night.rows(table, contract.accepted_schema())}
    if night.touched is not None:
        # of a record that was another's before every version
        mine = f"{key} IN (SELECT {key} FROM data SEMI JOIN keys USING (person_id))"
        rows = f"(FROM data WHERE person_id IN (SELECT person_id FROM keys) OR {mine})"
        tables["keys"] = night.touched
    if contract.feed == "consents":
        rows = consent.attested(rows)
        tables["deliveries"] = night.arrow("deliveries", DELIVERIES.arrow())
    sql = versions.current(contract, names, rows, more)
    found = night.lake.answer(f"current-{contract.feed}", sql, tables, nothing.schema)
    return nothing if found is None else found


def _declared(night: Night, contract: Contract) -> DataFrame:
    """Every accepted declaration that is no consent, every revision."""
    columns = ["person_id", "consent_id", "kind", "purpose", "source", "recipient", "granted_on", "night"]
    return night.among(
        f"accepted/{contract.feed}",
        "kind <> 'consent'",
        NO_KEYS,
        columns,
        contract.accepted_ddl(),
        "declared",
    )


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
    night.touch(None)
    quarantine = {f: refused_rows(night, f) for f in feeds}
    counts = dict[str, int]()
    state = feed_state(night.arrow("deliveries", DELIVERIES.arrow()), night.date)
    night.write_arrow("conformed/feeds", state)
    fresh = {r["feed"]: r["fresh"] for r in state.to_pylist()}

    declared = _declared(night, feeds["consents"])
    stopped = doubt.stopped_people(quarantine["consents"], declared)
    contested = doubt.contested_people(quarantine["consents"].unionByName(quarantine["disputes"]))
    who, stopped = _told_once(night, people(declared, stopped, contested, night.date), stopped)
    said = night.frame("accepted/disputes", feeds["disputes"].accepted_ddl())
    suspended = night.lake.scratch("suspended", doubt.suspending_disputes(quarantine["disputes"], said))
    verdicts = _disputes(night, who)
    night.touch(touched(night))
    if night.touched is not None:
        counts["touched"] = night.touched.num_rows
    mine = _consents(night, quarantine["consents"], who, verdicts, suspended)
    withdrawals = declared.where("kind = 'withdrawal'")
    since = allowed_since(night.policy, earlier_pairs(night.lake, night.date), night.date)
    live = consent.live_consents(mine, withdrawals, barred(who, stopped), night.date, since)
    if not fresh["consents"]:
        night.say("consents: past its freshness, nobody is scored tonight; deliver consents")
        live = live.limit(0)
    counts["consented"] = int(night.write_touched("conformed/consented", live)["rows"])
    consented = night.touched_frame("conformed/consented")
    others = [f for f in feeds if f not in OWN_CHANNEL]

    def conformed(feed: str) -> int:
        if feed == "transactions":
            _left_out(night, feeds[feed], verdicts, suspended, who)
            _fold(night, feeds[feed])
            return 0
        return _conform_feed(night, feeds[feed], quarantine[feed], verdicts, suspended, consented, who)

    counts |= dict(zip(others, side_by_side(conformed, others), strict=True))
    night.lake.clear_scratch()
    return counts
