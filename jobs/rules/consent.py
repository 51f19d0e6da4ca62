"""Consent: the one place that decides who may be scored, for what, for whom and from which source.

Sources: GDPR art. 6(1)(a), 7(3); RULES.md "Dates" and "Consents". A test proves that nothing reads around it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.rules.floor import ADULT_AGE
from jobs.rules.policy import Pair

PAIRS = pa.schema(
    [(n, pa.string()) for n in ("purpose", "source", "recipient")] + [pa.field("since", pa.date32())]
)


# What every revision of a declaration says together, whatever the order of arrival: a withdrawal is final, the last day
# only ever moves earlier, and one signed revision is enough: what a consent grants never changes from one to the next.
# ``attested_by`` is the fingerprint of the issuer of a signed file (DELIVERIES).
OF_ALL_REVISIONS = {
    "first_withdrawn": ("DATE", "min(withdrawn_on) FILTER (kind = 'consent')"),
    "first_expiry": ("DATE", "min(expires_on) FILTER (kind = 'consent')"),
    "attested_by": ("STRING", "min(attested_by) FILTER (kind = 'consent')"),
}


def attested(rows: str) -> str:
    """FROM clause of accepted ``rows`` (another) with ``attested_by`` of their file, as ``deliveries`` has it."""
    signed = "SELECT night, file, attested_by FROM deliveries WHERE attested_by IS NOT NULL"
    return f"(FROM {rows} LEFT JOIN ({signed}) USING (night, file))"


def live_consents(
    current: DataFrame,
    withdrawals: DataFrame,
    barred: DataFrame,
    night: dt.date,
    since: Mapping[Pair, dt.date],
) -> DataFrame:
    """Consents live on the night: CONSENTED, one row a person, purpose, recipient and source.

    Where several are live an attested one, then the smallest id. ``current`` is the newest revision of each declaration
    with OF_ALL_REVISIONS, ``in_doubt, disputed, upheld`` and ``birth_date``; ``withdrawals`` are the accepted
    declarations of that kind, every revision; ``barred`` is ``person_id, until`` of people who may not be scored:
    ``until`` null bars for good, a date bars every consent granted on or before it (an erasure); ``since`` are the
    pairs that the policy allows, each with the first day on which a consent to it may be granted.
    """
    d = F.lit(night)
    ended = withdrawals.select(
        F.col("person_id").alias("w_person"),
        F.col("granted_on").alias("w_on"),
        F.col("purpose").alias("w_purpose"),
        F.col("source").alias("w_source"),
        F.col("recipient").alias("w_recipient"),
    )
    covers = (
        (F.col("person_id") == F.col("w_person"))
        & (F.col("granted_on") <= F.col("w_on"))
        & (F.col("w_on") <= d)
        & (F.col("w_purpose").isNull() | (F.col("w_purpose") == F.col("purpose")))
        & (F.col("w_source").isNull() | (F.col("w_source") == F.col("source")))
        & (F.col("w_recipient").isNull() | (F.col("w_recipient") == F.col("recipient")))
    )
    pairs = [
        {"purpose": p, "source": s, "recipient": r, "since": first} for (p, s, r), first in since.items()
    ]
    # from Arrow: a local relation in the plan, where a list of rows would start Python workers
    allowed = current.sparkSession.createDataFrame(pa.Table.from_pylist(pairs, schema=PAIRS))
    adult = F.add_months("birth_date", 12 * ADULT_AGE) <= d  # of 29 February the anniversary is 28 February
    live = (
        current.where("kind = 'consent' AND NOT in_doubt AND NOT disputed AND NOT upheld")
        .where((F.col("granted_on") <= d) & adult)
        .withColumn("expires_on", F.col("first_expiry"))
        .where(F.col("expires_on") >= d)
        .where(F.col("first_withdrawn").isNull() | (F.col("first_withdrawn") > d))
        .join(F.broadcast(allowed), ["purpose", "source", "recipient"])
        .where(F.col("granted_on") >= F.col("since"))
        .join(ended, covers, "left_anti")
        .join(
            barred.select(F.col("person_id").alias("b_person"), "until"),
            (F.col("person_id") == F.col("b_person"))
            & (F.col("until").isNull() | (F.col("granted_on") <= F.col("until"))),
            "left_anti",
        )
    )
    first = F.min(
        F.struct(
            F.col("attested_by").isNull(),
            "consent_id",
            "granted_on",
            "expires_on",
            F.col("attested_by").alias("by"),
        )
    )
    return (
        live.groupBy("person_id", "purpose", "recipient", "source")
        .agg(first.alias("c"))
        .select(
            "person_id",
            "purpose",
            "recipient",
            "source",
            "c.consent_id",
            "c.granted_on",
            "c.expires_on",
            F.col("c.by").alias("attested_by"),
        )
    )


# Why applications that a recipient held have ended: ``person_id, cause`` (one of bands.CAUSES but ``corrected``,
# which is every other reason), for the people in ``held`` (person_id, consent_id: what the score rested on). Variables:
# night, since (night of the package that held them), purpose, recipient, source (required). Tables, of those people
# alone: ``accepted`` (accepted/consents), ``current`` (conformed/consents), ``refused`` (person_id, kind: declarations
# that could not be read and still stop a score, RULES "Doubt"). Whose declarations are all gone was erased.
WHY_ENDED = """
WITH said AS (
    SELECT person_id,
        bool_or(kind = 'erasure' AND night > getvariable('since')) AS erased,
        bool_or(kind = 'death') AS deceased
    FROM accepted GROUP BY ALL
), doubted AS (
    SELECT person_id, bool_or(kind = 'death') AS deceased, bool_or(kind IN ('withdrawal', 'erasure')) AS withdrawn
    FROM refused GROUP BY ALL
), ended AS (
    SELECT h.person_id,
        coalesce(min(a.withdrawn_on) <= getvariable('night'), false)
            OR coalesce(bool_or(c.in_doubt), false)
            OR bool_or(EXISTS (
                SELECT 1 FROM accepted w WHERE w.kind = 'withdrawal' AND w.person_id = h.person_id
                AND w.granted_on BETWEEN a.granted_on AND getvariable('night')
                AND coalesce(w.purpose, getvariable('purpose')) = getvariable('purpose')
                AND coalesce(w.recipient, getvariable('recipient')) = getvariable('recipient')
                AND coalesce(w.source, getvariable('source')) = getvariable('source'))) AS withdrawn,
        coalesce(min(a.expires_on) < getvariable('night'), false) AS lapsed
    FROM held h
    LEFT JOIN accepted a ON a.person_id = h.person_id AND a.consent_id = h.consent_id AND a.kind = 'consent'
    LEFT JOIN current c ON c.person_id = h.person_id AND c.consent_id = h.consent_id
    GROUP BY ALL
)
SELECT e.person_id, CASE WHEN s.erased OR s.person_id IS NULL THEN 'erased'
    WHEN s.deceased OR d.deceased THEN 'deceased'
    WHEN e.withdrawn OR d.withdrawn THEN 'withdrawn'
    WHEN e.lapsed THEN 'lapsed' END AS cause
FROM ended e LEFT JOIN said s USING (person_id) LEFT JOIN doubted d USING (person_id)
ORDER BY person_id
"""
# its columns of the two tables that hold everybody
WHY_ENDED_READS = {
    "accepted": "person_id, night, kind, consent_id, purpose, recipient, source, granted_on, withdrawn_on, expires_on",
    "current": "person_id, consent_id, in_doubt",
}
