"""Two nights of four people, delivered by hand and run through the command line."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from stdnum.iso7064 import mod_11_10

FIRST, SECOND = "2026-11-18", "2026-11-19"


def oib(number: int) -> str:
    """A valid national id under hr.oib."""
    digits = str(number)
    return digits + mod_11_10.calc_check_digit(digits)


PEOPLE = {
    "ana": (oib(1000000001), "Anić", "Ana", "1980-02-03"),
    "bo": (oib(1000000002), "Bojić", "Bo", "1975-07-08"),
    "cvita": (oib(1000000003), "Cvitić", "Cvita", "1990-01-01"),
}
STRANGER = oib(1000000009)
COLUMNS = ("national_id", "family_name", "given_name", "birth_date")


@dataclass(frozen=True)
class Place:
    lake: str
    deliveries: Path


def deliver(folder: Path, day: str, feed: str, rows: list[dict[str, object]]) -> None:
    """One CSV file of a feed; ``who`` of a row stands for the identity."""
    from schemas.contract import contracts

    path = folder / day / f"{feed}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, contracts()[feed].names)
        writer.writeheader()
        for row in rows:
            row = dict(row)
            identity = dict(zip(COLUMNS, PEOPLE[str(row.pop("who"))], strict=True))
            writer.writerow({**identity, **row})


def consent(who: str, number: str, purpose: str, source: str, recipient: str, **more: object):
    receipt = hashlib.sha256(f"{who}{number}".encode()).hexdigest()
    return {
        "who": who,
        "consent_id": number,
        "kind": "consent",
        "purpose": purpose,
        "source": source,
        "recipient": recipient,
        "granted_on": "2026-06-01",
        "expires_on": "2027-05-01",
        "receipt_sha256": receipt,
        "revised_at": "2026-06-01T10:00:00Z",
        **more,
    }


FINAL = {
    "authority": "Demo Court",
    "legal_basis": "Enforcement Act art. 1",
    "ordered_on": "2024-03-01",
    "served_on": "2024-03-10",
    "objection_until": "2024-04-10",
    "revised_at": "2024-05-01T10:00:00Z",
    "currency": "EUR",
}


def judgment(number: str, **more: object):
    return {
        "who": "ana",
        "order_id": number,
        "kind": "money_judgment",
        "case_number": f"P-{number}",
        "debt_minor": 120000,
        **FINAL,
        **more,
    }


def bookings() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for n, month in enumerate(["2026-06", "2026-07", "2026-08", "2026-09", "2026-10", "2026-11"]):
        common = {"who": "ana", "account_id": "A1", "currency": "EUR"}
        rows += [
            common
            | {
                "transaction_id": f"S{n}",
                "booked_on": f"{month}-01",
                "category": "salary",
                "amount_minor": 200000,
            },
            common
            | {
                "transaction_id": f"C{n}",
                "booked_on": f"{month}-05",
                "category": "card_statement",
                "amount_minor": -90000,
                "credit_limit_minor": 100000,
                "days_past_due": 45 if month == "2026-10" else 0,
            },
        ]
    # before the window of the features: delivered, accepted, and no input
    rows.append(rows[0] | {"transaction_id": "OLD", "booked_on": "2024-01-02"})
    return rows


def dispute(number: str, feed: str, record: str, day: str):
    return {
        "who": "ana",
        "dispute_id": number,
        "feed": feed,
        "record_id": record,
        "kind": "inaccurate",
        "opened_on": day,
        "revised_at": f"{day}T08:00:00Z",
    }


@pytest.fixture(scope="session")
def place(spark, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The lake after both nights."""
    from jobs.cli import main

    home = tmp_path_factory.mktemp("explained")
    folder = home / "deliveries"
    ana = [
        consent("ana", "K1", "consumer_credit", "transactions", "demo-lender"),
        consent("ana", "K2", "consumer_credit", "court", "demo-lender"),
        consent("ana", "K3", "consumer_credit", "transactions", "other-lender"),
    ]
    bo = [consent("bo", "K4", "motor_cover", "traffic", "demo-insurer")]
    cvita = [consent("cvita", "K5", "consumer_credit", "transactions", "demo-lender")]
    deliver(folder, FIRST, "consents", ana + bo + cvita)
    deliver(folder, FIRST, "transactions", bookings())
    deliver(folder, FIRST, "court", [judgment("J1"), judgment("J2")])
    ban = {k: v for k, v in FINAL.items() if k != "currency"} | {"authority": "Demo Traffic Police"}
    offence = {"who": "bo", "kind": "penalty_points", "severity": "minor", "penalty_points": 3}
    deliver(
        folder,
        FIRST,
        "traffic",
        [
            {**offence, "decision_id": "T1", **ban, "ordered_on": "2024-12-01", "served_on": "2024-12-02"}
            | {"objection_until": "2024-12-30"},
            {"who": "bo", "decision_id": "T2", "kind": "driving_disqualification", "severity": "serious"}
            | {"penalty_points": 0, **ban, "expires_on": "2028-02-29"},
        ],
    )
    deliver(folder, FIRST, "tax", [])
    deliver(folder, FIRST, "disputes", [dispute("D1", "court", "J2", "2026-11-17")])
    withdrawn = ana[1] | {"withdrawn_on": SECOND, "revised_at": "2026-11-18T12:00:00Z"}
    deliver(folder, SECOND, "consents", [withdrawn])
    deliver(folder, SECOND, "disputes", [dispute("D2", "transactions", "C4", "2026-11-18")])
    paid = {"satisfied_on": "2026-11-18", "revised_at": "2026-11-18T12:00:00Z"}
    deliver(folder, SECOND, "court", [judgment("J1", **paid)])
    lake = str(home / "lake")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ASSENT_LAKE", "ASSENT_KEYS", "ASSENT_OUT", "ASSENT_POLICY", "ASSENT_DELIVERIES"):
            patch.delenv(name, raising=False)
        for night in (FIRST, SECOND):
            words = ["night", "--date", night, "--deliveries", str(folder), "--lake", lake, "--approve"]
            assert main(words) == 0
    return Place(lake, folder)
