"""Keyed message authentication codes of identities, made in Arrow so that no key and no name stands in a plan."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import pyarrow as pa
from stdnum.exceptions import ValidationError
from stdnum.util import get_cc_module

from jobs.errors import AssentError
from jobs.lake.keys import Keys
from jobs.rules.identity import name_keys
from schemas.contract import LANDING_COLUMNS

SIZE = 16


@lru_cache(maxsize=4)
def stdnum_module(name: str) -> Any:
    """The stdnum module that a policy names as ``country.number``."""
    country, _, number = name.partition(".")
    module = get_cc_module(country, number) if number else None
    if module is None:
        raise AssentError(f"policy: national_id {name!r} is no module of python-stdnum; mend policy.yaml")
    return module


def compacted(module: Any, national_id: str) -> str | None:
    """The national id in compact form; None when it is not valid."""
    try:
        compact = module.validate(national_id)
    except ValidationError:
        return None
    return str(compact)


class Macs:
    """The codes under a lake's vault key."""

    def __init__(self, keys: Keys, module: str) -> None:
        self.key = keys.vault
        self.module = stdnum_module(module)

    def digest(self, text: str) -> bytes:
        """HMAC-SHA256."""
        return hmac.digest(self.key, text.encode("utf-8", "surrogatepass"), "sha256")

    def person_id(self, compact: str) -> int:
        """The surrogate: 63 bits of the id's HMAC."""
        return int.from_bytes(self.digest(f"id:{compact}")[:8], "big") >> 1

    def birth(self, compact: str, text: str) -> bytes | None:
        """The code of person and birth date; None when the date is none."""
        try:
            if len(text) != 10:
                return None
            day = dt.date.fromisoformat(text)
        except ValueError:
            return None
        return self.digest(f"birth:{compact}:{day.isoformat()}")[:SIZE]

    def names(self, kind: str, compact: str, name: str) -> list[bytes]:
        """The codes of a name's comparison keys."""
        return [self.digest(f"{kind}:{compact}:{key}")[:SIZE] for key in name_keys(name)]

    def columns(self, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        """The landing columns that compare identities, one value a row of the batch's text columns."""
        ids = batch.column("national_id").to_pylist()
        births = batch.column("birth_date").to_pylist()
        families = batch.column("family_name").to_pylist()
        givens = batch.column("given_name").to_pylist()
        known: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        rows = []
        for identity in zip(ids, births, families, givens, strict=True):
            found = known.get(identity)
            if found is None:
                found = known[identity] = self._row(*identity)
            rows.append(found)
        parts: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * 6
        names = ("id_valid", "person_id", "id_mac", "birth_mac", "name_macs", "given_macs")
        made = {n: pa.array(list(p), LANDING_COLUMNS[n]) for n, p in zip(names, parts, strict=True)}
        receipts = (
            [
                None if r is None else self.digest(f"receipt:{r.strip().lower()}")[:SIZE]
                for r in batch.column("receipt_sha256").to_pylist()
            ]
            if "receipt_sha256" in batch.schema.names
            else [None] * batch.num_rows
        )
        return {**made, "receipt_mac": pa.array(receipts, LANDING_COLUMNS["receipt_mac"])}

    def _row(
        self, national_id: str | None, birth: str | None, family: str | None, given: str | None
    ) -> tuple[Any, ...]:
        if national_id is None:
            return (None,) * 6
        compact = compacted(self.module, national_id)
        if compact is None:
            return (False, *(None,) * 5)
        return (
            True,
            self.person_id(compact),
            self.digest(f"mac:{compact}")[:SIZE],
            None if birth is None else self.birth(compact, birth),
            None if family is None else self.names("name", compact, family),
            None if given is None else self.names("given", compact, given),
        )


def person_ids(keys: Keys, national_ids: Sequence[str], module: str) -> list[int | None]:
    """Surrogates of national ids; None where an id is not valid."""
    macs = Macs(keys, module)
    found = [compacted(macs.module, text) for text in national_ids]
    return [None if c is None else macs.person_id(c) for c in found]
