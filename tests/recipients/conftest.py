"""Four nights of a dozen people, delivered by hand and run through the command line; what each recipient then holds.

The consents of the people are signed by the demo's issuer, but for Gita's, and for one that Jana adds later.
"""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pysequoia
import pytest
from stdnum.iso7064 import mod_11_10

NIGHTS = ("2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21")
ONE, TWO, THREE, FOUR = NIGHTS
NAMES = "ana bo cvita dino ema filip gita hana ivo jana klara lana".split()


def oib(number: int) -> str:
    """A valid national id under hr.oib."""
    return f"{number}{mod_11_10.calc_check_digit(str(number))}"


PEOPLE = {
    n: (oib(2_000_000_001 + i), f"{n.title()}ić", n.title(), f"1980-02-{i + 1:02}")
    for i, n in enumerate(NAMES)
}
OF_ID = {identity[0]: name for name, identity in PEOPLE.items()}
IDENTITY = ("national_id", "family_name", "given_name", "birth_date")


def assent(*words: object) -> int:
    """The command in this process: its exit status."""
    from jobs.cli import main

    return main([str(w) for w in words])


@dataclass
class Place:
    """A lake with its deliveries, and what was said on each night."""

    root: Path
    said: dict[str, str] = field(default_factory=dict)
    held: dict[str, Any] = field(default_factory=dict)  # the packages of the first night before its approval

    @property
    def lake(self) -> str:
        return str(self.root / "lake")

    @property
    def keys(self) -> Path:
        return self.root / "lake.keys"

    @property
    def out(self) -> Path:
        return self.root / "lake.out"

    @property
    def deliveries(self) -> Path:
        return self.root / "deliveries"

    def deliver(
        self, night: str, feed: str, rows: list[dict[str, Any]], name: str = "", signed: bool = True
    ) -> None:
        """One CSV file; ``who`` of a row stands for the identity."""
        from jobs.generate.issuer import sign
        from schemas.contract import contracts

        path = self.deliveries / night / f"{feed}{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, contracts()[feed].names)
            writer.writeheader()
            for row in rows:
                cells = {k: v for k, v in row.items() if k != "who"}
                writer.writerow({**dict(zip(IDENTITY, PEOPLE[row["who"]], strict=True)), **cells})
        if feed == "consents" and signed:
            sign(path)

    def package(self, recipient: str, purpose: str, night: str) -> dict[str, list[dict[str, Any]]]:
        """What a recipient reads with its own key: ``snapshot`` and ``changes``, with ``who`` for the national id."""
        path = self.out / "exports" / recipient / f"scores-{purpose}-{night}.zip.pgp"
        secret = pysequoia.Tsk.from_file(str(self.keys / "demo-recipients" / f"{recipient}.sec.asc"))
        plain = pysequoia.decrypt(path.read_bytes(), secret.decryptor()).bytes
        found = {}
        with zipfile.ZipFile(io.BytesIO(plain)) as archive:
            for name in ("snapshot", "changes"):
                rows = pq.read_table(io.BytesIO(archive.read(f"{name}.parquet"))).to_pylist()
                found[name] = [{"who": OF_ID[r["national_id"]], **r} for r in rows]
        return found

    def changes(self, recipient: str, purpose: str, night: str) -> dict[str, tuple[str, str | None]]:
        """who -> change and cause."""
        rows = self.package(recipient, purpose, night)["changes"]
        return {r["who"]: (r["change"], r["cause"]) for r in rows}

    def notices(self, night: str) -> list[dict[str, Any]]:
        """The night's letters as the sender reads them, with ``who``."""
        import json

        lines = (self.out / "notices" / f"{night}.ndjson").read_text(encoding="utf-8").splitlines()
        return [{"who": OF_ID[n["to"]["national_id"]], **n} for n in map(json.loads, lines)]


def consent(
    who: str,
    purpose: str = "motor_cover",
    source: str = "traffic",
    recipient: str = "demo-insurer",
    **more: Any,
):
    key = f"C-{who}-{source}-{recipient}"
    return {
        "who": who,
        "consent_id": key,
        "kind": "consent",
        "purpose": purpose,
        "source": source,
        "recipient": recipient,
        "granted_on": "2026-06-01",
        "expires_on": "2027-05-01",
        "receipt_sha256": hashlib.sha256(key.encode()).hexdigest(),
        "revised_at": "2026-06-01T10:00:00Z",
        **more,
    }


def declaration(who: str, kind: str, night: str) -> dict[str, Any]:
    return {
        "who": who,
        "consent_id": f"{kind}-{who}",
        "kind": kind,
        "granted_on": night,
        "revised_at": f"{night}T07:00:00Z",
    }


def judgment(who: str, ordered: str = "2024-03-01", **more: Any) -> dict[str, Any]:
    year = ordered[:4]
    return {
        "who": who,
        "order_id": f"J-{who}",
        "kind": "money_judgment",
        "case_number": f"P-{who}",
        "debt_minor": 120_000,
        "currency": "EUR",
        "authority": "Demo Court",
        "legal_basis": "Enforcement Act art. 1",
        "ordered_on": ordered,
        "served_on": f"{year}-12-01",
        "objection_until": f"{year}-12-20",
        "revised_at": "2025-05-01T10:00:00Z",
        **more,
    }


def bookings(who: str) -> list[dict[str, Any]]:
    months = [f"2026-{m:02}" for m in range(6, 12)]
    common = {"who": who, "account_id": f"A-{who}", "currency": "EUR"}
    salary = {"category": "salary", "amount_minor": 200_000}
    return [{**common, **salary, "transaction_id": f"S-{who}-{m}", "booked_on": f"{m}-01"} for m in months]


def dispute(who: str, record: str, night: str, feed: str = "court", **more: Any) -> dict[str, Any]:
    return {
        "who": who,
        "dispute_id": f"D-{who}",
        "feed": feed,
        "record_id": record,
        "kind": "inaccurate",
        "opened_on": night,
        "revised_at": f"{night}T08:00:00Z",
        **more,
    }


def credit(who: str, recipient: str = "demo-lender", *sources: str) -> list[dict[str, Any]]:
    return [consent(who, "consumer_credit", s, recipient) for s in ("transactions", *sources)]


REVIEW = {"kind": "review"}


def fill(place: Place) -> None:
    """All four nights' deliveries."""
    motor = [consent(w) for w in ("bo", "dino", "ema", "hana", "ivo", "klara", "lana")]
    borrowers = [*credit("ana", "demo-lender", "court"), *credit("ana", "other-lender")]
    borrowers += [*credit("filip", "demo-lender", "court"), *credit("jana")]
    place.deliver(ONE, "consents", [*motor, consent("cvita", expires_on=ONE), *borrowers])
    place.deliver(ONE, "consents", [consent("gita")], "_unsigned", signed=False)
    place.deliver(ONE, "transactions", [b for w in ("ana", "filip", "jana") for b in bookings(w)])
    place.deliver(ONE, "court", [judgment("ana"), judgment("filip", "2019-11-19")])
    for feed in ("tax", "traffic", "education"):
        place.deliver(ONE, feed, [])
    place.deliver(ONE, "disputes", [dispute("hana", "motor_cover/demo-insurer", ONE, "scores", **REVIEW)])

    later = {"revised_at": f"{TWO}T06:00:00Z"}
    place.deliver(
        TWO,
        "consents",
        [
            consent("bo", withdrawn_on=TWO, **later),
            declaration("dino", "erasure", TWO),
            declaration("ema", "death", TWO),
            declaration("lana", "access", TWO),
        ],
    )
    place.deliver(
        TWO, "consents", [consent("jana", "consumer_credit", "tax", "demo-lender")], "_b", signed=False
    )
    upheld = dispute("ana", "J-ana", TWO, resolved_on=TWO, outcome="upheld")
    place.deliver(TWO, "disputes", [upheld, dispute("ivo", "C-ivo-traffic-demo-insurer", TWO, "consents")])
    offence = {
        "kind": "penalty_points",
        "severity": "serious",
        "penalty_points": 9,
        "revised_at": f"{TWO}T01:00:00Z",
    }
    decided = {k: v for k, v in judgment("klara").items() if k in OFFENCE}
    place.deliver(
        TWO, "traffic", [{**decided, **offence, "decision_id": "T-klara", "authority": "Demo Traffic Police"}]
    )
    place.deliver(THREE, "consents", [])
    said = {
        "resolved_on": THREE,
        "outcome": "rejected",
        "certified_by": "Iva Babić",
        "revised_at": f"{THREE}T08:00:00Z",
    }
    place.deliver(
        THREE, "disputes", [dispute("hana", "motor_cover/demo-insurer", ONE, "scores", **REVIEW, **said)]
    )
    place.deliver(FOUR, "consents", [])
    certified = {**upheld, "certified_by": "Court registrar", "revised_at": f"{FOUR}T05:00:00Z"}
    place.deliver(FOUR, "disputes", [certified])
    place.deliver(FOUR, "court", [judgment("ana", revised_at=f"{FOUR}T04:00:00Z")])


OFFENCE = {"who", "authority", "legal_basis", "ordered_on", "served_on", "objection_until"}


@pytest.fixture(scope="session")
def place(spark, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The lake after four nights; the first was approved after it had been held."""
    import contextlib

    made = Place(tmp_path_factory.mktemp("recipients"))
    fill(made)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LAKE", "KEYS", "OUT", "POLICY", "DELIVERIES", "APPROVE"):
            patch.delenv(f"ASSENT_{name}", raising=False)
        for night in NIGHTS:
            err = io.StringIO()
            words = ["night", "--date", night, "--deliveries", made.deliveries, "--lake", made.lake]
            with contextlib.redirect_stderr(err):
                assert assent(*words) == 0, err.getvalue()
                if night == ONE:
                    made.held = made.package("demo-insurer", "motor_cover", ONE)
                    assert assent("export", "--date", night, "--lake", made.lake, "--approve") == 0
            made.said[night] = err.getvalue()
        yield made
