"""The deny list of FEEDS.md, "Refused columns": a word however a column writes it, and nothing that only looks like one."""

import pytest

from jobs.rules.floor import denied_word
from schemas.contract import contracts

DENIED = """
speech posts post_text contacts contact_id friends friendCount FRIENDS2 health healthScore health_status religion
religions ethnicity ethnic_origin sex gender Gender_Code marital maritalStatus MARITAL_STATUS marriage nationality
nationalities location locations lastLocation gps_lat trace traces location_trace merchant merchantName MERCHANT_ID item
items item_2 item2 diseases opinions genders races churches spouses coordinates purchases
""".split()
ALLOWED = "posted_on sexton itemised contactless tracked_amount healthy_margin locationless merchandise traced".split()


@pytest.mark.parametrize("column", DENIED)
def test_a_denied_word_is_found_in_any_spelling(column):
    assert denied_word(column)


@pytest.mark.parametrize("column", ALLOWED)
def test_a_longer_word_is_another_word(column):
    assert denied_word(column) is None


def test_no_contract_has_such_a_column():
    assert [n for c in contracts().values() for n in c.names if denied_word(n)] == []


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
        ("nationalities", "nationalities"),
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
