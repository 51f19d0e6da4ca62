"""How names are compared (FEEDS, "Identity"): spellings of one name share a key, nothing is guessed."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

# Umlauts are written as the plain vowel by some agencies and with an e by others (DIN 5007-2). Looked for in the
# decomposed form, where a further accent cannot hide the diaeresis.
_UMLAUT = re.compile("([aou])([\u0300-\u036f]*?)\u0308")
_NOT_LETTERS = re.compile(r"[^a-z]+")


def _letters(text: str) -> str:
    return _NOT_LETTERS.sub("", anyascii(text).casefold())


@lru_cache(maxsize=65_536)
def name_keys(name: str) -> tuple[str, ...]:
    """The comparison keys of a name: ASCII letters alone, umlauts both plain and expanded; sorted, distinct.

    NFKC, case folding, transliteration, removal of all else. Two names compare equal when they share a key. There are
    at most two, and none for a name without any letter.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    keys = {_letters(folded)}
    expanded, umlauts = _UMLAUT.subn(r"\1e\2", unicodedata.normalize("NFD", folded))
    if umlauts:
        keys.add(_letters(unicodedata.normalize("NFC", expanded)))
    return tuple(sorted(k for k in keys if k))
