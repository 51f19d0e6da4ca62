"""How names are compared (FEEDS, "Identity"): spellings of one name share a key, nothing is guessed."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

# Umlauts are written as the plain vowel by some agencies and with an e by others (DIN 5007-2).
_EXPANDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_NOT_LETTERS = re.compile(r"[^a-z]+")


def _letters(text: str) -> str:
    return _NOT_LETTERS.sub("", anyascii(text).casefold())


@lru_cache(maxsize=65_536)
def name_keys(name: str) -> tuple[str, ...]:
    """The comparison keys of a name: ASCII letters alone, umlauts both plain and expanded; sorted, distinct.

    NFKC, case folding, transliteration, removal of all else. Two names compare equal when they share a key. A name
    without any letter has none.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    keys = {_letters(folded), _letters(folded.translate(_EXPANDED))}
    return tuple(sorted(k for k in keys if k))
