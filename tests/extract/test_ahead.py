"""What is made ahead comes in its order, no further ahead than asked, and with its faults."""

from contextlib import closing

import pytest

from jobs.lake.ahead import ahead


def test_items_come_in_their_order():
    assert list(ahead(iter(range(100)))) == list(range(100))
    assert list(ahead(iter([]))) == []


def test_no_more_is_made_than_asked():
    made = []

    def items():
        for n in range(100):
            made.append(n)
            yield n

    with closing(ahead(items(), depth=3)) as found:
        assert next(found) == 0
    assert len(made) <= 4


def test_a_fault_is_raised_where_it_stands():
    def items():
        yield 1
        raise ValueError("two")

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(ValueError, match="two"):
        next(found)
