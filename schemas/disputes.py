"""Disputes of records and requests for human review."""

from schemas.contract import IDENTITY, REVISION, Column, Contract

OWN = (
    Column("dispute_id", "string", "identifies the dispute", required=True),
    Column(
        "feed",
        "string",
        "feed of the disputed record, or scores",
        required=True,
        values=("tax", "court", "traffic", "education", "transactions", "consents", "scores"),
    ),
    Column("record_id", "string", "key of the disputed record, or <purpose>/<recipient>", required=True),
    Column(
        "kind",
        "string",
        "kind of dispute",
        required=True,
        values=("not_me", "inaccurate", "obsolete", "review"),
    ),
    Column("opened_on", "date", "day on which it was opened", required=True),
    Column("resolved_on", "date", "day on which it was resolved"),
    Column("outcome", "string", "how it was resolved", values=("upheld", "rejected", "corrected")),
    Column("certified_by", "string", "who certified the record again"),
)
CONTRACT = Contract(
    feed="disputes",
    columns=IDENTITY + OWN + REVISION,
    title="Disputes",
    mode="upsert",
    key="dispute_id",
    freshness_days=2,
    ignores_unknown=True,
)
