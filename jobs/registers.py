"""registers: the state of each order tonight, whether it is listed, since when, and why it left (DESIGN 6)."""

from __future__ import annotations

import datetime as dt
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.lake.night import Night
from jobs.rules.lifecycle import cause_of, states
from jobs.rules.policy import Policy, Register
from schemas.contract import contracts
from schemas.tables import REGISTERS


def judged(orders: DataFrame, register: Register, fresh: bool | Column, night: dt.date | Column) -> DataFrame:
    """The orders of one register as they are tonight, whatever the night before; one row an order.

    Columns ``register, feed, record_id, person_id, recipient, state``; ``barred``: the person is deceased or the id
    contested; ``deceased``; ``late``: the feed is past its freshness.
    """
    return states(orders, register, night).select(
        F.lit(register.name).alias("register"),
        F.lit(register.feed).alias("feed"),
        F.col(contracts()[register.feed].key).alias("record_id"),
        "person_id",
        F.lit(register.recipient).alias("recipient"),
        "state",
        (F.col("deceased") | F.col("contested")).alias("barred"),
        "deceased",
        (~F.lit(fresh)).alias("late"),
    )


def dated(orders: DataFrame, previous: DataFrame, night: dt.date) -> DataFrame:
    """REGISTERS rows of ``orders`` (as :func:`judged` gives them) after the night before.

    An order that would be in force is ``in_doubt`` instead where the person is deceased, the id is contested, or
    the feed is past its freshness and the order was not listed before: nobody is added on what may be out of date.
    An order that is another person's now begins anew for that person, and leaves the former as a correction.
    """
    before = previous.select(
        F.col("register").alias("p_register"),
        F.col("record_id").alias("p_record"),
        F.col("person_id").alias("p_person"),
        F.col("listed").alias("p_listed"),
        F.col("since").alias("p_since"),
        F.col("cause").alias("p_cause"),
    )
    known = (F.col("register") == F.col("p_register")) & (F.col("record_id") == F.col("p_record"))
    rows = orders.join(before, known, "left")
    same = F.coalesce(F.col("p_person") == F.col("person_id"), F.lit(False))
    barred = F.col("barred") | (F.col("late") & ~(same & F.col("p_listed")))
    state = F.when((F.col("state") == "in_force") & barred, F.lit("in_doubt")).otherwise(F.col("state"))
    cause = (
        F.when(F.col("deceased"), F.lit("deceased"))
        .when(~same, F.lit("correction"))
        .otherwise(cause_of("state"))
    )
    left = F.coalesce(F.col("p_listed") | F.col("p_cause").isNotNull(), F.lit(False))
    rows = rows.withColumn("state", state).withColumn("listed", F.col("state") == "in_force")
    return rows.withColumns(
        {
            "since": F.when(same & (F.col("p_listed") == F.col("listed")), F.col("p_since")).otherwise(
                F.lit(night)
            ),
            "cause": F.when(~F.col("listed") & left, cause),
        }
    ).select(*REGISTERS.names)


def of_register(
    orders: DataFrame, register: Register, fresh: bool, previous: DataFrame, night: dt.date
) -> DataFrame:
    """REGISTERS rows of one register: ``orders`` are its feed's conformed records that are orders of its kind."""
    return dated(judged(orders, register, fresh, night), previous, night)


def orders_of(records: DataFrame, register: Register) -> DataFrame:
    """The records of a feed that are orders of a register's kind."""
    orders = records.where("is_order")
    return orders if register.feed == "tax" else orders.where(F.col("kind") == register.kind)


def gone(
    tonight: DataFrame,
    previous: DataFrame,
    erased: DataFrame,
    night: dt.date,
    accepted: DataFrame | None = None,
) -> DataFrame:
    """REGISTERS rows of entries listed before whose order is no longer held: one more night, so that they are removed.

    ``erased`` is ``person_id``; ``accepted`` are ``feed, record_id`` of what the sources have. The cause is
    ``erasure``; ``correction`` where the order is in another register or is none any more; else ``source_withdrew``.
    """
    now = tonight.select("register", "record_id")
    other = tonight.select("feed", "record_id")
    if accepted is not None:
        other = other.unionByName(accepted.select("feed", "record_id"))
    out = (
        previous.where("listed")
        .join(now, ["register", "record_id"], "left_anti")
        .join(erased.distinct().withColumn("_erased", F.lit(True)), "person_id", "left")
    )
    # the few that left decide how much of the many is read
    known = other.join(F.broadcast(out.select("feed", "record_id")), ["feed", "record_id"], "left_semi")
    return (
        out.join(known.distinct().withColumn("_corrected", F.lit(True)), ["feed", "record_id"], "left")
        .withColumns(
            {
                "state": F.lit("incomplete"),
                "listed": F.lit(False),
                "since": F.lit(night),
                "cause": F.when(F.col("_erased"), F.lit("erasure"))
                .when(F.col("_corrected"), F.lit("correction"))
                .otherwise(F.lit("source_withdrew")),
            }
        )
        .select(*REGISTERS.names)
    )


def registers(
    records: dict[str, DataFrame],
    fresh: dict[str, bool],
    previous: DataFrame,
    erased: DataFrame,
    policy: Policy,
    night: dt.date,
    accepted: DataFrame | None = None,
) -> DataFrame:
    """REGISTERS of the night from the conformed records of each order feed; ``accepted`` as :func:`gone` takes it."""
    parts = [
        judged(orders_of(records[r.feed], r), r, bool(fresh.get(r.feed)), night)
        for r in policy.registers.values()
    ]
    if not parts:
        return previous.limit(0)
    # of a register that the policy does not name any more nothing may be sent, and nothing is kept
    known = previous.where(F.col("register").isin(*policy.registers))
    out = dated(reduce(DataFrame.unionByName, parts), known, night)
    return out.unionByName(gone(out, known, erased, night, accepted))


def run(night: Night) -> dict[str, int]:
    """Writes the night's registers; returns how many orders and entries there are."""
    fresh = {r["feed"]: bool(r["fresh"]) for r in night.frame("conformed/feeds").collect()}  # one row a feed
    records = {f: night.frame(f"conformed/{f}") for f in ("court", "tax", "traffic")}
    consents = night.frame("accepted/consents", contracts()["consents"].accepted_ddl())
    erased = consents.where("kind = 'erasure'").select("person_id")
    previous = night.frame_before("registers", REGISTERS.ddl())
    held = [
        night.frame(f"accepted/{f}", contracts()[f].accepted_ddl()).select(
            F.lit(f).alias("feed"), F.col(contracts()[f].key).alias("record_id")
        )
        for f in records
    ]
    out = registers(
        records,
        fresh,
        previous,
        erased,
        night.policy,
        night.date,
        reduce(DataFrame.unionByName, held),
    )
    pin = night.write("registers", out)
    return {"orders": int(pin["rows"]), "listed": night.frame("registers").where("listed").count()}
