"""Decided traffic offences and driving disqualifications."""

from schemas.contract import IDENTITY, ORDER, REVISION, Column, Contract

OWN = (
    Column("decision_id", "string", "identifies the decision", required=True),
    Column(
        "kind",
        "string",
        "kind of decision",
        required=True,
        values=("penalty_points", "driving_disqualification"),
    ),
    Column("severity", "string", "severity", required=True, values=("minor", "serious")),
    Column(
        "penalty_points", "integer", "points imposed", required=True, unit="points", minimum=0, maximum=12
    ),
)
CONTRACT = Contract(
    feed="traffic",
    columns=IDENTITY + OWN + REVISION + ORDER,
    title="Traffic decisions",
    mode="upsert",
    key="decision_id",
    freshness_days=3,
    orders=True,
    grace_days=3,  # as long as the feed itself may be missing
)
