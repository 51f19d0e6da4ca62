"""The features table: every feature that the floor knows, with unit and meaning; none is an identity or a trait."""

from __future__ import annotations

from jobs.rules.floor import FEATURES_BY_SOURCE
from schemas.tables import Table

MEANINGS = {
    # transactions; the window is the night's month and the 12 before
    "months_active": "months of the window with a booking (count)",
    "months_late": "months of the window in which a payment was reported late (count)",
    "months_since_late": "months since the last month with a late payment; 99: reported, never late in the window",
    "max_days_past_due": "most days past due reported in the window (days)",
    "days_past_due_latest": "most days past due reported in the newest month of the window with a report (days)",
    "utilisation": "owed on statements with a limit over their limits, night's month and 3 before (ratio)",
    "utilisation_trend": "utilisation less that of the 3 months before those (ratio)",
    "unused_limit_minor": "limits less owed on statements with a limit, night's month and 3 before, over the months "
    "with a limit above 0; at least 0 (minor units a month)",
    "card_use_months_share": "of the months before the night's with card statements that month and the one before: "
    "share in which statements owed and card repayments of the month exceed those owed the month before by more than "
    "2 percent of these, which is more than interest (ratio)",
    "repaid_share": "card repayments over card statements owed in the window, at most 1; null where nothing was owed "
    "(ratio)",
    "least_repaid_share": "least of: next month's card repayments over a month's card statements owed, at most 1; over "
    "the months of the window, 2 or more before the night's, whose next month has a booking (ratio)",
    "repaid_months_share": "months with a card repayment over months with a card statement, in the 12 months before "
    "the night's, at most 1 (ratio)",
    "repaid_monthly_minor": "card repayments over months with a card statement, in the 12 months before "
    "the night's (minor units a month)",
    "missed_repayments": "months, 2 or more before the night's, with a card statement owed, no card repayment then "
    "and none in the next, which has a booking; null without a card statement in the window (count)",
    "income_monthly_minor": "mean income of the 6 months before the night's, months with income (minor units)",
    "income_months": "months of the window with income (count); null when none",
    "housing_to_income": "rent and mortgage over income in the 6 months before the night's (ratio)",
    "loans_to_income": "loan repayments over income in the 6 months before the night's (ratio)",
    "overdraft_fees": "overdraft fees in the window (count)",
    "returned_payments": "returned payments in the window (count)",
    "cash_share": "cash withdrawn over all outgoing in the window (ratio)",
    # tax
    "assessed_income_minor": "income of the newest tax year assessed; of one year the latest, of one day the "
    "greatest income (minor units)",
    "tax_in_arrears": "1 where an assessment is in arrears, else 0",
    "tax_debt_minor": "final determinations that count, unsatisfied (minor units)",
    "tax_paid_share": "tax paid over tax due of the newest year assessed (ratio)",
    # court
    "judgments_unsatisfied": "money judgments that count, unsatisfied (count)",
    "judgments_satisfied": "money judgments that count, satisfied (count)",
    "months_since_judgment": "whole months since the newest unsatisfied judgment that counts; a month is over "
    "on its day, or on the last day of a month that has no such day",
    "insolvencies": "insolvencies that count, not discharged (count)",
    # traffic
    "penalty_points_minor": "penalty points of minor offences that count, 3 years (points)",
    "penalty_points_serious": "penalty points of serious offences that count, 5 years (points)",
    "driving_disqualifications": "driving disqualifications that count, in force (count)",
    # education
    "highest_isced_level": "highest ISCED 2011 level awarded and not revoked (level)",
    "years_since_award": "whole years since the newest award not revoked",
}
NAMES = tuple(f for features in FEATURES_BY_SOURCE.values() for f in features)
FEATURES = Table(
    "features",
    "one row an application; a feature is null where its source is not consented for it, not fresh, or silent",
    (
        ("person_id", "BIGINT", "surrogate"),
        ("purpose", "STRING", "purpose"),
        ("recipient", "STRING", "recipient"),
        *((name, "DOUBLE", MEANINGS[name]) for name in NAMES),
        ("sources_used", "ARRAY<STRING>", "consented, fresh sources with a current record (RULES), sorted"),
        ("suspended", "ARRAY<STRING>", "features made neutral by a record in dispute or in doubt, sorted"),
    ),
)
