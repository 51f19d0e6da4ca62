"""What is kept of bank transactions: sums and counts a month (RULES, \"Dates\")."""

from __future__ import annotations

import datetime as dt

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.rules import floor
from jobs.rules.dates import WINDOW_MONTHS, months_back


def monthly(transactions: DataFrame, night: dt.date) -> DataFrame:
    """TRANSACTIONS_MONTHLY from transactions that count, seven years through the day before (RULES, "Dates").

    All that was booked before the window of :mod:`jobs.rules.behaviour` is one month, the last before it: what
    counts of it is that there is some.
    """
    amount, category = F.col("amount_minor"), F.col("category")

    def paid(*categories: str) -> Column:
        return F.coalesce(F.sum(F.when(category.isin(*categories) & (amount < 0), -amount)), F.lit(0))

    def counted(*categories: str) -> Column:
        return F.count(F.when(category.isin(*categories), 1))

    statement = category == "card_statement"
    owed = F.greatest(-amount, F.lit(0))
    limited = statement & F.col("credit_limit_minor").isNotNull()
    income = category.isin("salary", "benefit", "pension") & (amount > 0)
    recent = F.add_months("booked_on", 12 * floor.LONGEST["transactions_score_years"]) > F.lit(night)
    month = F.greatest(F.trunc("booked_on", "month"), F.lit(months_back(night, WINDOW_MONTHS + 1)))
    return (
        transactions.where(recent)
        .groupBy("person_id", month.alias("month"))
        .agg(
            F.count("*").alias("transactions"),
            F.coalesce(F.sum(F.when(income, amount)), F.lit(0)).alias("income_minor"),
            paid("rent", "mortgage").alias("housing_minor"),
            paid("loan_repayment").alias("loan_repayment_minor"),
            F.coalesce(F.sum(F.when(category == "card_repayment", F.abs(amount))), F.lit(0)).alias(
                "card_repayment_minor"
            ),
            F.coalesce(F.sum(F.when(statement, owed)), F.lit(0)).alias("statement_minor"),
            counted("card_statement").alias("statements"),
            F.coalesce(F.sum(F.when(limited, F.col("credit_limit_minor"))), F.lit(0)).alias(
                "credit_limit_minor"
            ),
            F.coalesce(F.sum(F.when(limited, owed)), F.lit(0)).alias("limited_statement_minor"),
            F.max("days_past_due").alias("max_days_past_due"),
            F.count("days_past_due").alias("days_past_due_reports"),
            counted("overdraft_fee").alias("overdraft_fees"),
            counted("returned_payment").alias("returned_payments"),
            paid("cash_withdrawal").alias("cash_withdrawal_minor"),
            F.coalesce(F.sum(F.when(~statement & (amount < 0), -amount)), F.lit(0)).alias("outgoing_minor"),
            F.min("balance_after_minor").alias("min_balance_minor"),
            F.max("booked_on").alias("last_booked_on"),
        )
    )
