"""Keyed message authentication codes of identities, made in Arrow so that no key and no name stands in a plan."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

import pyarrow as pa
from stdnum.exceptions import ValidationError
from stdnum.util import get_cc_module

from jobs.errors import AssentError
from jobs.lake.identities import SIZE, Coded, Identities
from jobs.lake.keys import Keys
from jobs.rules.identity import name_keys


@lru_cache(maxsize=4)
def stdnum_module(name: str) -> Any:
    """The stdnum module that a policy names as ``country.number``."""
    country, _, number = name.partition(".")
    module = get_cc_module(country, number) if number else None
    if module is None:
        raise AssentError(f"national_id {name!r} is no module of python-stdnum; name one, as hr.oib")
    return module


def compacted(module: Any, national_id: str) -> str | None:
    """The national id in compact form; None when it is not valid."""
    try:
        return str(module.validate(national_id))  # which is compact() and is_valid(), cleaned once
    except ValidationError:
        return None


def application_ids(keys: Keys, person_ids: Iterable[int], purpose: str, recipient: str) -> list[str]:
    """What a recipient calls applications: the same each night, and of no use to link them with another recipient's."""
    key = keys.vault
    return [
        hmac.digest(key, f"application:{p}:{purpose}:{recipient}".encode(), "sha256").hex()[:24]
        for p in person_ids
    ]


def application_id(keys: Keys, person_id: int, purpose: str, recipient: str) -> str:
    """The same of one application."""
    return application_ids(keys, [person_id], purpose, recipient)[0]


class Macs:
    """The codes under a lake's vault key: HMAC-SHA256 (RFC 2104) with a word for what is coded before the value."""

    def __init__(self, keys: Keys, module: str) -> None:
        self.module = stdnum_module(module)
        # the two halves of HMAC with the key already in: a digest costs half of hmac.digest()
        block = keys.vault.ljust(64, b"\0")
        self._inner = hashlib.sha256(bytes(b ^ 0x36 for b in block))
        self._outer = hashlib.sha256(bytes(b ^ 0x5C for b in block))
        self._identities = Identities(self._row)

    def digest(self, text: str) -> bytes:
        """HMAC-SHA256."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text.encode("utf-8", "surrogatepass"))
        outer.update(inner.digest())
        return outer.digest()

    def valid(self, national_id: str) -> bool:
        """Whether a text is a national id under the policy's module."""
        return bool(self.module.is_valid(national_id))

    def person_id(self, compact: str) -> int:
        """The surrogate: 63 bits of the id's HMAC."""
        return int.from_bytes(self.digest(f"id:{compact}")[:8], "big") >> 1

    def birth(self, compact: str, text: str) -> bytes | None:
        """The code of person and birth date; None when the date is none."""
        try:
            day = dt.date.fromisoformat(text)
        except ValueError:
            return None
        if day.isoformat() != text:  # a week date or the like
            return None
        return self.digest(f"birth:{compact}:{day.isoformat()}")[:SIZE]

    def names(self, kind: str, compact: str, name: str) -> list[bytes]:
        """The codes of a name's comparison keys."""
        return [self.digest(f"{kind}:{compact}:{key}")[:SIZE] for key in name_keys(name)]

    def columns(self, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        """The landing columns that tell identities apart, one value a row of the batch's text columns."""
        return self._identities.columns(batch)

    def naming(self, keep: Callable[[pa.Table], object]) -> AbstractContextManager[None]:
        """Within it, and at its end, ``keep`` is given MET_COLUMNS of the identities that rows name."""
        return self._identities.naming(keep)

    def _row(
        self, national_id: str | None, family: str | None, given: str | None, birth: str | None
    ) -> Coded:
        if national_id is None:
            return None, None, None, None, None, None
        compact = compacted(self.module, national_id)
        if compact is None:
            return False, None, None, None, None, None
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
