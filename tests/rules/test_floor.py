"""The deny list reaches a word however a column writes it, and nothing that only looks like one."""

import pytest

from jobs.rules.floor import denied_word


@pytest.mark.parametrize(
    ("column", "word"),
    [
        ("marital_status", "marital"),
        ("maritalStatus", "marital"),
        ("homeGPS", "gps"),
        ("SEXCode", "sex"),
        ("x1sex", "sex"),
        ("opinion.text", "opinion"),
        ("userLocation2", "location"),
        ("Locations", "location"),
        ("nationalities", "nationality"),
        ("sexes", "sex"),
        ("merchants", "merchant"),
        ("status", None),
        ("address", None),
        ("itemized", None),
        ("postal", None),
        ("national_id", None),
        ("legal_basis", None),
    ],
)
def test_a_denied_word_is_found(column, word):
    assert denied_word(column) == word
