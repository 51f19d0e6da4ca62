"""Score packages: what a recipient holds of its own applicants, and nobody else's (DESIGN 5 and 6). Part of ``export``.

A score leaves when every consent that it rests on is live and attested and its notice is written; it is sent again when
it changes, and taken back once when its application ends. What waits (an unattested consent, too many new consents on a
night) is what would be added or changed; who drops out is said every night.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from jobs.applications import KEY, changes, compared, identified, named
from jobs.basis import basis_lost, causes_of
from jobs.clearance import Clearance, clear
from jobs.corrections import send_corrections
from jobs.lake import parquet_files
from jobs.lake.ask import ask
from jobs.lake.exported import sent_names
from jobs.lake.night import Night
from jobs.lake.packages import (
    Field,
    Package,
    RecipientStopped,
    facts,
    people_of,
    read_previous,
    send_package,
)
from jobs.rules.bands import CAUSES, package_name, too_many_new
from jobs.rules.disclosure import applied
from jobs.rules.floor import BANDS, SCORE_MAX, SCORE_MIN
from jobs.sign_off import Counts
from schemas.contract import contracts
from schemas.tables import DISCLOSURES

FIELDS = (
    Field(KEY, "string", "the application, the same each night; no other recipient's is like it", required=True,
          pattern="[0-9a-f]{24}"),
    Field("national_id", "string", "to find your applicant", required=True),
    Field("status", "string", "scored; or no_score, which is not a low score", required=True,
          enum=("scored", "no_score")),
    Field("score", "integer", f"{SCORE_MIN}..{SCORE_MAX}, null without a score"),
    Field("band", "string", "A is the best; null without a score", enum=BANDS),
    Field("reasons", "string", "JSON array of at most 4 {code, text}: what lowered the score most, largest first, or "
          "why there is none; … stands for a value that only the person is told", required=True),
    Field("under_review", "boolean", "the person asked that a human looks at the score, who has not decided yet "
          "(GDPR art. 22(3))", required=True),
)  # fmt: skip
USE = (
    "For this recipient and purpose only, about these applicants only, and until valid_until. Delete what is removed. "
    "No score is a reason for a decision by itself: see under_review, and ask the person."
)


TOLD = """
SELECT DISTINCT person_id FROM notices SEMI JOIN people USING (person_id)
WHERE subject = getvariable('subject') AND kind IN ('score', 'adverse_action') AND night <= getvariable('night')
"""


def unnoticed(night: Night, subject: str, people: set[int]) -> set[int]:
    """Of some people those to whom no notice of this score was written, on this night or before."""
    version = night.lake.version("notices")
    if version is None or not people:
        return people
    told = ask(
        TOLD,
        {
            "notices": parquet_files.rows(night.lake, "notices", version),
            "people": pa.table({"person_id": pa.array(sorted(people), pa.int64())}),
        },
        subject=subject,
        night=night.date,
    )
    return people - set(told.column("person_id").to_pylist())


def disclose(
    night: Night,
    recipient: str,
    subject: str,
    said: list[tuple[int, str]],
    package: str,
    approval: str | None = None,
) -> None:
    """Appends what was sent (person, change) to the ledger, each once a night, with the approval that let it out."""
    version = night.lake.version("disclosures")
    known: set[tuple[int, str]] = set()
    if version is not None:
        mine = (pc.field("subject") == subject) & (pc.field("night") == pa.scalar(night.date))
        rows = night.lake.dataset("disclosures", version).to_table(
            columns=["person_id", "change"], filter=mine & (pc.field("recipient") == recipient)
        )
        known = {(r["person_id"], r["change"]) for r in rows.to_pylist()}
    fresh = [
        {
            "night": night.date,
            "person_id": person,
            "recipient": recipient,
            "subject": subject,
            "change": change,
            "package": package,
            "approval": None if change == "REMOVE" else approval,
        }
        for person, change in said
        if (person, change) not in known
    ]
    if fresh:
        night.lake.append_arrow("disclosures", pa.Table.from_pylist(fresh, schema=DISCLOSURES.arrow()))


@dataclass(frozen=True)
class Outcome:
    """What one recipient was sent: its changes (none when the package stood already), and how many scores wait."""

    sent: bool
    changes: pa.Table
    unattested: int
    untold: int


def score_counts(night: Night) -> Counts:
    """What of scores is due to each recipient tonight if a person lets it out, for the sign-off: numbers and the guard.

    Keyed ``scores-<purpose>/<recipient>``, as :func:`jobs.sign_off.counts_of` has registers; a recipient that has no
    score, then or now, is left out.
    """
    may = clear(night, say=False)
    new, live = may.consents
    tripped = []
    if too_many_new(new, live, night.policy):
        share = night.policy.sending.new_consents_share
        tripped = [{"guard": "new_consents_share", "found": round(new / live, 4), "allowed": share}]
    feeds = {r["feed"]: r for r in night.arrow("conformed/feeds", pa.schema([])).to_pylist()}
    unnamed = tuple(f for f in FIELDS if f.name != "national_id")  # to count needs no identity
    found: Counts = {}
    for purpose in night.policy.purposes.values():
        for recipient in purpose.recipients:
            previous = read_previous(night, package_name(purpose.name), recipient, KEY, unnamed)
            rows, before = compared(night, purpose.name, recipient, may, previous), previous.snapshot.num_rows
            if not rows.num_rows and not before:
                continue
            made = changes(rows, {}, held=False).column("change").to_pylist()
            adds, removes = made.count("ADD"), made.count("REMOVE")
            found[f"{package_name(purpose.name)}/{recipient}"] = {
                "before": before,
                "after": before + adds - removes,
                "adds": adds,
                "changes": made.count("CHANGE"),
                "removes": removes,
                "doubtful_removes": 0,
                "held": 0,
                "fresh": bool(feeds["consents"]["fresh"]),
                "tripped": tripped if adds or made.count("CHANGE") else [],
            }
    return found


def _people(rows: pa.Table) -> dict[str, int]:
    """The person of each application."""
    return dict(zip(*(rows.column(c).to_pylist() for c in (KEY, "person_id")), strict=True))


def _said(made: pa.Table) -> list[tuple[int, str]]:
    """Person and change of each row of ``changes``."""
    return list(zip(*(made.column(c).to_pylist() for c in ("person_id", "change")), strict=True))


def export_to(
    night: Night, purpose: str, recipient: str, may: Clearance, approval: str | None = None
) -> Outcome:
    """Sends one recipient its package, and what it once held and is corrected."""
    subject = f"{purpose}/{recipient}"
    previous = read_previous(night, package_name(purpose), recipient, KEY, FIELDS)
    rows = named(night, purpose, recipient, compared(night, purpose, recipient, may, previous))
    ended = _people(rows.filter(pc.field("was") & ~pc.field("stands")))
    causes = causes_of(night, purpose, recipient, ended, previous)
    replaced = _people(rows.filter(pc.field("was") & pc.field("stands")))
    lost = basis_lost(night, purpose, recipient, replaced, previous)
    made = changes(rows, causes, may.held, lost=lost)
    untold = unnoticed(night, subject, {person for person, change in _said(made) if change != "REMOVE"})
    if untold:
        made = changes(rows, causes, may.held, untold, lost)
    said, tonight = _said(made), made.select([KEY, "person_id"])
    made = identified(night, made, previous.snapshot, purpose)
    feeds = {r["feed"]: r for r in night.arrow("conformed/feeds", pa.schema([])).to_pylist()}
    last = feeds["consents"]["last_good_on"]
    until = None if last is None else last + dt.timedelta(days=contracts()["consents"].freshness_days)
    snapshot = applied(previous.snapshot, made, KEY)
    package = Package(
        name=package_name(purpose),
        title=f"Scores of {purpose} for {recipient}",
        recipient=recipient,
        night=night.date,
        key=KEY,
        fields=FIELDS,
        snapshot=snapshot,
        changes=made,
        people=people_of(KEY, snapshot, made, previous, tonight),
        previous=previous,
        approved=not may.held and not untold,
        causes=CAUSES,
        facts=facts(night, until, purpose=purpose, use=USE, scorecard=night.scorecards[purpose].version),
    )
    sent = send_package(
        night, package, lambda path: disclose(night, recipient, subject, said, path, approval)
    )
    send_corrections(
        night,
        purpose,
        recipient,
        pa.chunked_array([*previous.people.chunks, *package.people.chunks], pa.int64()),
        lambda corrected, path: disclose(night, recipient, subject, corrected, path),
    )
    return Outcome(
        sent is not None,
        made if sent else made.slice(0, 0),
        pc.sum(pc.invert(rows["attested"])).as_py() or 0,
        len(untold),
    )


@dataclass(frozen=True)
class ScoresSent:
    """What a night's score packages came to: ``stopped`` has a line a recipient that has no usable key."""

    counts: dict[str, int]
    stopped: tuple[str, ...]
    untold: int


def former_recipients(night: Night) -> list[tuple[str, str]]:
    """Purpose and recipient where the policy names the recipient no more and its last package still holds a score."""
    names = {package_name(p.name): p for p in night.policy.purposes.values()}
    found = []
    for recipient, name in sent_names(night.lake):
        purpose = names.get(name)
        if purpose is None or recipient in purpose.recipients:
            continue
        if read_previous(night, name, recipient, KEY, FIELDS).snapshot.num_rows:
            found.append((purpose.name, recipient))
    return found


def export_scores(night: Night, approval: str | None = None) -> ScoresSent:
    """Sends each recipient of scores its package; a score whose person has no notice waits, the rest does not.

    ``approval`` is the id of the night's approval, which stands with each disclosure that it let out.
    """
    may = clear(night)
    counts = {"score packages": 0, "scores sent": 0, "scores removed": 0}
    stopped: list[str] = []
    unattested, untold = 0, 0
    named = [(p.name, r) for p in night.policy.purposes.values() for r in p.recipients]
    for purpose, recipient in [*named, *former_recipients(night)]:
        try:
            found = export_to(night, purpose, recipient, may, approval)
        except RecipientStopped as e:
            stopped.append(str(e))
            continue
        removed = found.changes.column("change").to_pylist().count("REMOVE")
        counts["score packages"] += found.sent
        counts["scores removed"] += removed
        counts["scores sent"] += found.changes.num_rows - removed
        unattested += found.unattested
        untold += found.untold
    if unattested:
        night.say(
            f"export: {unattested} scores rest on consents that no issuer attests, and do not leave; "
            "deliver the consents with a .sig of a known issuer"
        )
    return ScoresSent(counts, tuple(stopped), untold)
