"""Judgments, insolvencies, disqualifications and debarments."""

from schemas.contract import IDENTITY, ORDER, REVISION, Column, Contract

OWN = (
    Column("order_id", "string", "identifies the order", required=True),
    Column(
        "kind",
        "string",
        "kind of order",
        required=True,
        values=("money_judgment", "insolvency", "director_disqualification", "procurement_debarment"),
    ),
    Column("case_number", "string", "the court's case number", required=True),
    Column("debt_minor", "integer", "debt adjudged", unit="minor units", minimum=-(10**15), maximum=10**15),
    Column("currency", "string", "ISO 4217 code"),
)
CONTRACT = Contract(
    feed="court",
    columns=IDENTITY + OWN + REVISION + ORDER,
    title="Court orders",
    mode="upsert",
    key="order_id",
    freshness_days=3,
    orders=True,
    grace_days=3,  # as long as the feed itself may be missing
)
