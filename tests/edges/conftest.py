"""Eight nights of a hand-written history, run once through the command line for every test here.

Everybody has the same name and birth date unless a table says otherwise: nothing is joined on a name.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jobs.lake.config import REPOSITORY, load_policy
from jobs.lake.recipients import make_demo_recipients
from schemas.contract import contracts
from tests.edges import consents, orders
from tests.extract.conftest import oib
from tests.tables import rows

NIGHTS = ("2026-02-26", "2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02")
# consents late on the first of these, disputes on the second, transactions on the third
LATE = ("2026-03-04", "2026-03-05", "2026-03-06")
APPROVED = ("2026-02-26", "2026-02-28", "2026-03-05", "2026-03-06")
MONTHS = ("2025-12-05", "2026-01-05", "2026-02-05")
SCORED = {"court": ("cc-tr", "cc-co"), "tax": ("cc-tr", "cc-tax"), "traffic": ("mo-tf",)}


def assent(*words: object) -> int:
    """The command in this process: its exit status."""
    from jobs.cli import main

    return main([str(w) for w in words])


def cells(text: str) -> dict[str, str]:
    """``a=1 b=`` as a mapping; ``_`` in an authority stands for a blank."""
    pairs = (p.split("=", 1) for p in text.split() if p != "-")
    return {k: v.replace("_", " ") if k == "authority" else v for k, v in pairs}


def receipt(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class History:
    """What is delivered by day and feed, the persons by name, and where what was run stands."""

    root: Path
    people: dict[str, int] = field(default_factory=dict)
    rows: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    due: dict[tuple[str, str, int], str] = field(default_factory=dict)  # day, feed, row number -> outcome

    @property
    def deliveries(self) -> Path:
        return self.root / "deliveries"

    @property
    def lake(self) -> Path:
        return self.root / "lake"

    def national_id(self, who: str) -> str:
        return oib(5_000_000_000 + self.people.setdefault(who, len(self.people) + 1))

    def deliver(self, day: str, feed: str, who: str, outcome: str | None = None, /, **values: Any) -> None:
        identity = {
            "national_id": self.national_id(who),
            "family_name": consents.FAMILY_NAMES.get(who, "Horvat"),
            "given_name": "Ana",
            "birth_date": "1980-01-01",
        }
        self.rows[(day, feed)].append({**identity, **values})
        if outcome:
            self.due[(day, feed, len(self.rows[(day, feed)]))] = outcome

    def write(self) -> None:
        for (day, feed), made in self.rows.items():
            path = self.deliveries / day / f"{feed}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, contracts()[feed].names)
                writer.writeheader()
                writer.writerows(made)

    def query(self, sql: str, night: str) -> list[dict[str, Any]]:
        from datetime import date

        from jobs.lake.query import run_query

        return run_query(str(self.lake), sql, date.fromisoformat(night)).to_pylist()

    def run(self, *words: object) -> str:
        """A reader's command over the lake, which must succeed: what it printed."""
        from contextlib import redirect_stdout
        from io import StringIO

        with redirect_stdout(StringIO()) as out:
            assert assent(words[0], *words[1:], "--lake", self.lake) == 0
        return out.getvalue()

    def person_ids(self) -> dict[int, str]:
        """Surrogates as ``assent explain`` tells them -> the person's name here."""
        from jobs.lake.vault import person_ids

        names = list(self.people)
        found = person_ids(str(self.lake), [self.national_id(n) for n in names])
        return {p: n for p, n in zip(found, names, strict=True) if p is not None}


def consent(pair: str, **more: str) -> dict[str, str]:
    purpose, source, recipient = consents.PAIRS[pair]
    made = {
        "kind": "consent",
        "purpose": purpose or "",
        "source": source or "",
        "recipient": recipient or "",
        "granted_on": "2026-01-10",
        "expires_on": "2027-01-01",
        "revised_at": "2026-01-10T08:00:00Z",
    }
    return {**made, **more}


def book(history: History, who: str, day: str = NIGHTS[0]) -> None:
    for i, booked in enumerate(consents.BOOKINGS.get(who, MONTHS)):
        history.deliver(
            day,
            "transactions",
            who,
            transaction_id=f"{who}.{i}",
            account_id="A",
            booked_on=booked,
            category="salary",
            amount_minor=200000,
            currency="EUR",
        )


def order(kind: str, record: str, **more: str) -> tuple[str, dict[str, str]]:
    """The feed and the cells of a sound order."""
    feed, word, _, authority = orders.KINDS[kind]
    made = {
        contracts()[feed].key: record,
        "authority": authority,
        "legal_basis": "Code s. 1",
        "ordered_on": "2025-06-01",
        "served_on": "2025-06-10",
        "objection_until": "2025-07-10",
        "revised_at": "2025-08-01T10:00:00Z",
    }
    if feed == "tax":
        made |= {
            "tax_year": "2024",
            "assessed_on": "2025-05-01",
            "income_minor": "100",
            "tax_due_minor": "20",
        }
        made |= {"tax_paid_minor": "5", "currency": "EUR", "status": word, "debt_minor": "1500"}
    else:
        made |= {"kind": word}
    if feed == "court":
        made |= {"case_number": "P 1", "debt_minor": "1000", "currency": "EUR"}
    if feed == "traffic":
        made |= {"severity": "serious", "penalty_points": "3" if kind == "pts" else "0"}
    if kind in ("dir", "deb", "ban"):
        made |= {"expires_on": "2028-01-01"}
    return feed, {**made, **more}


def _orders(history: History) -> None:
    for case in rows(orders.ORDERS):
        who = case["case"]
        feed, made = order(case["kind"], who, **cells(case["given"]))
        history.deliver(NIGHTS[0], feed, who, **made)
        for step in [] if case["then"] == "-" else case["then"].split(";"):
            day, _, changed = step.strip().partition(" ")
            day = f"2026-{day}"
            new = cells(changed)
            made = {**made, "revised_at": f"{day}T05:00:00Z", **new}
            history.deliver(day, feed, who, **made)
        for i, pair in enumerate(SCORED[feed]):
            history.deliver(
                NIGHTS[0],
                "consents",
                who,
                **consent(pair, consent_id=f"{who}.{i}", receipt_sha256=receipt(who)),
            )
        if "cc-tr" in SCORED[feed]:
            book(history, who)
    feeds = {c["case"]: orders.KINDS[c["kind"]][0] for c in rows(orders.ORDERS)}
    for d in rows(orders.DISPUTES):
        case = d["case"]
        who = "somebody" if case in orders.NOT_OF_THE_RECORD else case
        dispute(history, d, who, feeds[case], case, "identity_conflict" if who == "somebody" else None)


def dispute(
    history: History, d: dict[str, str], who: str, feed: str, record: str, outcome: str | None
) -> None:
    day = f"2026-{d['delivered']}"
    own = {n: "" if d[n] == "-" else d[n] for n in ("resolved_on", "outcome", "certified_by")}
    history.deliver(
        day,
        "disputes",
        who,
        outcome,
        dispute_id=f"{d['case']}.{d['id']}",
        feed=feed,
        record_id=record,
        kind=d["kind"],
        opened_on=d["opened_on"],
        revised_at=f"{day}T03:00:00Z",
        **own,
    )


def _consents(history: History) -> None:
    for r in rows(consents.ROWS):
        who, day = r["who"], f"2026-{r['day']}"
        made = consent(r["pair"], consent_id=f"{who}.{r['id']}", granted_on=r["granted_on"])
        made |= {"kind": r["kind"], "revised_at": f"{day}T04:00:00Z"}
        if r["kind"] == "consent":
            made |= {"receipt_sha256": receipt(made["consent_id"])}
        else:
            made |= {"expires_on": ""}
        more = cells(r["more"])
        if more.get("receipt_sha256"):
            more["receipt_sha256"] = receipt(more["receipt_sha256"])
        history.deliver(day, "consents", who, r["outcome"], **{**made, **more})
    for who in sorted({r["who"] for r in rows(consents.ROWS)}):
        book(history, who, NIGHTS[1] if who == "two-births" else NIGHTS[0])
    for e in rows(consents.ENTRIES):
        feed, made = order("mj", f"J-{e['who']}")
        history.deliver(NIGHTS[0], feed, e["who"], **made)


def build(root: Path) -> History:
    history = History(root)
    _orders(history)
    _consents(history)
    none = {"resolved_on": "-", "outcome": "-", "certified_by": "-", "kind": "inaccurate"}
    opened = {"opened_on": "2026-02-27", "delivered": "02-27"} | none
    closed = opened | {"resolved_on": "2026-03-01", "outcome": "rejected", "delivered": "03-01"}
    for d in (opened, closed):
        dispute(
            history, d | {"case": "disputed-c", "id": "1"}, "disputed-c", "consents", "disputed-c.1", None
        )
    for d in (opened, closed | {"resolved_on": "2026-02-28", "delivered": "02-28"}):
        dispute(history, d | {"case": "struck", "id": "1"}, "struck", "transactions", "struck.1", None)
    award = {"institution": "Uni", "isced_level": "6", "awarded_on": "2015-01-01"}
    for who in ("student", "old-pair", "new-pair"):
        award |= {"award_id": f"E-{who}", "revised_at": "2025-01-01T00:00:00Z"}
        history.deliver(NIGHTS[0], "education", who, **award)
        if who != "student":
            feed, made = order("tax", f"T-{who}", status="assessed")
            history.deliver(NIGHTS[0], feed, who, **made)
    feed, made = order("tax", "all-sources", status="assessed")
    history.deliver(NIGHTS[2], feed, "all-sources", **made)
    # the married person's records come under either name; nobody else's channel may bring a new one
    for day, record, name, outcome in (
        (NIGHTS[2], "M1", "Kovac", "accepted"),
        (NIGHTS[2], "M2", "Horvat", "accepted"),
        (NIGHTS[2], "M3", "Novak", "identity_conflict"),
    ):
        feed, made = order("mj", record, served_on="")
        history.deliver(day, feed, "married", outcome, **made, family_name=name)
    # rows of the erased person
    feed, made = order("mj", "after-erasure")
    history.deliver(NIGHTS[3], feed, "erased", "erased", **made)
    # a record that is another person's from the third night on, and one that is in another register
    feed, made = order("mj", "handed-over")
    history.deliver(NIGHTS[0], feed, "giver", **made)
    history.deliver(NIGHTS[2], feed, "taker", **{**made, "revised_at": "2026-02-28T05:00:00Z"})
    feed, made = order("mj", "reclassified")
    history.deliver(NIGHTS[0], feed, "reclassified", **made)
    history.deliver(
        NIGHTS[2],
        feed,
        "reclassified",
        **{**made, "kind": "insolvency", "revised_at": "2026-02-28T05:00:00Z"},
    )
    # the late nights: court alone brings one more order and one payment
    feed, made = order("mj", "late-order")
    history.deliver(LATE[1], feed, "late-order", **made)
    feed, made = order("mj", "sound", satisfied_on="2026-03-05", revised_at="2026-03-05T05:00:00Z")
    history.deliver(LATE[1], feed, "sound", **made)
    # header only: a good delivery of none
    for night in NIGHTS:
        for name in ("consents", "disputes", *(("traffic", "transactions") if night == NIGHTS[4] else ())):
            history.rows.setdefault((night, name), [])
    history.rows[(LATE[1], "consents")] = []
    history.rows[(LATE[2], "consents")] = []
    history.rows[(LATE[2], "disputes")] = []
    return history


def policy(root: Path, night: str) -> Path:
    """The repository's policy with two disputes extended, a younger purpose, and from the second night on one pair more.

    On the first night a scorecard that asks for no more than that stands beside it; then the repository's serve.
    """
    text = (REPOSITORY / "policy.yaml").read_text(encoding="utf-8")
    extended = json.dumps(list(orders.EXTENDED))
    changes = [("dispute_extensions: []", f"dispute_extensions: {extended}")]
    changes += [("  study_finance:\n    since: 2000-01-01", "  study_finance:\n    since: 2026-02-01")]
    if night == NIGHTS[0]:
        changes += [("[education, transactions, tax]", "[education, transactions]")]
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = root / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    shutil.rmtree(root / "scorecards", ignore_errors=True)
    if night == NIGHTS[0]:
        shutil.copytree(REPOSITORY / "scorecards", root / "scorecards")
        card = root / "scorecards" / "study_finance.yaml"
        narrow = card.read_text(encoding="utf-8").replace("[transactions, tax]", "[transactions]")
        card.write_text(narrow[: narrow.index("  - feature: tax_in_arrears")], encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def history(spark, tmp_path_factory: pytest.TempPathFactory):
    made = build(tmp_path_factory.mktemp("edges"))
    made.write()
    # a policy of one's own has no demo recipients: their certificates are given before the first night
    make_demo_recipients(made.root / "lake.keys", load_policy(REPOSITORY / "policy.yaml"), print)
    with pytest.MonkeyPatch.context() as patch:
        forget_settings(patch)
        for night in (*NIGHTS, *LATE):
            patch.setenv("ASSENT_POLICY", str(policy(made.root, night)))
            words = ["night", "--date", night, "--deliveries", made.deliveries, "--lake", made.lake]
            assert assent(*words, *(["--approve"] if night in APPROVED else [])) == 0
    return made


def forget_settings(patch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("ASSENT_")]:
        if name not in ("ASSENT_JVM", "ASSENT_DRIVER_MEMORY"):
            patch.delenv(name)


@pytest.fixture(autouse=True)
def settings(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test of the history is told the policy of its last night, and no other test is."""
    if "history" in request.fixturenames:
        made = request.getfixturevalue("history")
        forget_settings(monkeypatch)
        monkeypatch.setenv("ASSENT_POLICY", str(made.root / "policy.yaml"))
