"""Booked amounts by category of payment behaviour: no merchant, no counterparty, no text."""

from schemas.contract import IDENTITY, Column, Contract

CATEGORIES = (
    "salary",
    "benefit",
    "pension",
    "rent",
    "mortgage",
    "loan_repayment",
    "card_statement",
    "card_repayment",
    "insurance",
    "utility",
    "interest",
    "fee",
    "overdraft_fee",
    "returned_payment",
    "cash_deposit",
    "cash_withdrawal",
    "transfer",
    "other",
)
OWN = (
    Column("transaction_id", "string", "identifies the booking", required=True),
    Column("account_id", "string", "account at the bank; never a feature", required=True),
    Column("booked_on", "date", "day of booking", required=True),
    Column("category", "string", "category of payment behaviour", required=True, values=CATEGORIES),
    Column(
        "amount_minor",
        "integer",
        "credit to the person positive, debit negative",
        required=True,
        unit="minor units",
        minimum=-(10**15),
        maximum=10**15,
    ),
    Column("currency", "string", "ISO 4217 code", required=True),
    Column(
        "balance_after_minor",
        "integer",
        "balance after booking",
        unit="minor units",
        minimum=-(10**15),
        maximum=10**15,
    ),
    Column("credit_limit_minor", "integer", "credit limit", unit="minor units", minimum=0, maximum=10**15),
    Column(
        "days_past_due",
        "integer",
        "days past due as the issuer reports them",
        unit="days",
        minimum=0,
        maximum=36500,
    ),
)
CONTRACT = Contract(
    feed="transactions",
    columns=IDENTITY + OWN,
    title="Bank transactions",
    mode="append",
    key="transaction_id",
    freshness_days=3,
)
