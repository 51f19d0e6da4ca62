"""What a row is only beside others, as truth tables: ``end`` is what tonight's row of that number must come to.

Where validate shows Spark only the rows that SQL suspects, a table holds of all rows and of those that are left.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs import validate
from jobs.arrival import Feed
from jobs.lake.night import Night
from jobs.rules import matching
from schemas.contract import MET_COLUMNS, contracts
from schemas.tables import VAULT as KNOWN
from tests.extract.conftest import Place
from tests.tables import frame, rows, texts

FIRST = dt.date(2026, 11, 19)
CONSENTS = contracts()["consents"].accepted_ddl()
GIVEN = {
    "purpose": "consumer_credit",
    "source": "transactions",
    "recipient": "demo-lender",
    "granted_on": "2026-01-01",
    "expires_on": "2026-12-01",
    "file": "f",
}
BEFORE = """
consent_id | kind       | person_id | revised_at          | expires_on | withdrawn_on | receipt_sha256
kept       | consent    | 1         | 2026-02-01T00:00:00 | 2026-12-01 | -            | r1
ended      | consent    | 1         | 2026-02-01T00:00:00 | 2026-12-01 | 2026-06-01   | r2
ended      | consent    | 1         | 2026-03-01T00:00:00 | 2026-12-01 | 2026-05-01   | r2
shorter    | consent    | 1         | 2026-02-01T00:00:00 | 2026-12-01 | -            | r3
shorter    | consent    | 1         | 2026-03-01T00:00:00 | 2026-08-01 | -            | r3
said       | withdrawal | 1         | 2026-02-01T00:00:00 | -          | -            | -
"""
TONIGHT = """
row_number | consent_id | kind       | person_id | revised_at          | source | granted_on | expires_on | withdrawn_on | receipt_sha256 | end
1          | kept       | consent    | 1         | 2026-04-01T00:00:00 | transactions | 2026-01-01 | 2026-11-01 | -          | R1 | accepted
2          | kept       | consent    | 1         | 2026-05-01T00:00:00 | transactions | 2026-01-01 | 2026-11-02 | -          | r1 | rewritten
3          | kept       | consent    | 1         | 2026-06-01T00:00:00 | tax          | 2026-01-01 | 2026-11-01 | -          | r1 | rewritten
4          | kept       | consent    | 1         | 2026-07-01T00:00:00 | transactions | 2026-01-01 | 2026-11-01 | 2026-07-01 | r1 | accepted
5          | kept       | consent    | 2         | 2026-08-01T00:00:00 | transactions | 2026-01-01 | 2026-11-01 | -          | r1 | rewritten
6          | kept       | consent    | 1         | 2026-01-02T00:00:00 | transactions | 2026-01-01 | 2027-01-01 | -          | r1 | accepted
7          | kept       | consent    | 1         | 2026-01-03T00:00:00 | transactions | 2026-01-02 | 2026-12-01 | -          | r1 | rewritten
8          | ended      | consent    | 1         | 2026-04-01T00:00:00 | transactions | 2026-01-01 | 2026-12-01 | -          | r2 | rewritten
9          | ended      | consent    | 1         | 2026-05-01T00:00:00 | transactions | 2026-01-01 | 2026-12-01 | 2026-05-02 | r2 | rewritten
10         | ended      | consent    | 1         | 2026-06-01T00:00:00 | transactions | 2026-01-01 | 2026-12-01 | 2026-04-30 | r2 | accepted
11         | shorter    | consent    | 1         | 2026-04-01T00:00:00 | transactions | 2026-01-01 | 2026-08-02 | -          | r3 | rewritten
12         | shorter    | consent    | 1         | 2026-04-02T00:00:00 | transactions | 2026-01-01 | 2026-08-01 | -          | rx | rewritten
13         | said       | consent    | 1         | 2026-04-01T00:00:00 | transactions | 2026-01-01 | 2026-12-01 | -          | r4 | rewritten
14         | new        | consent    | 3         | 2026-04-01T00:00:00 | transactions | 2026-01-01 | 2026-12-01 | -          | r5 | accepted
15         | new        | withdrawal | 4         | 2026-05-01T00:00:00 | -            | 2026-04-01 | -          | -          | -  | rewritten
16         | new        | withdrawal | 3         | 2026-06-01T00:00:00 | -            | 2026-04-01 | -          | -          | -  | accepted
17         | new        | consent    | 3         | 2026-07-01T00:00:00 | transactions | 2026-01-01 | 2026-12-01 | -          | r5 | rewritten
18         | shorter    | withdrawal | 9         | 2026-05-01T00:00:00 | -            | 2026-04-01 | -          | -          | -  | rewritten
"""


def columns(text: str, drop: str) -> str:
    """A table without one column."""
    names = text.strip().splitlines()[0].split("|")
    at = [n.strip() for n in names].index(drop)
    return "\n".join(
        "|".join(c for i, c in enumerate(line.split("|")) if i != at) for line in text.strip().splitlines()
    )


def ends(text: str, word: str) -> set[tuple[str, ...]]:
    """Numbers of the rows that a table ends with a word."""
    return {(r["row_number"],) for r in rows(text) if r["end"] == word}


def published(night: Night, table: str, before: DataFrame) -> None:
    """Makes the night before one that had these rows of a table."""
    if before.isEmpty():
        return
    data = before.withColumn("night", F.lit(FIRST)).toArrow()
    version = night.lake.write_night(table, data.to_reader(), FIRST)
    night.previous = {"night": FIRST, "tables": {table: {"version": version}}}


def delivered(night: Night, feed: str, given: DataFrame) -> Feed:
    """A feed whose landed rows say this, and pass every check."""
    contract, name = contracts()[feed], f"given-{feed}"
    landing = contract.landing_schema()
    text = [F.col(n).cast("string").alias(n) if n in given.columns else F.lit(None) for n in landing.names]
    night.lake.scratch(
        name,
        given.select(*text)
        .toDF(*landing.names)
        .withColumns({n: F.col(n).cast("bigint") for n in ("row_number", "person_id", "identity")}),
    )
    files = [f.removeprefix(f"{night.lake.path}/") for f in night.lake.scratched(name).files]
    made = Feed(night, contract, [{"stopped": None, "landing": files}])
    made.fates = None
    return made


Refused = Callable[[str, DataFrame, DataFrame], DataFrame]


@pytest.fixture(params=["of all rows", "of those suspected"])
def refused(request: pytest.FixtureRequest, spark: Any, place: Place) -> Refused:
    """The consents of tonight that are refused with a reason: ``row_number``."""

    def of_all(reason: str, tonight: DataFrame, before: DataFrame) -> DataFrame:
        rule = {"consent_rewritten": matching.rewritten, "receipt_reused": matching.receipts_reused}[reason]
        return rule(tonight, before)

    def of_suspected(reason: str, tonight: DataFrame, before: DataFrame) -> DataFrame:
        published(place.night, "accepted/consents", before)
        feed = delivered(place.night, "consents", tonight)
        validate._consents({"consents": feed}, place.night)
        return reduce(DataFrame.unionByName, feed.refused).where(F.array_contains("reasons", reason))

    return {"of all rows": of_all, "of those suspected": of_suspected}[request.param]


def test_what_a_consent_may_not_say_again(spark: Any, refused: Refused) -> None:
    before = frame(spark, CONSENTS, BEFORE, **GIVEN)
    tonight = frame(spark, CONSENTS, columns(TONIGHT, "end"), **GIVEN)
    assert texts(refused("consent_rewritten", tonight, before), "row_number") == ends(TONIGHT, "rewritten")


def test_what_a_consent_may_not_say_again_in_one_night(spark: Any, refused: Refused) -> None:
    tonight = frame(spark, CONSENTS, columns(TONIGHT, "end"), **GIVEN)
    found = refused("consent_rewritten", tonight, frame(spark, CONSENTS, BEFORE, **GIVEN).limit(0))
    assert texts(found.where("row_number = 15"), "row_number") == {("15",)}


RECEIPTS = """
row_number | consent_id | person_id | receipt_sha256 | end
1          | a          | 1         | AB             | reused
2          | b          | 2         | ab             | reused
3          | c          | 3         | cd             | accepted
4          | d          | 3         | cd             | accepted
5          | e          | 4         | r1             | reused
6          | f          | 1         | R1             | accepted
7          | g          | 5         | ΑΣ             | reused
8          | h          | 6         | ας             | reused
9          | i          | 5         | İ              | reused
10         | j          | 6         | i̇              | reused
"""


def test_one_receipt_for_two_people(spark: Any, refused: Refused) -> None:
    before = frame(spark, CONSENTS, BEFORE, **GIVEN)
    tonight = frame(spark, CONSENTS, columns(RECEIPTS, "end"), **{**GIVEN, "kind": "consent"})
    assert texts(refused("receipt_reused", tonight, before), "row_number") == ends(RECEIPTS, "reused")


REPEATED = """
row_number | order_id | revised_at          | debt_minor | end
1          | known    | 2026-01-01T00:00:00 | 1            | duplicate
2          | known    | 2026-01-01T00:00:00 | 2            | ambiguous_revision
3          | known    | 2026-01-02T00:00:00 | 2            | -
4          | twice    | 2026-01-01T00:00:00 | 3            | -
5          | twice    | 2026-01-01T00:00:00 | 3            | duplicate
6          | two      | 2026-01-01T00:00:00 | 4            | ambiguous_revision
7          | two      | 2026-01-01T00:00:00 | 5            | ambiguous_revision
8          | two      | 2026-01-01T00:00:00 | 4            | ambiguous_revision
"""


def test_equal_content_is_a_duplicate_and_other_content_is_refused(spark: Any) -> None:
    court = contracts()["court"]
    before = frame(
        spark, court.accepted_ddl(), "order_id | revised_at | debt_minor\nknown | 2026-01-01T00:00:00 | 1"
    )
    tonight = frame(spark, court.accepted_ddl(), columns(REPEATED, "end"), file="f")
    expected = {(r["row_number"], r["end"]) for r in rows(REPEATED)}
    found = matching.repeated(tonight, before, court)
    assert texts(found, "row_number", "fate") == expected
    assert texts(found.where("first_row IS NOT NULL"), "row_number", "first_file", "first_row") == {
        ("5", "f", "4"),
        ("8", "f", "6"),
    }
    alone = matching.repeated(tonight, None, court).where("order_id <> 'known'")
    assert texts(alone, "row_number", "fate") == {e for e in expected if int(e[0]) > 3}


VAULT = """
person_id | birth | names
1         | b1    | old
2         | b2    | mueller+muller
"""
IDENTITIES = """
person_id | birth | names          | own | end
1         | b1    | old            | no  | accepted
1         | b1    | new            | no  | accepted
1         | b1    | new            | yes | accepted
1         | b9    | old            | no  | conflict
1         | b9    | old            | yes | contested
2         | b2    | muller         | no  | accepted
2         | b2    | mueller        | no  | accepted
2         | b2    | mller          | no  | conflict
3         | b3    | one            | no  | conflict
3         | b3    | another        | yes | conflict
4         | b4    | one            | no  | conflict
4         | b5    | one            | no  | conflict
5         | b5    | mueller+muller | no  | accepted
5         | b5    | mueller        | yes | accepted
6         | b6    | -              | no  | conflict
7         | b7    | one            | yes | accepted
"""


def coded(spark: Any, text: str, more: str = "") -> DataFrame:
    """Identities with codes that are letters; none where a name compares with nothing."""
    made = frame(spark, f"person_id BIGINT, birth STRING, names ARRAY<STRING>{more}", text)
    return made.select(
        "person_id",
        F.col("birth").cast("binary").alias("birth_mac"),
        F.coalesce("names", F.array()).cast("array<binary>").alias("name_macs"),
        *(["own"] if more else []),
    )


@pytest.fixture(params=["of all rows", "of those suspected"])
def disagreeing(
    request: pytest.FixtureRequest, spark: Any, place: Place
) -> Callable[[DataFrame, DataFrame], DataFrame]:
    """The identities of tonight that are refused, and whether they are ``contested``."""

    def of_suspected(tonight: DataFrame, vault: DataFrame) -> DataFrame:
        night = place.night
        others = [n for n in KNOWN.names if n not in vault.columns]
        known = vault.join(night.lake.empty(KNOWN.ddl()).select(*others), F.lit(True), "left")
        published(night, "vault", known.select(*KNOWN.names))
        numbered = tonight.withColumn("identity", F.monotonically_increasing_id()).withColumns(
            {"file": F.lit("f"), "row_number": F.col("identity"), "given_macs": F.col("name_macs")}
        )
        numbered = night.lake.scratch("numbered", numbered)
        feeds, met = [], pa.schema(MET_COLUMNS.items())
        for name, own in (("consents", True), ("tax", False)):
            mine = numbered.where(F.col("own") == own)
            feeds.append(delivered(night, name, mine))
            named = mine.withColumn("id_mac", F.col("birth_mac")).toArrow()
            columns = [
                named[n] if n in named.column_names else pa.nulls(len(named), met.field(n).type)
                for n in met.names
            ]
            folder = Path(night.lake.path) / "landing" / "_identities" / str(night.date)
            folder.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.table(columns, met), folder / f"{name}.parquet")
        validate._identities(feeds, night)
        return reduce(DataFrame.unionByName, [r for f in feeds for r in f.refused]).join(
            numbered, matching.PLACE
        )

    return {"of all rows": matching.conflicting, "of those suspected": of_suspected}[request.param]


def test_identities_that_disagree(
    spark: Any, disagreeing: Callable[[DataFrame, DataFrame], DataFrame]
) -> None:
    tonight = coded(spark, columns(IDENTITIES, "end"), ", own BOOLEAN")
    found = disagreeing(tonight, coded(spark, VAULT)).select(
        "person_id",
        F.col("birth_mac").cast("string").alias("birth"),
        F.transform("name_macs", lambda n: n.cast("string")).alias("names"),
        "own",
        F.when(F.col("contested"), "contested").otherwise("conflict").alias("end"),
    )
    assert texts(found, *found.columns) == {
        tuple(r.values()) for r in rows(IDENTITIES) if r["end"] != "accepted"
    }
