"""What is kept of bank transactions: sums and counts a month, as SQL (RULES, "Dates")."""

from __future__ import annotations

import datetime as dt

from jobs.rules import floor
from jobs.rules.dates import WINDOW_MONTHS, months_back
from schemas.tables import TRANSACTIONS_MONTHLY

INCOME = "category IN ('salary', 'benefit', 'pension') AND amount_minor > 0"
STATEMENT = "category = 'card_statement'"
LIMITED = f"{STATEMENT} AND credit_limit_minor IS NOT NULL"
OWED = "greatest(-amount_minor, 0)"


def _sum(value: str, where: str) -> str:
    return f"coalesce(sum({value}) FILTER ({where}), 0)"


def _paid(*categories: str) -> str:
    named = ", ".join(f"'{c}'" for c in categories)
    return _sum("-amount_minor", f"category IN ({named}) AND amount_minor < 0")


def _counted(category: str) -> str:
    return f"count(*) FILTER (category = '{category}')"


SUMS = {
    "transactions": "count(*)",
    "income_minor": _sum("amount_minor", INCOME),
    "housing_minor": _paid("rent", "mortgage"),
    "loan_repayment_minor": _paid("loan_repayment"),
    "card_repayment_minor": _sum("abs(amount_minor)", "category = 'card_repayment'"),
    "statement_minor": _sum(OWED, STATEMENT),
    "statements": _counted("card_statement"),
    "credit_limit_minor": _sum("credit_limit_minor", LIMITED),
    "limited_statement_minor": _sum(OWED, LIMITED),
    "max_days_past_due": "max(days_past_due)",
    "days_past_due_reports": "count(days_past_due)",
    "overdraft_fees": _counted("overdraft_fee"),
    "returned_payments": _counted("returned_payment"),
    "cash_withdrawal_minor": _paid("cash_withdrawal"),
    "outgoing_minor": _sum("-amount_minor", f"NOT ({STATEMENT}) AND amount_minor < 0"),
    "min_balance_minor": "min(balance_after_minor)",
    "last_booked_on": "max(booked_on)",
}


def monthly(transactions: str, night: dt.date) -> str:
    """TRANSACTIONS_MONTHLY of transactions that count (a FROM clause), seven years through the day before (RULES,
    "Dates").

    All that was booked before the window of :mod:`jobs.rules.behaviour` is one month, the last before it: what
    counts of it is that there is some.
    """
    kinds = {name: kind for name, kind, _ in TRANSACTIONS_MONTHLY.columns}
    sums = ", ".join(f"CAST({sql} AS {kinds[name]}) AS {name}" for name, sql in SUMS.items())
    first = months_back(night, WINDOW_MONTHS + 1)
    # to_months and not a count of days: the anniversary of 29 February is 28 February
    recent = f"booked_on + to_months({12 * floor.LONGEST['transactions_score_years']}) > DATE '{night}'"
    return (
        f"SELECT person_id, greatest(date_trunc('month', booked_on)::DATE, DATE '{first}') AS month, {sums} "
        f"FROM {transactions} t WHERE {recent} GROUP BY ALL"
    )


def that_count(touched: bool) -> str:
    """FROM clause of the ``bookings`` (accepted rows) that count tonight.

    Those of people of whom ``consented`` has a live consent for them (with ``touched``, of these people alone), but
    those ``left_out`` and those that an ``erased`` person's erasure has taken.
    """
    mine = " SEMI JOIN touched USING (person_id)" if touched else ""
    return (
        f"(FROM bookings b{mine} SEMI JOIN (SELECT person_id FROM consented WHERE source = 'transactions') USING "
        "(person_id) ANTI JOIN left_out USING (person_id, transaction_id) "
        "ANTI JOIN erased e ON b.person_id = e.person_id AND b.night <= e.erased_night)"
    )
