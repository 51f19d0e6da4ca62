"""A night over an empty lake, shared with the tests of extract."""

from tests.extract.conftest import place

__all__ = ["place"]
