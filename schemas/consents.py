"""Consents, withdrawals, erasure and access requests, and notices of death."""

from schemas.contract import IDENTITY, REVISION, Column, Contract

OWN = (
    Column("consent_id", "string", "identifies the declaration", required=True),
    Column(
        "kind",
        "string",
        "kind of declaration",
        required=True,
        values=("consent", "withdrawal", "erasure", "access", "death"),
    ),
    Column("purpose", "string", "purpose consented to"),
    Column("source", "string", "feed that may be read"),
    Column("recipient", "string", "who may receive the score"),
    Column("granted_on", "date", "day of the declaration", required=True),
    Column("expires_on", "date", "last day of the consent", may_be_future=True),
    Column("withdrawn_on", "date", "first day on which it is no longer live", may_be_future=True),
    Column("receipt_sha256", "string", "SHA-256 of this person's receipt of the notice given"),
)
CONTRACT = Contract(
    feed="consents",
    columns=IDENTITY + OWN + REVISION,
    title="Consents and requests",
    mode="upsert",
    key="consent_id",
    freshness_days=1,
    ignores_unknown=True,
)
