"""registers: the state of each order tonight, whether it is listed, since when, and why it left (DESIGN 6)."""

from __future__ import annotations

import datetime as dt

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.lake.night import Night
from jobs.rules.lifecycle import cause_of, states
from jobs.rules.policy import Policy, Register
from schemas.contract import contracts
from schemas.tables import REGISTERS


def of_register(
    orders: DataFrame, register: Register, fresh: bool, previous: DataFrame, night: dt.date
) -> DataFrame:
    """REGISTERS rows of one register: ``orders`` are its feed's conformed records that are orders of its kind.

    An order that would be in force is ``in_doubt`` instead where the person is deceased, the id is contested, or
    the feed is past its freshness and the order was not listed before: nobody is added on what may be out of date.
    An order that is another person's now begins anew for that person, and leaves the former as a correction.
    """
    key = contracts()[register.feed].key
    before = previous.where(F.col("register") == register.name).select(
        F.col("record_id").alias("p_record"),
        F.col("person_id").alias("p_person"),
        F.col("listed").alias("p_listed"),
        F.col("since").alias("p_since"),
        F.col("cause").alias("p_cause"),
    )
    rows = states(orders, register, night).join(before, F.col(key) == F.col("p_record"), "left")
    same = F.coalesce(F.col("p_person") == F.col("person_id"), F.lit(False))
    was = same & F.col("p_listed")
    barred = F.col("deceased") | F.col("contested") | (F.lit(not fresh) & ~was)
    state = F.when((F.col("state") == "in_force") & barred, F.lit("in_doubt")).otherwise(F.col("state"))
    cause = (
        F.when(F.col("deceased"), F.lit("deceased"))
        .when(~same, F.lit("correction"))
        .otherwise(cause_of("state"))
    )
    left = F.coalesce(F.col("p_listed") | F.col("p_cause").isNotNull(), F.lit(False))
    rows = rows.withColumn("state", state).withColumn("listed", F.col("state") == "in_force")
    return rows.select(
        F.lit(register.name).alias("register"),
        F.lit(register.feed).alias("feed"),
        F.col(key).alias("record_id"),
        "person_id",
        F.lit(register.recipient).alias("recipient"),
        "state",
        "listed",
        F.when(same & (F.col("p_listed") == F.col("listed")), F.col("p_since"))
        .otherwise(F.lit(night))
        .alias("since"),
        F.when(~F.col("listed") & left, cause).alias("cause"),
    ).select(*REGISTERS.names)


def orders_of(records: DataFrame, register: Register) -> DataFrame:
    """The records of a feed that are orders of a register's kind."""
    orders = records.where("is_order")
    return orders if register.feed == "tax" else orders.where(F.col("kind") == register.kind)


def gone(tonight: DataFrame, previous: DataFrame, erased: DataFrame, night: dt.date) -> DataFrame:
    """REGISTERS rows of entries listed before whose order is no longer held: one more night, so that they are removed.

    ``erased`` is ``person_id``. The cause is ``erasure``, ``correction`` where the order is in another register now, or
    ``source_withdrew``.
    """
    now = tonight.select("register", "record_id")
    elsewhere = tonight.select("feed", "record_id").distinct().withColumn("_moved", F.lit(True))
    return (
        previous.where("listed")
        .join(now, ["register", "record_id"], "left_anti")
        .join(erased.distinct().withColumn("_erased", F.lit(True)), "person_id", "left")
        .join(elsewhere, ["feed", "record_id"], "left")
        .withColumns(
            {
                "state": F.lit("incomplete"),
                "listed": F.lit(False),
                "since": F.lit(night),
                "cause": F.when(F.col("_erased"), F.lit("erasure"))
                .when(F.col("_moved"), F.lit("correction"))
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
) -> DataFrame:
    """REGISTERS of the night from the conformed records of each order feed."""
    out = None
    for register in policy.registers.values():
        orders = orders_of(records[register.feed], register)
        part = of_register(orders, register, bool(fresh.get(register.feed)), previous, night)
        out = part if out is None else out.unionByName(part)
    if out is None:
        return previous.limit(0)
    # of a register that the policy does not name any more nothing may be sent, and nothing is kept
    known = previous.where(F.col("register").isin(*policy.registers))
    return out.unionByName(gone(out, known, erased, night))


def run(night: Night) -> dict[str, int]:
    """Writes the night's registers; returns how many orders and entries there are."""
    fresh = {r["feed"]: bool(r["fresh"]) for r in night.frame("conformed/feeds").collect()}  # one row a feed
    records = {f: night.frame(f"conformed/{f}") for f in ("court", "tax", "traffic")}
    consents = night.frame("accepted/consents", contracts()["consents"].accepted_ddl())
    erased = consents.where("kind = 'erasure'").select("person_id")
    previous = night.frame_before("registers", REGISTERS.ddl())
    pin = night.write("registers", registers(records, fresh, previous, erased, night.policy, night.date))
    return {"orders": int(pin["rows"]), "listed": night.frame("registers").where("listed").count()}
