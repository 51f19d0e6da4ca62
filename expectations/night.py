"""Invariants of a night: each a query that counts what breaks it; all must count nothing before a publication.

The queries are DuckDB SQL over the night's pinned tables. ``policy_pairs`` (purpose, source, recipient),
``policy_registers`` (register, feed, recipient), ``required`` (purpose, source), ``cards`` (purpose, base,
characteristics) and ``registers_before`` are given by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Invariant:
    """What must hold, the tables it reads, and the query that counts what breaks it."""

    name: str
    tables: tuple[str, ...]
    broken: str


INVARIANTS = (
    Invariant(
        "a row delivered is accepted, quarantined or a duplicate",
        ("deliveries",),
        "SELECT count(*) FROM deliveries WHERE stopped IS NULL AND night = getvariable('night') "
        "AND rows <> accepted + quarantined + duplicates",
    ),
    Invariant(
        "one score an application",
        ("scores", "features"),
        "SELECT (SELECT count(*) - count(DISTINCT (person_id, purpose, recipient)) FROM scores) + "
        "(SELECT count(*) FROM "
        "(SELECT person_id, purpose, recipient FROM scores EXCEPT SELECT person_id, purpose, recipient "
        "FROM features)) + "
        "(SELECT count(*) FROM (SELECT person_id, purpose, recipient FROM features EXCEPT "
        "SELECT person_id, purpose, recipient FROM scores))",
    ),
    Invariant(
        "no score without a live consent for what it needs",
        ("scores", "consented"),
        "SELECT count(*) FROM scores s JOIN required r USING (purpose) WHERE s.status = 'scored' AND NOT EXISTS "
        "(SELECT 1 FROM consented c WHERE c.person_id = s.person_id AND c.purpose = s.purpose "
        "AND c.recipient = s.recipient AND c.source = r.source)",
    ),
    Invariant(
        "no source used that is not consented and allowed",
        ("scores", "consented"),
        "SELECT count(*) FROM (SELECT person_id, purpose, recipient, unnest(sources_used) AS source FROM scores) s "
        "WHERE NOT EXISTS (SELECT 1 FROM consented c WHERE c.person_id = s.person_id AND c.purpose = s.purpose "
        "AND c.recipient = s.recipient AND c.source = s.source) OR NOT EXISTS (SELECT 1 FROM policy_pairs p WHERE "
        "p.purpose = s.purpose AND p.recipient = s.recipient AND p.source = s.source)",
    ),
    Invariant(
        "a score adds up and stays in its range",
        ("scores",),
        "SELECT count(*) FROM scores s JOIN cards k USING (purpose) WHERE CASE s.status WHEN 'scored' THEN "
        "s.score IS NULL OR s.band IS NULL OR s.points IS NULL OR len(s.points) <> k.characteristics OR "
        "s.score <> greatest(350, least(950, k.base + list_sum(s.points))) OR len(s.reasons) > 4 OR "
        "s.no_score_reason IS NOT NULL WHEN 'no_score' THEN s.score IS NOT NULL OR s.band IS NOT NULL OR "
        "s.no_score_reason IS NULL ELSE true END",
    ),
    Invariant(
        "every score is of tonight",
        ("scores",),
        "SELECT count(*) FROM scores WHERE score_date <> getvariable('night')",
    ),
    Invariant(
        "one row an order and register, sent to the agency that the policy names",
        ("registers",),
        "SELECT (SELECT count(*) - count(DISTINCT (register, record_id)) FROM registers) + (SELECT count(*) FROM "
        "registers g WHERE NOT EXISTS (SELECT 1 FROM policy_registers p WHERE p.register = g.register AND "
        "p.feed = g.feed AND p.recipient = g.recipient))",
    ),
    Invariant(
        "nobody is listed but by an order in force",
        ("registers",),
        "SELECT count(*) FROM registers WHERE listed AND state <> 'in_force'",
    ),
    Invariant(
        "no register gains an entry from a feed that is not fresh",
        ("registers", "feeds"),
        "SELECT count(*) FROM registers g JOIN feeds f USING (feed) WHERE g.listed AND NOT f.fresh AND NOT EXISTS "
        "(SELECT 1 FROM registers_before b WHERE b.register = g.register AND b.record_id = g.record_id AND b.listed)",
    ),
)
