"""Holds a night's published scores against what the generator meant: what is due, scored or not, and why."""

from __future__ import annotations

import duckdb

from benchmarks.oracle.compare import Comparison
from benchmarks.oracle.published import Publication

# The truth names people by national id, which stands beside the surrogate in the restricted zone alone.
SQL = """
WITH due AS (
    SELECT national_id, purpose, recipient, due AS status, nullif(no_score_reason, '') AS no_score_reason
    FROM read_csv(?, all_varchar = true, nullstr = 'no word is null') WHERE night = ?
),
found AS (
    SELECT national_id, purpose, recipient, status, no_score_reason
    FROM published JOIN (SELECT DISTINCT national_id, person_id FROM people) USING (person_id)
)
SELECT
       count(*) FILTER (d.f AND p.f), count(*) FILTER (d.f IS NULL), count(*) FILTER (p.f IS NULL),
       count(*) FILTER (d.f AND p.f
           AND (d.status, d.no_score_reason) IS DISTINCT FROM (p.status, p.no_score_reason))
FROM (SELECT *, true AS f FROM due) d
FULL JOIN (SELECT *, true AS f FROM found) p USING (national_id, purpose, recipient)
"""


def due(con: duckdb.DuckDBPyConnection, published: Publication, deliveries: str) -> Comparison:
    """The comparison of a night; true only where every night was published, each with its own delivery."""
    con.register("published", published.table("scores"))
    con.register("people", published.table("accepted/consents"))
    row = con.execute(SQL, [f"{deliveries}/truth/scores.csv", published.night.isoformat()]).fetchall()[0]
    return Comparison(
        night=published.night.isoformat(),
        table="scores as meant",
        rows=row[0],
        only_published=row[1],
        only_computed=row[2],
        columns={"status": row[3]} if row[3] else {},
    )
