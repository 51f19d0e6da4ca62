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
        (ROWS, {"rows": 3, "refused_given": 2, "refused_typed": 0}, {"a": 1, "b": 1}),
        (ROWS.filter(NONE), {"rows": 1, "refused_given": 0, "refused_typed": 0}, {}),
        (ROWS.filter(pc.scalar(False)), {"rows": 0, "refused_given": 0, "refused_typed": 0}, {}),
    ],
)
def test_counts(rows, refused, by_file):
    assert tallies.refused(rows, rows.count_rows(), ["given", "typed"], "refused_") == refused
    assert tallies.by_file(rows, "len(failed) > 0") == by_file


@pytest.mark.parametrize(("keys", "found"), [([7], False), ([2, 2], True), ([], False), ([None], False)])
def test_any_of(keys, found):
    rows = pa.table({"person_id": pa.array([1, 2, None], pa.int64())})
    assert tallies.any_of(rows, pa.table({"person_id": pa.array(keys, pa.int64())}), "person_id") is found
