"""Who looked at a person, when and why: one row of ``accesses`` a look, written before anything is shown."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa
from deltalake.exceptions import DeltaError

from jobs.errors import AssentError, UsageError
from jobs.lake.actor import actor, moment
from jobs.lake.lake import Lake
from jobs.lake.macs import compacted, stdnum_module
from schemas.tables import ACCESSES

NOT_STATED = "not stated"
LONGEST_REASON = 500


def reason_given(because: str | None, national_ids: Sequence[str], module: str) -> str:
    """The reason of a look on one line; UsageError when it names a person by a national id (stdnum ``module``)."""
    said = " ".join((because or "").split())
    words = re.split(r"[^\w-]+", said)
    named = any(i and i in said for i in national_ids)
    if named or any(compacted(stdnum_module(module), w) for w in words if w):
        raise UsageError("--because holds a national id; say why without naming the person")
    return said[:LONGEST_REASON] or NOT_STATED


def record_access(lake: Lake, people: Sequence[int | None], command: str, because: str) -> None:
    """One row of ``accesses`` a person looked at; AssentError, and nothing is shown, when it cannot be written."""
    looked = moment()  # a look has a clock, no night
    rows = [
        {
            "accessed_at": looked,
            "actor": actor(),
            "command": command,
            "person_id": person,
            "because": because,
        }
        for person in people
    ]
    try:
        lake.append_arrow("accesses", pa.Table.from_pylist(rows, schema=ACCESSES.arrow()))
    except (OSError, DeltaError) as e:
        raise AssentError(
            f"accesses: the look cannot be recorded ({type(e).__name__}), so nothing is shown; "
            "check the rights on the lake"
        ) from None
