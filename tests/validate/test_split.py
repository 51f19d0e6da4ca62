"""Which rows Spark is shown: those of which more than one thing is known, as truth tables."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from jobs.lake.ask import ask
from jobs.rules import split
from schemas.contract import contracts
from tests.tables import rows as table_rows

BINARIES = pa.list_(pa.binary())


def identities(*rows: tuple[int, str, str, str, bool]) -> pa.Table:
    """``person birth names given own``; names are letters."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 5
    return pa.table(
        {
            "person_id": pa.array(columns[0], pa.int64()),
            "birth_mac": pa.array([c.encode() for c in columns[1]], pa.binary()),
            "name_macs": pa.array([[n.encode() for n in c] for c in columns[2]], BINARIES),
            "given_macs": pa.array([[n.encode() for n in c] for c in columns[3]], BINARIES),
            "own": pa.array(columns[4], pa.bool_()),
        }
    )


VAULT = identities((1, "b", "n", "", False), (2, "b", "n", "", False), (2, "b", "m", "", False))


@pytest.mark.parametrize(
    ("rows", "suspected"),
    [
        ([(1, "b", "n", "g", False)], set()),  # as the vault has it
        ([(1, "b", "n", "g", False), (1, "b", "n", "h", True)], set()),  # given names take no part
        ([(1, "c", "n", "g", False)], {1}),  # another birth date than the vault's
        ([(1, "b", "nm", "g", False)], {1}),  # another name, though it compares equal
        ([(2, "b", "n", "g", False)], {2}),  # the vault has two names
        ([(3, "b", "n", "g", False)], set()),  # met for the first time
        ([(3, "b", "n", "g", False), (3, "b", "m", "g", True)], {3}),
        ([(3, "b", "", "g", False)], {3}),  # a name that compares with nothing
        ([(1, "b", "n", "g", False), (3, "b", "n", "g", False), (3, "c", "n", "g", False)], {3}),
    ],
)
def test_whose_identities_may_disagree(rows, suspected):
    found = ask(split.SUSPECTED, {"found": identities(*rows), "vault": VAULT})
    assert set(found.column("person_id").to_pylist()) == suspected


@pytest.mark.parametrize(
    ("given", "people"),
    [
        (["ab"], 0),
        (["ab", "b"], 0),  # they share one
        (["ab", "c"], 1),
        (["ab", "bc", "ca"], 1),  # two share one, the three none
        (["ab", ""], 0),  # nothing to compare
    ],
)
def test_who_is_called_by_two_given_names(given, people):
    found = identities(*((1, "b", "n", g, False) for g in given), (2, "b", "n", "z", False))
    assert ask(split.OTHER_GIVEN_NAMES, {"found": found}).to_pylist() == [{"people": people}]


CONSENTS = pa.table(
    {
        "consent_id": ["a", "b", "b", "c", "d", "e", "f"],
        "kind": ["consent", "consent", "withdrawal", "consent", "consent", "consent", "consent"],
        "person_id": [1, 2, 2, 3, 4, 5, 6],
        "receipt_sha256": ["AB", "ab", None, "cd", "ef", "ΑΣ", "ας"],  # Spark lowers Σ at a word's end to ς
    }
)
BEFORE = pa.table({"consent_id": ["d", "z"], "receipt_sha256": ["CD", "99"]})


@pytest.mark.parametrize(
    ("sql", "before", "found"),
    [
        (split.consents_again, BEFORE.slice(0, 0), {"b"}),
        (split.consents_again, BEFORE, {"b", "d", "z"}),
        (split.receipts_again, BEFORE.slice(0, 0), {"AB", "ab", "ΑΣ", "ας"}),
        (split.receipts_again, BEFORE, {"AB", "ab", "cd", "ΑΣ", "ας"}),
    ],
)
def test_declarations_that_came_again(sql, before, found):
    answer = ask(sql("rows"), {"rows": CONSENTS, "before": before})
    assert set(answer.column(0).to_pylist()) == found


def rows(**columns: list[object]) -> pa.Table:
    """A table whose rows stand in one file."""
    length = len(next(iter(columns.values())))
    return pa.table({"file": ["f"] * length, **columns})


FAILED = rows(row_number=[2], reasons=pa.array([["bad_type"]], pa.list_(pa.string())))
FATES = rows(
    row_number=[3, 4],
    fate=["duplicate", "conflicting_duplicate"],
    first_file=["f", None],
    first_row=pa.array([1, None], pa.int64()),
)
REFUSED = rows(
    row_number=[1, 2],
    reasons=pa.array([["identity_conflict"], ["erased"]], pa.list_(pa.string())),
    contested=[True, False],
)


@pytest.mark.parametrize(
    ("tables", "outcomes"),
    [
        ({"failed": FAILED}, {2: (["bad_type"], False)}),
        (
            {"failed": FAILED, "fates": FATES},
            {2: (["bad_type"], False), 3: ([], False), 4: (["conflicting_duplicate"], False)},
        ),
        (
            {"failed": FAILED, "refused": REFUSED},
            {1: (["identity_conflict"], True), 2: (["bad_type", "erased"], False)},
        ),
        (  # the copy of a row that is refused ends as that row
            {"failed": FAILED, "fates": FATES, "refused": REFUSED},
            {
                1: (["identity_conflict"], True),
                2: (["bad_type", "erased"], False),
                3: (["identity_conflict"], True),
                4: (["conflicting_duplicate"], False),
            },
        ),
    ],
)
def test_what_becomes_of_a_row(tables, outcomes):
    found = ask(split.outcomes(set(tables)), tables).to_pylist()
    assert {r["row_number"]: (r["reasons"], r["contested"]) for r in found} == outcomes


def test_refused_rows_as_they_were_delivered():
    contract = contracts()["education"]
    cells = {n: pa.array([None] * 3, pa.string()) for n in contract.names}
    odd = 'a "quoted"\\ name,\nČžš\u2028\x01{}'
    landed = rows(
        **cells
        | {contract.key: ["k1", "k2", "k3"], "family_name": [odd, None, "gone"]}
        | {"row_error": [None, "malformed_row", None], "raw": [None, '"half a row', None]},
        row_number=[1, 2, 3],
        person_id=[7, None, 9],
    )
    outcomes = rows(
        row_number=[1, 2, 3, 4],
        reasons=pa.array([["bad_type"], ["malformed_row"], ["erased"], []], pa.list_(pa.string())),
        contested=[False] * 4,
    )
    found = ask(split.refused(contract), {"landed": landed, "outcomes": outcomes}).to_pylist()
    told = {r["row_number"]: (r["record_key"], r["verbatim"] and json.loads(r["verbatim"])) for r in found}
    assert told == {
        1: ("k1", {contract.key: "k1", "family_name": odd}),
        2: ("k2", {contract.key: "k2", "raw": '"half a row'}),
        3: (None, None),
    }


# who, how the name is spelled, in which feed, by check or beside others refused (- where accepted)
SPELLED = """
person_id | family_name | feed     | refused  | in_vault
1         | Horvat      | tax      | -        | yes
1         | HORVAT      | consents | -        | yes
2         | Kos         | tax      | conflict | no
2         | Kos         | consents | -        | yes
2         | Babić       | tax      | conflict | no
3         | Novak       | tax      | conflict | no
4         | Jurić       | tax      | check    | no
5         | Vuk         | tax      | check    | no
5         | Vuk         | tax      | -        | yes
"""


@pytest.mark.parametrize("beside", [True, False], ids=["some refused beside others", "by checks alone"])
def test_whose_identities_were_accepted(beside):
    given = [r for r in table_rows(SPELLED) if beside or r["refused"] != "conflict"]
    tables, sources = {}, {}
    for feed in ("tax", "consents"):
        mine = [r for r in given if r["feed"] == feed]
        spelled = list(dict.fromkeys((int(r["person_id"]), r["family_name"]) for r in mine))
        people, names = zip(*spelled, strict=True)
        tables[f"met_{feed}"] = pa.table(
            {"identity": range(len(spelled)), "person_id": people, "family_name": names}
        )
        numbers = list(range(len(mine)))
        tables[f"landed_{feed}"] = rows(
            row_number=numbers,
            identity=[spelled.index((int(r["person_id"]), r["family_name"])) for r in mine],
        )
        for table, ends in (("failed", {"check"}), ("outcomes", {"check", "conflict"})):
            places = [n for n in numbers if mine[n]["refused"] in ends]
            tables[f"{table}_{feed}"] = rows(row_number=pa.array(places, pa.int64()))
        sources[feed] = f"(FROM landed_{feed} ANTI JOIN failed_{feed} USING ({split.PLACE}))"
    tables["identities"] = ask(split.identities(sources, {"consents"}), tables)
    refusing = ["tax"] if beside else []
    found = ask(f"SELECT DISTINCT person_id, family_name FROM {split.accepted_identities(refusing)}", tables)
    assert {(str(r["person_id"]), r["family_name"]) for r in found.to_pylist()} == {
        (r["person_id"], r["family_name"]) for r in given if r["in_vault"] == "yes"
    }
