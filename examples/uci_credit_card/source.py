"""The source file: its columns, and the synthetic person that stands for each ID."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from jobs.errors import AssentError

NIGHT = dt.date(2005, 10, 1)
MONTHS = (9, 8, 7, 6, 5, 4)  # PAY_1 is September 2005, PAY_6 April
OUTCOME = "DEFAULT_NEXT_MONTH"
OUTCOME_ON = dt.date(2005, 10, 31)  # the outcome is that of October
DEVELOPMENT_SHARE = 0.8
NEEDED = (
    "ID",
    "LIMIT_BAL",
    *(f"PAY_{k}" for k in range(1, 7)),
    *(f"BILL_AMT{k}" for k in range(1, 7)),
    *(f"PAY_AMT{k}" for k in range(1, 7)),
)


def read(path: Path, *columns: str) -> pa.Table:
    """Some columns of the source file as integers; AssentError when it is not such a file."""
    try:
        table = pacsv.read_csv(path)
    except (OSError, pa.ArrowInvalid) as e:
        raise AssentError(f"{path}: not a readable CSV ({type(e).__name__}); give the UCI file") from None
    missing = [c for c in columns if c not in table.column_names]
    if missing:
        raise AssentError(f"{path}: {len(missing)} column(s) missing, first {missing[0]}; give the UCI file")
    for name in columns:
        column = table.column(name)
        try:
            whole = column.null_count == 0 and column.cast(pa.int64()) is not None
        except pa.ArrowInvalid:
            whole = False
        if not whole:
            raise AssentError(f"{path}: column {name} is not whole numbers throughout; give the UCI file")
    return table.select(columns).cast(pa.schema([(c, pa.int64()) for c in columns]))


def national_id(identifier: int) -> str:
    """A synthetic national id with a valid ISO/IEC 7064 MOD 11,10 check digit, one an ID."""
    base = f"{identifier:010d}"
    check = 10
    for digit in base:
        check = (check + int(digit)) % 10 or 10
        check = check * 2 % 11
    return base + str((11 - check) % 10)


def identity(identifier: int) -> dict[str, str]:
    """Invented identity columns of an ID; everybody is an adult, nothing of the original person is told."""
    letters = "".join("abcdefghij"[int(d)] for d in str(identifier))
    return {
        "national_id": national_id(identifier),
        "family_name": f"Client {letters}",
        "given_name": "Synthetic",
        "birth_date": "1970-01-01",
    }


def in_development(identifier: int) -> bool:
    """Whether an ID may help to make a scorecard; the others are held out: nothing is chosen by looking at them."""
    place = int(hashlib.sha256(f"uci-credit-card {identifier}".encode()).hexdigest()[:8], 16) / 2**32
    return place < DEVELOPMENT_SHARE
