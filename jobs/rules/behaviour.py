"""Features of payment behaviour, from sums a person and month."""

from __future__ import annotations

import datetime as dt

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.rules.dates import WINDOW_MONTHS

NEVER_LATE = 99.0
INTEREST_PARTS = (
    50  # a card's month adds more than one part in 50 (2%, about a month's interest): it was used
)


def _ratio(top: Column, bottom: Column) -> Column:
    return F.when(bottom > 0, top.cast("double") / bottom)


def _at_most_one(ratio: Column) -> Column:
    """Unlike ``least``, keeps a null."""
    return F.when(ratio > 1, F.lit(1.0)).otherwise(ratio)


def behaviour(monthly: DataFrame, night: dt.date) -> DataFrame:
    """``person_id`` and every feature of ``transactions``, one row a person with a booking in the window.

    ``monthly`` is TRANSACTIONS_MONTHLY. The window is the night's calendar month and the 12 before it. What nobody
    reported (a limit, days past due, an income) is null, never zero.
    """
    age = F.lit(12 * night.year + night.month) - (12 * F.year("month") + F.month("month"))
    order = Window.partitionBy("person_id").orderBy("month")
    rows = (
        monthly.withColumn("age", age)
        .where(F.col("age").between(0, WINDOW_MONTHS))
        .withColumn(
            "next_repaid",  # null where the next month has no booking
            F.when(F.lead("age").over(order) == F.col("age") - 1, F.lead("card_repayment_minor").over(order)),
        )
        .withColumn(
            "owed_before",  # null without card statements both months
            F.when(
                (F.lag("age").over(order) == F.col("age") + 1)
                & (F.lag("statements").over(order) > 0)
                & (F.col("statements") > 0),
                F.lag("statement_minor").over(order),
            ),
        )
    )
    late = F.col("max_days_past_due") > 0
    reported = F.sum("days_past_due_reports") > 0
    recent, earlier, half = F.col("age") <= 3, F.col("age").between(4, 6), F.col("age").between(1, 6)

    def total(name: str, where: Column | None = None) -> Column:
        value = F.col(name) if where is None else F.when(where, F.col(name))
        return F.coalesce(F.sum(value), F.lit(0))

    def used(where: Column) -> Column:
        return _ratio(total("limited_statement_minor", where), total("credit_limit_minor", where))

    missed = (
        (F.col("statement_minor") > 0)
        & (F.col("card_repayment_minor") == 0)
        & (F.col("next_repaid") == 0)  # silence is no missed repayment
        & (F.col("age") >= 2)  # the month after is over
    )
    owing = F.when((F.col("statement_minor") > 0) & (F.col("age") >= 2), F.col("statement_minor"))
    past = F.col("age") >= 1  # of the night's month, the statement may be there and its repayment not yet
    asked = F.count_if(past & (F.col("statements") > 0))
    added = F.col("statement_minor") + F.col("card_repayment_minor") - F.col("owed_before")
    compared = past & F.col("owed_before").isNotNull()
    card_used = compared & (INTEREST_PARTS * added > F.col("owed_before"))
    with_limit = recent & (F.col("credit_limit_minor") > 0)
    unused = total("credit_limit_minor", with_limit) - total("limited_statement_minor", with_limit)
    income = total("income_minor", half)
    last_late = F.min(F.when(late, F.col("age")))
    return rows.groupBy("person_id").agg(
        F.count("*").cast("double").alias("months_active"),
        F.when(reported, F.count_if(late)).cast("double").alias("months_late"),
        F.when(reported, F.coalesce(last_late.cast("double"), F.lit(NEVER_LATE))).alias("months_since_late"),
        F.max("max_days_past_due").cast("double").alias("max_days_past_due"),
        F.max_by("max_days_past_due", F.when(F.col("days_past_due_reports") > 0, F.col("month")))
        .cast("double")
        .alias("days_past_due_latest"),
        used(recent).alias("utilisation"),
        (used(recent) - used(earlier)).alias("utilisation_trend"),
        _ratio(F.count_if(card_used), F.count_if(compared)).alias("card_use_months_share"),
        _at_most_one(_ratio(total("card_repayment_minor"), total("statement_minor"))).alias("repaid_share"),
        _ratio(F.greatest(unused, F.lit(0)), F.count_if(with_limit)).alias("unused_limit_minor"),
        _at_most_one(F.min(_ratio(F.col("next_repaid"), owing))).alias("least_repaid_share"),
        _at_most_one(_ratio(F.count_if(past & (F.col("card_repayment_minor") > 0)), asked)).alias(
            "repaid_months_share"
        ),
        _ratio(total("card_repayment_minor", past), asked).alias("repaid_monthly_minor"),
        F.when(F.sum("statements") > 0, F.count_if(missed)).cast("double").alias("missed_repayments"),
        _ratio(income, F.count_if(half & (F.col("income_minor") > 0))).alias("income_monthly_minor"),
        F.nullif(F.count_if(F.col("income_minor") > 0), F.lit(0)).cast("double").alias("income_months"),
        F.when(total("housing_minor", half) > 0, _ratio(total("housing_minor", half), income)).alias(
            "housing_to_income"
        ),
        _ratio(total("loan_repayment_minor", half), income).alias("loans_to_income"),
        F.sum("overdraft_fees").cast("double").alias("overdraft_fees"),
        F.sum("returned_payments").cast("double").alias("returned_payments"),
        _ratio(total("cash_withdrawal_minor"), total("outgoing_minor")).alias("cash_share"),
    )
