"""notify: what each person is told of the night, before anything about them leaves (DESIGN 3; FCRA 15 USC 1681m)."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.lake.ask import ask, stream
from jobs.lake.explain import person as everything_about
from jobs.lake.explained import render
from jobs.lake.history import Past
from jobs.lake.letters import Letters
from jobs.lake.night import Night
from jobs.lake.query import Published
from jobs.redress import tell_back_again, tell_reviews, warn_of_clocks
from jobs.rules.bands import bands_used, fell_across
from jobs.rules.reasons import explained
from schemas.contract import contracts
from schemas.features import FEATURES
from schemas.tables import REGISTERS, SCORES

KINDS = ("score", "adverse_action", "listing", "removal", "reinserted", "review", "access")

ROWS = 8_192  # of Python's objects at once: of eight times as many, making them took twice as long
SCORES_CHANGED = """
SELECT s.*, b.status AS before_status, b.score AS before_score, b.band AS before_band,
    struct_pack({values}) AS features
FROM scores s LEFT JOIN scores_before b USING (person_id, purpose, recipient)
LEFT JOIN features f USING (person_id, purpose, recipient)
WHERE b.person_id IS NULL OR (s.status, s.score, s.band, s.no_score_reason)
    IS DISTINCT FROM (b.status, b.score, b.band, b.no_score_reason)
ORDER BY person_id, purpose, recipient
"""
# an order that is another person's now is new for the one and gone for the other
ENTRIES_CHANGED = """
SELECT g.* FROM registers g LEFT JOIN registers_before b USING (register, record_id, person_id)
WHERE g.listed IS DISTINCT FROM coalesce(b.listed, false)
UNION ALL
SELECT g.* REPLACE (b.person_id AS person_id, false AS listed, 'correction' AS cause)
FROM registers g JOIN registers_before b USING (register, record_id)
WHERE b.listed AND b.person_id <> g.person_id
ORDER BY register, record_id, person_id
"""


def tell_scores(letters: Letters, now: Any, before: Any, features: Any) -> None:
    """A notice for each score that is new or other than the night before; another where it fell across a band."""
    characteristics = [c for card in letters.night.scorecards.values() for c in card.characteristics]
    values = sorted({f for c in characteristics for f in c.features} & set(FEATURES.arrow().names))
    sql = SCORES_CHANGED.format(values=", ".join(f"{v} := f.{v}" for v in values))
    tables = {"scores": now, "scores_before": before, "features": features}
    with stream(sql, tables, ROWS) as batches:
        for batch in batches:
            for row in batch.to_pylist():
                _tell_score(letters, row, row.pop("features"))


def _tell_score(letters: Letters, r: dict[str, Any], features: dict[str, Any]) -> None:
    night = letters.night
    subject = f"{r['purpose']}/{r['recipient']}"
    if r["status"] != "scored":
        letters.add("score", r["person_id"], subject, r, "no_score")
        return
    card = night.scorecards[r["purpose"]]
    reasons = explained(card, r["reasons"], r["points"], features, night.policy.currency)
    fell = fell_across(r["before_band"], r["band"], bands_used(night.policy, r["recipient"]))
    sources = ", ".join(map(letters.texts.environment.filters["word"], r["sources_used"]))
    told = {**r, "reasons": reasons, "sources": sources}
    letters.add("adverse_action" if fell else "score", r["person_id"], subject, told)


def tell_entries(
    letters: Letters, now: Any, before: Any, orders: dict[tuple[str, str], dict[str, Any]]
) -> None:
    """A notice for each entry that is new, and each that left."""
    for r in ask(ENTRIES_CHANGED, {"registers": now, "registers_before": before}).to_pylist():
        subject = f"{r['register']}/{r['record_id']}"
        if r["listed"]:
            letters.add("listing", r["person_id"], subject, {**orders[(r["feed"], r["record_id"])], **r})
        else:
            letters.add("removal", r["person_id"], subject, r)


def tell_who_asked(letters: Letters) -> None:
    """A letter with all that ``explain`` knows to each person who asked for access tonight (RULES, "Consents")."""
    night = letters.night
    version = night.pinned("conformed/consents")
    if version is None:
        return
    asked = (pc.field("kind") == "access") & (pc.field("night") == pa.scalar(night.date))
    rows = night.lake.dataset("conformed/consents", version).to_table(columns=["person_id"], filter=asked)
    people = sorted(set(rows.column("person_id").to_pylist()))
    if not people:
        return
    past = Past(Published(night.lake, night.date), people)
    for who in people:
        account = render([everything_about(past, who, None)], "text").rstrip()
        letters.add("access", who, "access", {}, account=account)


def _orders(night: Night) -> dict[tuple[str, str], dict[str, Any]]:
    """Authority and legal basis of each order, for its listing notice."""
    found = {}
    for feed in ("court", "tax", "traffic"):
        key = contracts()[feed].key
        version = night.pinned(f"conformed/{feed}")
        if version is not None:
            rows = night.lake.dataset(f"conformed/{feed}", version)
            for r in rows.to_table(columns=[key, "authority", "legal_basis", "is_order"]).to_pylist():
                if r["is_order"]:
                    found[(feed, r[key])] = {"authority": r["authority"], "legal_basis": r["legal_basis"]}
    return found


def written(night: Night) -> pa.Array:
    """Ids of the notices of this night that are already in the ledger."""
    version = night.lake.version("notices")
    if version is None:
        return pa.array([], pa.string())
    rows = night.lake.dataset("notices", version).to_table(
        columns=["notice_id"], filter=pc.field("night") == pa.scalar(night.date)
    )
    return rows.column("notice_id").combine_chunks()


def run(night: Night) -> dict[str, int]:
    """Writes the outbox, then the ledger; a night whose notices are written writes nothing."""
    with Letters(night) as letters:
        tell_scores(
            letters,
            night.rows("scores", SCORES.arrow()),
            night.rows_before("scores", SCORES.arrow()),
            night.rows("features", FEATURES.arrow()),
        )
        tell_entries(
            letters,
            night.rows("registers", REGISTERS.arrow()),
            night.rows_before("registers", REGISTERS.arrow()),
            _orders(night),
        )
        tell_back_again(letters)
        tell_reviews(letters)
        tell_who_asked(letters)
        warn_of_clocks(night)
        rows = letters.rows()
        missing = rows.filter(pc.invert(pc.is_in(rows["notice_id"], value_set=written(night))))
        if missing.num_rows:
            letters.release()
            night.lake.append_arrow("notices", missing)
    kinds = {str(k["values"]): k["counts"] for k in pc.value_counts(missing["kind"]).to_pylist()}
    return {k: int(kinds.get(k, 0)) for k in KINDS}
