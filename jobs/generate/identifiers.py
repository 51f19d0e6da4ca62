"""National ids with a valid ISO/IEC 7064 MOD 11,10 check digit, made in bulk, and the keys of records."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_MODULUS = 10**10
_MULTIPLIER = 7_392_184_573  # coprime to 10, so that index -> base is a bijection: no two people share an id


def check_digits(bases: np.ndarray) -> np.ndarray:
    """The check digit of each ten-digit base (int64 in 0..10^10-1)."""
    check = np.full(bases.shape, 5, dtype=np.int64)
    for place in range(9, -1, -1):
        digit = (bases // 10**place) % 10
        check = np.where(check == 0, 10, check) * 2 % 11
        check = (check + digit) % 10
    digits: np.ndarray = (1 - np.where(check == 0, 10, check) * 2 % 11) % 10
    return digits


def national_id_numbers(index: np.ndarray, seed: int) -> np.ndarray:
    """An eleven-digit number for each person index; distinct indices below 10^10 give distinct numbers."""
    # the product is taken in two halves because 10^10 squared does not fit 64 bits
    high, low = np.divmod(index.astype(np.int64), 10**5)
    step = (high * _MULTIPLIER) % _MODULUS
    base = (step * 10**5 % _MODULUS + low * _MULTIPLIER % _MODULUS + 1_000_003 * (seed % 9_000)) % _MODULUS
    numbers: np.ndarray = base * 10 + check_digits(base)
    return numbers


def national_ids(index: np.ndarray, seed: int) -> pa.Array:
    """The national id of each person index as text of eleven digits."""
    return pc.utf8_lpad(pa.array(national_id_numbers(index, seed)).cast(pa.string()), width=11, padding="0")


def keys(prefix: str, numbers: np.ndarray) -> pa.Array:
    """Record keys ``<prefix><number>`` as text."""
    return pc.binary_join_element_wise(prefix, pa.array(numbers).cast(pa.string()), "")
