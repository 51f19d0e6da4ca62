"""The state of an order on a night (RULES, "Orders"): the first that matches; only ``in_force`` is listed."""

from __future__ import annotations

import datetime as dt

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.rules import counting
from jobs.rules.policy import Register

STATES = (
    "set_aside",
    "satisfied",
    "expired",
    "incomplete",
    "in_doubt",
    "disputed",
    "stayed",
    "appealed",
    "unserved",
    "objection_open",
    "in_force",
)
# Why an entry leaves when its order comes into a state; every other state: a correction.
CAUSES = {
    "set_aside": "set_aside",
    "satisfied": "satisfied",
    "expired": "expiry",
    "disputed": "dispute",
    "stayed": "stay",
    "appealed": "appeal",
}
MONEY = ("judgment_debts", "tax_debts")
LIMITED = ("director_disqualifications", "procurement_debarments", "driving_disqualifications")


def statute_end(register: Register) -> Column:
    """Last day of the statute: the day before the n-th anniversary of ``ordered_on``."""
    return F.date_sub(F.add_months("ordered_on", 12 * register.statute_years), 1)


def states(orders: DataFrame, register: Register, night: dt.date | Column) -> DataFrame:
    """``orders`` (conformed, of one register) with ``state`` and ``until`` (last day in force).

    ``night`` may be a column of dates, so that one frame holds many nights.
    """
    d = F.lit(night)
    needs = F.lit(True)
    paid = counting.satisfied(night)
    if register.name in MONEY:
        needs = F.col("debt_minor").isNotNull()
        paid = paid | F.coalesce(F.col("debt_minor") <= 0, F.lit(False))
    elif register.name in LIMITED:
        needs = F.col("expires_on").isNotNull()
    until = F.least("expires_on", statute_end(register))
    conditions = {
        "set_aside": counting.set_aside(night),
        "satisfied": paid,
        "expired": F.coalesce(until < d, F.lit(False)),
        "incomplete": ~counting.complete(register.authorities, needs),
        "in_doubt": F.col("in_doubt"),
        "disputed": F.col("disputed"),
        "stayed": counting.stayed(night),
        "appealed": counting.appealed(night),
        "unserved": F.coalesce(F.col("served_on") > d, F.lit(True)),
        "objection_open": F.coalesce(F.col("objection_until") >= d, F.lit(True)),
    }
    state = F.when(conditions["set_aside"], F.lit("set_aside"))
    for name in STATES[1:-1]:
        state = state.when(conditions[name], F.lit(name))
    return orders.withColumns({"state": state.otherwise(F.lit("in_force")), "until": until})


def cause_of(state: str) -> Column:
    """The cause of a removal, from a column that holds the state."""
    out = F.lit("correction")
    for name, cause in CAUSES.items():
        out = F.when(F.col(state) == name, F.lit(cause)).otherwise(out)
    return out
