"""What is counted over rows, none at all included."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pytest

from jobs.lake import tallies

FAILED = pa.array([[], ["given"], ["given"]], pa.list_(pa.string()))
ROWS = pads.dataset(pa.table({"file": ["a", "a", "b"], "failed": FAILED}))
NONE = pc.list_value_length(pc.field("failed")) == 0


@pytest.mark.parametrize(
    ("rows", "refused", "by_file"),
    [
        (ROWS, {"refused_given": 2, "refused_typed": 0}, {"a": 1, "b": 1}),
        (ROWS.filter(NONE), {"refused_given": 0, "refused_typed": 0}, {}),
        (ROWS.filter(pc.scalar(False)), {"refused_given": 0, "refused_typed": 0}, {}),
    ],
)
def test_counts(rows, refused, by_file):
    assert tallies.refused(rows, 9, ["given", "typed"], "refused_") == {"rows": 9, **refused}
    assert tallies.by_file(rows, "len(failed) > 0") == by_file
