"""A scorecard of any size stays inside methods that HotSpot compiles, and compiled gives what interpreted gives."""

import datetime as dt
import subprocess
import sys

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from jobs.lake.config import REPOSITORY, load_policy
from jobs.lake.scorecards import load_scorecards
from jobs.rules.compiler import MOST_BINS, MOST_CHARACTERISTICS
from jobs.rules.scorecard import Bin, Characteristic, Scorecard
from jobs.score import scores
from schemas.features import FEATURES, NAMES
from tests.tables import local

NIGHT = dt.date(2026, 11, 20)
COMPILED_BELOW = 8_000  # bytes of a method; above it HotSpot never compiles (-XX:-DontCompileHugeMethods)
CARDS = load_scorecards(load_policy())


def largest(pairs: bool) -> Scorecard:
    """As many characteristics and bins as a file may hold, of one feature each or of two."""
    made = []
    for i in range(MOST_CHARACTERISTICS):
        one, other = NAMES[i % len(NAMES)], NAMES[(i + 1) % len(NAMES)]
        features = (one, other) if pairs else (one,)
        bins = [Bin(tuple(float(b) for _ in features), -b) for b in range(MOST_BINS - 1)]
        made.append(Characteristic(features, 0, f"CODE_{i}", "a text", (*bins, Bin(None, 1)), ()))
    card = CARDS["consumer_credit"]
    return Scorecard(
        card.purpose, "9", card.base, card.bands, card.required, (), card.minimum, tuple(made), "", ""
    )


def people(values, purpose):
    return [
        {
            "person_id": i,
            "purpose": purpose,
            "recipient": "x",
            **row,
            "sources_used": list(CARDS[purpose].required),
            "suspended": [],
        }
        for i, row in enumerate(values)
    ]


# In a JVM of its own, whose statistics are of this query alone. Stages are off: over the limit Spark leaves them out.
SIZES = """
import pickle, sys
from jobs.lake.spark import spark_session
spark = spark_session()
assert spark.conf.get("spark.sql.codegen.hugeMethodLimit") == "8000"
spark.conf.set("spark.sql.codegen.wholeStage", "false")
from jobs.score import scores
from tests.score.test_compiled import NIGHT, largest
features = spark.read.parquet(sys.argv[1])
for pairs in (False, True):
    (made,) = scores(features, {"consumer_credit": largest(pairs)}, NIGHT).collect()
    assert made["points"] == [-4] * 40, made  # 3.5 lies below 4
    assert made["reasons"] == ["CODE_0", "CODE_1", "CODE_2", "CODE_3"], made
found = spark._jvm.org.apache.spark.metrics.source.CodegenMetrics.METRIC_GENERATED_METHOD_BYTECODE_SIZE()
print(found.getCount(), found.getSnapshot().getMax())
"""


def test_every_method_of_the_largest_scorecard_is_compiled(spark, tmp_path):
    rows = local(spark, FEATURES.ddl(), people([dict.fromkeys(NAMES, 3.5)], "consumer_credit"))
    rows.write.parquet(str(tmp_path / "features"))
    run = subprocess.run(
        [sys.executable, "-c", SIZES, str(tmp_path / "features")],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    methods, size = map(int, run.stdout.split())
    assert methods > 2 * MOST_CHARACTERISTICS
    assert size < COMPILED_BELOW


VALUE = st.one_of(st.none(), st.sampled_from([0.0, 0.04, 0.3, 0.5, 0.9, 1.0, 2.0, 5.0, 12.0, 99.0, 120.0]))


@seed(7)
@settings(max_examples=1, deadline=None)
@given(st.lists(st.fixed_dictionaries({n: VALUE for n in NAMES}), min_size=60, max_size=60))
def test_compiled_and_interpreted_are_equal(spark, values):
    given_rows = local(
        spark, FEATURES.ddl(), [row for purpose in CARDS for row in people(values, purpose)]
    ).repartition(2)
    found = []
    before = spark.conf.get("spark.sql.codegen.wholeStage")
    for compiled in ("true", "false"):
        spark.conf.set("spark.sql.codegen.wholeStage", compiled)
        found.append(sorted(scores(given_rows, CARDS, NIGHT).collect(), key=lambda r: (r[1], r[0])))
    spark.conf.set("spark.sql.codegen.wholeStage", before)
    assert found[0] == found[1]
    assert len(found[0]) == 3 * len(values)
