"""Awards of qualifications."""

from schemas.contract import IDENTITY, REVISION, Column, Contract

OWN = (
    Column("award_id", "string", "identifies the award", required=True),
    Column("institution", "string", "awarding institution; never a feature", required=True),
    Column("isced_level", "integer", "ISCED 2011 level", required=True, unit="level", minimum=0, maximum=8),
    Column("awarded_on", "date", "day of the award", required=True),
    Column("revoked_on", "date", "day on which the award was revoked"),
)
CONTRACT = Contract(
    feed="education",
    columns=IDENTITY + OWN + REVISION,
    title="Education awards",
    mode="upsert",
    key="award_id",
    freshness_days=400,
)
