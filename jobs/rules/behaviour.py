"""Features of payment behaviour, from sums a person and month, as SQL."""

from __future__ import annotations

import datetime as dt

from jobs.rules.dates import WINDOW_MONTHS

NEVER_LATE = 99
# a card's month adds more than one part in 50 (2%, about a month's interest): it was used
INTEREST_PARTS = 50


def _ratio(top: str, bottom: str) -> str:
    """Null where there is nothing to share."""
    return f"CASE WHEN {bottom} > 0 THEN CAST({top} AS DOUBLE) / {bottom} END"


def _at_most_one(ratio: str) -> str:
    """Unlike ``least``, keeps a null."""
    return f"CASE WHEN {ratio} > 1 THEN 1 ELSE {ratio} END"


def _total(value: str, where: str = "true") -> str:
    return f"coalesce(sum({value}) FILTER ({where}), 0)"


def _months(where: str) -> str:
    return f"count(*) FILTER ({where})"


def _used(where: str) -> str:
    return _ratio(_total("limited_statement_minor", where), _total("credit_limit_minor", where))


# Conditions on a month by its ``age``: 0 is the night's, of which the statement may be there and its repayment not yet.
RECENT, EARLIER, HALF, PAST = "age <= 3", "age BETWEEN 4 AND 6", "age BETWEEN 1 AND 6", "age >= 1"
FOLLOWED = "age >= 2"  # the month after is over
LATE = "max_days_past_due > 0"
REPORTED = "sum(days_past_due_reports) > 0"
ASKED = _months(f"{PAST} AND statements > 0")
WITH_LIMIT = f"{RECENT} AND credit_limit_minor > 0"
UNUSED = f"greatest({_total('credit_limit_minor - limited_statement_minor', WITH_LIMIT)}, 0)"
COMPARED = f"{PAST} AND owed_before IS NOT NULL"
ADDED = "(statement_minor + card_repayment_minor - owed_before)"
# silence is no missed repayment
MISSED = f"statement_minor > 0 AND card_repayment_minor = 0 AND next_repaid = 0 AND {FOLLOWED}"
INCOME, HOUSING = _total("income_minor", HALF), _total("housing_minor", HALF)

FEATURES = {
    "months_active": "count(*)",
    "months_late": f"CASE WHEN {REPORTED} THEN {_months(LATE)} END",
    "months_since_late": f"CASE WHEN {REPORTED} THEN coalesce(min(age) FILTER ({LATE}), {NEVER_LATE}) END",
    "max_days_past_due": "max(max_days_past_due)",
    "days_past_due_latest": "arg_max(max_days_past_due, month) FILTER (days_past_due_reports > 0)",
    "utilisation": _used(RECENT),
    "utilisation_trend": f"({_used(RECENT)}) - ({_used(EARLIER)})",
    "card_use_months_share": _ratio(
        _months(f"{COMPARED} AND {INTEREST_PARTS} * {ADDED} > owed_before"), _months(COMPARED)
    ),
    "repaid_share": _at_most_one(_ratio(_total("card_repayment_minor"), _total("statement_minor"))),
    "unused_limit_minor": _ratio(UNUSED, _months(WITH_LIMIT)),
    "least_repaid_share": _at_most_one(
        f"min({_ratio('next_repaid', 'statement_minor')}) FILTER ({FOLLOWED})"
    ),
    "repaid_months_share": _at_most_one(_ratio(_months(f"{PAST} AND card_repayment_minor > 0"), ASKED)),
    "repaid_monthly_minor": _ratio(_total("card_repayment_minor", PAST), ASKED),
    "missed_repayments": f"CASE WHEN sum(statements) > 0 THEN {_months(MISSED)} END",
    "income_monthly_minor": _ratio(INCOME, _months(f"{HALF} AND income_minor > 0")),
    "income_months": f"nullif({_months('income_minor > 0')}, 0)",
    "housing_to_income": f"CASE WHEN {HOUSING} > 0 THEN {_ratio(HOUSING, INCOME)} END",
    "loans_to_income": _ratio(_total("loan_repayment_minor", HALF), INCOME),
    "overdraft_fees": "sum(overdraft_fees)",
    "returned_payments": "sum(returned_payments)",
    "cash_share": _ratio(_total("cash_withdrawal_minor"), _total("outgoing_minor")),
}
DDL = ", ".join(["person_id BIGINT", *(f"{name} DOUBLE" for name in FEATURES)])


def features(night: dt.date) -> str:
    """SQL: ``person_id`` and every feature of ``transactions``, one row a person in ``monthly`` (TRANSACTIONS_MONTHLY).

    The window is the night's calendar month and the 12 before it; of whom no booking lies in it everything is null: a
    record of the person, and a thin file rather than none. What nobody reported (a limit, days past due, an income) is
    null, never zero.
    """
    made = ", ".join(f"CAST({sql} AS DOUBLE) AS {name}" for name, sql in FEATURES.items())
    return f"""
    WITH aged AS (
        SELECT *, datediff('month', month, DATE '{night}') AS age FROM monthly
    ),
    months AS (
        SELECT *,
            -- null where the next month has no booking
            CASE WHEN lead(age) OVER mine = age - 1 THEN lead(card_repayment_minor) OVER mine END AS next_repaid,
            -- null without card statements both months
            CASE WHEN lag(age) OVER mine = age + 1 AND lag(statements) OVER mine > 0 AND statements > 0
                THEN lag(statement_minor) OVER mine END AS owed_before
        FROM aged WHERE age BETWEEN 0 AND {WINDOW_MONTHS}
        WINDOW mine AS (PARTITION BY person_id ORDER BY month)
    )
    SELECT person_id, {", ".join(FEATURES)} FROM (SELECT DISTINCT person_id FROM monthly)
    LEFT JOIN (SELECT person_id, {made} FROM months GROUP BY person_id) USING (person_id)
    """
