"""Which spellings of a name are one name."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.rules.identity import name_keys


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("Čačić", ("cacic",)),
        ("CACIC", ("cacic",)),
        ("Strauß", ("strauss",)),
        ("Strauss", ("strauss",)),
        ("Müller", ("mueller", "muller")),
        ("Mu\u0308ller", ("mueller", "muller")),
        ("MÜLLER", ("mueller", "muller")),
        ("Mueller", ("mueller",)),
        ("Muller", ("muller",)),
        ("Bäcker-Köhler", ("backerkohler", "baeckerkoehler")),
        ("Đurđević", ("durdevic",)),
        ("O'Brien  Smith, 3rd", ("obriensmithrd",)),
        ("ﬁala", ("fiala",)),
        ("Horvat", ("horvat",)),
        ("u\u0323\u0308x", ("uex", "ux")),
        ("---", ()),
        ("", ()),
    ],
)
def test_keys(name: str, keys: tuple[str, ...]) -> None:
    assert name_keys(name) == keys


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Müller", "Muller", True),
        ("Müller", "Mueller", True),
        ("Mueller", "Muller", False),
        ("Čačić", "cacic", True),
        ("Horvat", "Horvath", False),
    ],
)
def test_equal_when_a_key_is_shared(one: str, other: str, same: bool) -> None:
    assert bool(set(name_keys(one)) & set(name_keys(other))) is same


@given(st.text(max_size=30))
def test_few_ascii_keys_whatever_the_form(name: str) -> None:
    keys = name_keys(name)
    assert len(keys) <= 2
    assert list(keys) == sorted(set(keys))
    assert all(k.isascii() and k.isalpha() and k.islower() for k in keys)
    assert name_keys(unicodedata.normalize("NFD", name)) == name_keys(unicodedata.normalize("NFC", name))
