"""notify: what each person is told of the night, before anything about them leaves (DESIGN 3; FCRA 15 USC 1681m)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import duckdb
import jinja2
import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import AssentError
from jobs.lake.explain import person as account
from jobs.lake.explained import render
from jobs.lake.history import Past
from jobs.lake.night import Night
from jobs.lake.out import out_folder
from jobs.lake.outbox import texts, write_whole
from jobs.lake.query import Published
from jobs.lake.vault import read_identities
from jobs.rules.disputes import CLOCK_DAYS
from jobs.rules.reasons import explained
from schemas.contract import contracts
from schemas.features import FEATURES
from schemas.tables import NOTICES, REGISTERS, SCORES

WARNED_FROM = (
    20  # days a dispute is open: the operator is told, ten days before it ends in the person's favour
)

SCORES_CHANGED = """
SELECT s.* FROM scores s LEFT JOIN scores_before b USING (person_id, purpose, recipient)
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


def changed(now: Any, before: Any, name: str, sql: str) -> list[dict[str, Any]]:
    """Rows of tonight's table that differ from the night before, in order."""
    con = duckdb.connect(config={"python_enable_replacements": False})
    try:
        con.register(name, now)
        con.register(f"{name}_before", before)
        rows: list[dict[str, Any]] = con.sql(sql).to_arrow_table().to_pylist()
    finally:
        con.close()
    return rows


def notice_id(night: str, kind: str, person: int, subject: str) -> str:
    """Follows from night, kind, person and subject, so that a rerun writes the same notice."""
    return hashlib.sha256(f"{night}|{kind}|{person}|{subject}".encode()).hexdigest()[:24]


class Notices:
    """The night's notices: what each says, and to whom."""

    def __init__(self, night: Night) -> None:
        self.night = night
        environment = jinja2.Environment(autoescape=False, undefined=jinja2.StrictUndefined)  # noqa: S701  plain text
        self.templates = {k: environment.from_string(v) for k, v in texts(night.policy.language).items()}
        self.rows: list[dict[str, Any]] = []
        self.said: list[str] = []

    def add(self, kind: str, person: int, subject: str, template: str, **values: Any) -> None:
        """One notice; its text is rendered at once."""
        date = self.night.date.isoformat()
        self.rows.append(
            {
                "night": self.night.date,
                "notice_id": notice_id(date, kind, person, subject),
                "kind": kind,
                "person_id": person,
                "subject": subject,
                "template": f"{template}.{self.night.policy.language}",
            }
        )
        self.said.append(" ".join(self.templates[template].render(**values).split()))

    def scores(self, now: Any, before: Any, features: Any) -> None:
        """A notice for each score that is new or other than the night before."""
        rows = changed(now, before, "scores", SCORES_CHANGED)
        people = {r["person_id"] for r in rows}
        values = {
            (f["person_id"], f["purpose"], f["recipient"]): f
            for batch in features.to_batches()
            for f in batch.to_pylist()
            if f["person_id"] in people
        }
        for r in rows:
            subject = f"{r['purpose']}/{r['recipient']}"
            if r["status"] != "scored":
                self.add("score", r["person_id"], subject, "no_score", **r)
                continue
            row = values[(r["person_id"], r["purpose"], r["recipient"])]
            reasons = explained(
                self.night.scorecards[r["purpose"]],
                r["reasons"],
                r["points"],
                row,
                self.night.policy.currency,
            )
            self.add("score", r["person_id"], subject, "score", **{**r, "reasons": reasons})

    def entries(self, now: Any, before: Any, orders: dict[tuple[str, str], dict[str, Any]]) -> None:
        """A notice for each entry that is new, and each that left."""
        for r in changed(now, before, "registers", ENTRIES_CHANGED):
            subject = f"{r['register']}/{r['record_id']}"
            if r["listed"]:
                order = orders[(r["feed"], r["record_id"])]
                self.add("listing", r["person_id"], subject, "listing", **{**order, **r})
            else:
                self.add("removal", r["person_id"], subject, "removal", **r)

    def access(self, people: list[int]) -> None:
        """A letter to each person who asked tonight: all that ``assent explain`` knows (GDPR art. 15)."""
        if not people:
            return
        past = Past(Published(self.night.lake, self.night.date), people)
        for one in sorted(set(people)):
            self.add("access", one, "access", "access")
            self.said[-1] += "\n\n" + render([account(past, one, None)], "text")

    def lines(self) -> Iterator[str]:
        """NDJSON for the sender: one object a notice, with the person's identity from the vault."""
        ids = pa.array(sorted({r["person_id"] for r in self.rows}), pa.int64())
        known = {p["person_id"]: p for p in read_identities(self.night, ids).to_pylist()}
        for row, text in zip(self.rows, self.said, strict=True):
            person = known.get(row["person_id"])
            if person is None:
                raise AssentError(
                    "notify: a person of the night is not in the vault; restore the lake from its backup"
                )
            yield json.dumps(
                {
                    "notice_id": row["notice_id"],
                    "night": row["night"].isoformat(),
                    "kind": row["kind"],
                    "subject": row["subject"],
                    "language": self.night.policy.language,
                    "to": {k: person[k] for k in ("national_id", "family_name", "given_name")},
                    "text": text,
                },
                ensure_ascii=False,
                sort_keys=True,
            )


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


def _table(night: Night, name: str, schema: pa.Schema, before: bool = False) -> Any:
    version = night.pinned_before(name) if before else night.pinned(name)
    return schema.empty_table() if version is None else night.lake.dataset(name, version)


def written(night: Night) -> set[str]:
    """Ids of the notices of this night that are already in the ledger."""
    version = night.lake.version("notices")
    if version is None:
        return set()
    rows = night.lake.dataset("notices", version).to_table(
        columns=["notice_id"], filter=pc.field("night") == pa.scalar(night.date)
    )
    return set(rows.column("notice_id").to_pylist())


def run(night: Night) -> dict[str, int]:
    """Writes the outbox, then the ledger; a night whose notices are written writes nothing."""
    notices = Notices(night)
    scores, registers = _table(night, "scores", SCORES.arrow()), _table(night, "registers", REGISTERS.arrow())
    notices.scores(
        scores,
        _table(night, "scores", SCORES.arrow(), before=True),
        _table(night, "features", FEATURES.arrow()),
    )
    notices.entries(registers, _table(night, "registers", REGISTERS.arrow(), before=True), _orders(night))
    version = night.pinned("conformed/consents")
    if version is not None:
        asked = night.lake.dataset("conformed/consents", version)
        requests = asked.to_table(columns=["person_id", "kind", "night"]).to_pylist()
        notices.access(
            [r["person_id"] for r in requests if r["kind"] == "access" and r["night"] == night.date]
        )
    _warn_of_disputes(night)
    done = written(night)
    missing = [r for r in notices.rows if r["notice_id"] not in done]
    if missing:
        path = out_folder(night.lake.root) / "notices" / f"{night.date.isoformat()}.ndjson"
        write_whole(path, (line + "\n" for line in notices.lines()))
        night.lake.append_arrow("notices", pa.Table.from_pylist(missing, schema=NOTICES.arrow()))
    kinds = ("score", "listing", "removal", "access")
    return {k: sum(r["kind"] == k for r in missing) for k in kinds}


def _warn_of_disputes(night: Night) -> None:
    """Tells the operator how many disputes near the end of their clock (RULES, "Orders")."""
    version = night.pinned("conformed/disputes")
    if version is None:
        return
    rows = (
        night.lake.dataset("conformed/disputes", version)
        .to_table(columns=["verdict", "opened_on"])
        .to_pylist()
    )
    near = [r for r in rows if r["verdict"] == "open" and (night.date - r["opened_on"]).days >= WARNED_FROM]
    if near:
        night.say(
            f"disputes: {len(near)} open for {WARNED_FROM} days or more; "
            f"after {CLOCK_DAYS} without an outcome they end in the person's favour"
        )
