"""Turns the UCI file into one delivery of ``transactions`` and ``consents``, dated 2005-10-01, the night to run.

``python -m examples.uci_credit_card.deliver --csv FILE --out DIR``. The outcome column never reaches a delivery.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import hashlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from examples.uci_credit_card.source import MONTHS, NEEDED, NIGHT, identity, read
from jobs.errors import AssentError
from schemas.contract import contracts

# One New Taiwan dollar in euro, fixed for all months, near the rate of September 2005; a scale, not a valuation.
EUR_PER_TWD = 0.025
DAYS_A_STATUS = 30  # PAY_n counts months behind
STATEMENT_DAY, REPAYMENT_DAY = 20, 25


def minor(twd: int) -> int:
    """New Taiwan dollars as minor units of the policy's currency."""
    return round(twd * EUR_PER_TWD * 100)


def bookings(row: dict[str, int]) -> Iterator[dict[str, Any]]:
    """A person's statements and repayments of the six months, oldest first."""
    person = identity(row["ID"])
    for k in range(6, 0, -1):
        month = MONTHS[k - 1]
        status, owed, paid = row[f"PAY_{k}"], row[f"BILL_AMT{k}"], row[f"PAY_AMT{k}"]
        common = {**person, "account_id": f"CARD-{row['ID']}", "currency": "EUR"}
        yield {
            **common,
            "transaction_id": f"S-{row['ID']}-{month}",
            "booked_on": dt.date(2005, month, STATEMENT_DAY).isoformat(),
            "category": "card_statement",
            "amount_minor": -minor(owed),
            "credit_limit_minor": minor(row["LIMIT_BAL"]),
            "days_past_due": max(status, 0) * DAYS_A_STATUS,
        }
        if paid > 0:
            yield {
                **common,
                "transaction_id": f"R-{row['ID']}-{month}",
                "booked_on": dt.date(2005, month, REPAYMENT_DAY).isoformat(),
                "category": "card_repayment",
                "amount_minor": -minor(paid),
            }


def consent(row: dict[str, int]) -> dict[str, Any]:
    """The consent of a person to be scored by the demo lender from these transactions."""
    return {
        **identity(row["ID"]),
        "consent_id": f"C-{row['ID']}",
        "kind": "consent",
        "purpose": "consumer_credit",
        "source": "transactions",
        "recipient": "demo-lender",
        "granted_on": "2005-09-30",
        "expires_on": "2006-09-29",
        "receipt_sha256": hashlib.sha256(f"notice shown to {row['ID']}".encode()).hexdigest(),
        "revised_at": "2005-09-30T12:00:00Z",
    }


def _write(path: Path, feed: str, rows: Iterator[dict[str, Any]]) -> int:
    count = 0
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0, compresslevel=4) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as text,
    ):
        writer = csv.DictWriter(text, contracts()[feed].names, restval="", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


def deliver(source: Path, out: Path) -> dict[str, int]:
    """Writes the delivery and returns its rows by feed."""
    people = read(source, *NEEDED).to_pylist()
    try:
        folder = out / NIGHT.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        return _deliver(people, folder)
    except OSError as e:
        raise AssentError(f"{out} cannot be written ({e.strerror}); name another folder") from None


def _deliver(people: list[dict[str, int]], folder: Path) -> dict[str, int]:
    return {
        "transactions": _write(
            folder / "transactions.csv.gz", "transactions", (b for p in people for b in bookings(p))
        ),
        "consents": _write(folder / "consents.csv.gz", "consents", (consent(p) for p in people)),
    }


@click.command()
@click.option("--csv", "source", type=click.Path(path_type=Path), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(source: Path, out: Path) -> None:
    """Turns the UCI file into deliveries."""
    try:
        counts = deliver(source, out)
    except AssentError as e:
        click.echo(f"deliver: {e}", err=True)
        sys.exit(e.status)
    click.echo(", ".join(f"{k} {v}" for k, v in counts.items()) + f"; the night to run is {NIGHT}")


if __name__ == "__main__":
    main()
