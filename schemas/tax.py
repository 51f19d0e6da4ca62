"""Yearly tax assessments and final determinations of tax debt."""

from schemas.contract import IDENTITY, ORDER, REVISION, Column, Contract

OWN = (
    Column("assessment_id", "string", "identifies the assessment", required=True),
    Column("tax_year", "integer", "calendar year assessed", required=True, minimum=1900, maximum=2200),
    Column("assessed_on", "date", "day of the assessment", required=True),
    Column(
        "income_minor",
        "integer",
        "assessed income",
        required=True,
        unit="minor units",
        minimum=-(10**15),
        maximum=10**15,
    ),
    Column(
        "tax_due_minor",
        "integer",
        "tax due",
        required=True,
        unit="minor units",
        minimum=-(10**15),
        maximum=10**15,
    ),
    Column(
        "tax_paid_minor",
        "integer",
        "tax paid",
        required=True,
        unit="minor units",
        minimum=-(10**15),
        maximum=10**15,
    ),
    Column("currency", "string", "ISO 4217 code", required=True),
    Column(
        "status",
        "string",
        "state of the assessment",
        required=True,
        values=("assessed", "paid", "instalments", "arrears", "final_determination"),
    ),
    Column("debt_minor", "integer", "debt determined", unit="minor units", minimum=-(10**15), maximum=10**15),
)
CONTRACT = Contract(
    feed="tax",
    columns=IDENTITY + OWN + REVISION + ORDER,
    title="Tax assessments",
    mode="upsert",
    key="assessment_id",
    freshness_days=35,
    orders=True,
    grace_days=35,  # as long as the feed itself may be missing
)
