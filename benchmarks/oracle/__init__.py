"""A second, independent implementation of features and scoring, in DuckDB SQL.

Written from docs/data-dictionary.md, the rules and the scorecards; it shares no code with ``jobs`` or ``schemas``
(tests/oracle/test_independence.py holds that). Both must give the same ``features`` and ``scores`` for every person,
purpose, recipient and night.

A feature is one line of ``sql/<source>.sql``; the rest follows from its name.
"""
