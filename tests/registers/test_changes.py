"""What leaves and what waits: the snapshot is always the last package with its changes, and no guard keeps anybody in."""

import dataclasses
import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.rules.disclosure import applied, disclosure, leaving
from jobs.rules.guards import Counts, Guards, tripped
from tests.tables import rows

SCHEMA = pa.schema(
    [
        ("record_id", pa.string()),
        ("national_id", pa.string()),
        ("debt_minor", pa.int64()),
        ("until", pa.date32()),
    ]
)
WIDE = Guards()
LAWFUL = ("satisfied", "set_aside", "stay", "appeal", "expiry", "dispute", "erasure", "deceased")
DOUBTFUL = ("correction", "source_withdrew")


def table(entries):
    """``{record: (person, debt)}`` as a snapshot; a debt of None is null."""
    made = [
        {"record_id": k, "national_id": f"id{p}", "debt_minor": d, "until": d and dt.date(2030, 1, d)}
        for k, (p, d) in sorted(entries.items())
    ]
    return pa.Table.from_pylist(made, schema=SCHEMA)


def told(made):
    return {(r["record_id"], r["change"], r["cause"], r["changed"]) for r in made.changes.to_pylist()}


REGISTER = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.tuples(st.integers(1, 2), st.one_of(st.none(), st.integers(1, 3))),
    max_size=8,
)
NIGHT = st.fixed_dictionaries(
    {
        "now": REGISTER,
        "approved": st.booleans(),
        "fresh": st.booleans(),
        "accepted": st.booleans(),
        "exported": st.booleans(),  # a night without an export is skipped
        "held": st.sets(st.sampled_from("abcdefgh"), max_size=2),
        "guards": st.builds(
            Guards,
            least=st.integers(0, 3),
            most=st.integers(3, 8),
            adds=st.integers(0, 8),
            removes=st.integers(0, 8),
        ),
        "causes": st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(LAWFUL + DOUBTFUL)),
    }
)


@settings(max_examples=150, deadline=None)
@given(st.lists(NIGHT, min_size=1, max_size=8))
def test_over_any_history_previous_and_changes_make_the_snapshot(history):
    previous = table({})
    for night in history:
        if not night["exported"]:
            continue
        current = table(night["now"])
        gone = leaving(previous, current, night["held"])
        keys = ("guards", "approved", "fresh", "accepted", "held")
        made = disclosure(
            previous,
            current,
            {r: night["causes"].get(r) for r in gone},
            **{k: night[k] for k in keys},
        )
        check_by_hand(previous.to_pylist(), night, made)
        # what a recipient does with the file: drop what is named, put in what came, in order of the key
        byhand = {r["record_id"]: r for r in previous.to_pylist()}
        for r in made.changes.to_pylist():
            byhand.pop(r["record_id"], None)
            if r["change"] != "REMOVE":
                byhand[r["record_id"]] = {k: r[k] for k in SCHEMA.names}
        assert made.snapshot.to_pylist() == [byhand[k] for k in sorted(byhand)]
        assert made.snapshot == applied(previous, made.changes)
        assert made.changes["record_id"].to_pylist() == sorted(set(made.changes["record_id"].to_pylist()))
        again = disclosure(made.snapshot, made.snapshot, {}, guards=WIDE, approved=True, fresh=True)
        assert again.changes.num_rows == 0
        previous = made.snapshot


def check_by_hand(previous, night, made):
    """What RULES says of this night, entry by entry, written without the tables."""
    before = {r["record_id"]: r for r in previous}
    now = {r["record_id"]: r for r in table(night["now"]).to_pylist() if r["record_id"] not in night["held"]}
    left, came = set(before) - set(now), set(now) - set(before)
    moved = {k for k in set(before) & set(now) if before[k]["national_id"] != now[k]["national_id"]}
    altered = {k for k in set(before) & set(now) if before[k] != now[k]}
    doubtful = {k for k in left if night["causes"].get(k) in DOUBTFUL and k not in night["held"]}
    guards = night["guards"]
    outside = (
        len(now) < guards.least
        or len(now) > guards.most
        or len(came) > guards.adds
        or len(left) > guards.removes
    )
    free = night["approved"] and night["fresh"] and (not outside or night["accepted"])
    holding = (len(now) < guards.least or len(doubtful) > guards.removes) and not night["accepted"]
    out = {r["record_id"]: r for r in made.changes.to_pylist()}
    removed = {k for k, r in out.items() if r["change"] == "REMOVE"}
    assert removed == (left - doubtful if holding else left) | (set() if free else moved)
    assert {k for k, r in out.items() if r["change"] == "ADD"} == (came if free else set())
    assert {k for k, r in out.items() if r["change"] == "CHANGE"} == (altered if free else set())
    for k in removed:
        fallback = "correction" if k in night["held"] or k in moved else "source_withdrew"
        cause = None if k in moved else night["causes"].get(k)
        assert out[k]["cause"] == (cause or fallback)
        assert {n: out[k][n] for n in SCHEMA.names} == before[k]
    for k in altered & out.keys() - removed:
        names = [n for n in SCHEMA.names if before[k][n] != now[k][n]]
        assert out[k]["changed"] == ",".join(names)
    assert made.released == free
    waiting = {
        "ADD": 0 if free else len(came),
        "CHANGE": 0 if free else len(altered),
        "REMOVE": len(doubtful) if holding else 0,
    }
    assert made.waiting == waiting


# -- one register of 200 entries, of which some leave and some come; what goes out
GUARDED = """
case                    | guards               | adds | removes | cause           | approved | accepted | fresh | out_adds | out_removes
nothing tripped         | adds=9 removes=9     | 9    | 9       | correction      | yes      | no       | yes   | 9        | 9
nobody approved         | adds=9 removes=9     | 9    | 9       | correction      | no       | no       | yes   | 0        | 9
one addition too many   | adds=8               | 9    | 9       | correction      | yes      | no       | yes   | 0        | 9
a guard accepted        | adds=8               | 9    | 9       | correction      | yes      | yes      | yes   | 9        | 9
accepted, not approved  | adds=8               | 9    | 9       | correction      | no       | yes      | yes   | 0        | 9
a late feed             | adds=9               | 9    | 9       | satisfied       | yes      | yes      | no    | 0        | 9
a share of additions    | adds_share=0.04      | 9    | 0       | correction      | yes      | no       | yes   | 0        | 0
the share itself        | adds_share=0.045     | 9    | 0       | correction      | yes      | no       | yes   | 9        | 0
corrections in a mass   | removes=8            | 9    | 9       | correction      | yes      | no       | yes   | 0        | 0
withdrawn in a mass     | removes_share=0.04   | 9    | 9       | source_withdrew | yes      | no       | yes   | 0        | 0
a mass, accepted        | removes=8            | 9    | 9       | source_withdrew | yes      | yes      | yes   | 9        | 9
paid in a mass          | removes=8            | 9    | 9       | satisfied       | yes      | no       | yes   | 0        | 9
annulled in a mass      | removes=8            | 9    | 9       | set_aside       | yes      | no       | yes   | 0        | 9
stayed in a mass        | removes=8            | 9    | 9       | stay            | yes      | no       | yes   | 0        | 9
appealed in a mass      | removes=8            | 9    | 9       | appeal          | yes      | no       | yes   | 0        | 9
expired in a mass       | removes=8            | 9    | 9       | expiry          | yes      | no       | yes   | 0        | 9
disputed in a mass      | removes=8            | 9    | 9       | dispute         | yes      | no       | yes   | 0        | 9
erased in a mass        | removes=8            | 9    | 9       | erasure         | yes      | no       | yes   | 0        | 9
dead in a mass          | removes=8            | 9    | 9       | deceased        | yes      | no       | yes   | 0        | 9
cause that nobody knows | removes=8            | 9    | 9       | -               | yes      | no       | yes   | 0        | 9
too few entries         | least=200            | 0    | 1       | correction      | yes      | no       | yes   | 0        | 0
too few, all paid       | least=200            | 0    | 1       | satisfied       | yes      | no       | yes   | 0        | 1
too many entries        | most=200             | 1    | 0       | correction      | yes      | no       | yes   | 0        | 0
"""


@pytest.mark.parametrize("case", rows(GUARDED), ids=lambda r: r["case"])
def test_a_guard_holds_back_no_removal_that_the_law_makes(case):
    given = {k: float(v) if "." in v else int(v) for k, v in (p.split("=") for p in case["guards"].split())}
    old = {f"o{n:03}": (1, 1) for n in range(200)}
    left = sorted(old)[: int(case["removes"])]
    now = {k: v for k, v in old.items() if k not in left} | {
        f"z{n}": (2, 1) for n in range(int(case["adds"]))
    }
    yes = {"yes": True, "no": False}
    made = disclosure(
        table(old),
        table(now),
        {} if case["cause"] == "-" else dict.fromkeys(left, case["cause"]),
        guards=dataclasses.replace(WIDE, **given),
        **{k: yes[case[k]] for k in ("approved", "accepted", "fresh")},
    )
    out = made.changes["change"].to_pylist()
    assert (out.count("ADD"), out.count("REMOVE")) == (int(case["out_adds"]), int(case["out_removes"]))
    kinds = ("ADD", "REMOVE")
    assert [made.waiting[k] + out.count(k) for k in kinds] == [int(case["adds"]), int(case["removes"])]


@pytest.mark.parametrize(("before", "names"), [(99, ()), (100, ("adds_share",))])
def test_a_share_of_a_handful_is_no_mass(before, names):
    counts = Counts(before=before, after=2 * before, adds=before, changes=0, removes=0, doubtful=0)
    assert tuple(t.guard for t in tripped(WIDE, counts)) == names


WAS = {"same": (1, 1), "altered": (2, 1), "theirs": (3, 1)}
IS = {"same": (1, 1), "altered": (2, 2), "theirs": (4, 1)}


@pytest.mark.parametrize(
    ("approved", "expected"),
    [
        (
            True,
            {("altered", "CHANGE", None, "debt_minor,until"), ("theirs", "CHANGE", None, "national_id")},
        ),
        # what waits for approval never keeps the wrong person listed
        (False, {("theirs", "REMOVE", "correction", None)}),
    ],
)
def test_an_order_that_is_another_persons_leaves_the_former_at_once(approved, expected):
    for guards in (WIDE, dataclasses.replace(WIDE, removes=0)):
        made = disclosure(table(WAS), table(IS), {}, guards=guards, approved=approved, fresh=True)
        assert told(made) == expected


def test_what_a_person_or_the_recipient_took_out_leaves_whatever_guard_and_is_not_added():
    guards = dataclasses.replace(WIDE, removes=0)
    made = disclosure(table(WAS), table(IS | {"new": (5, 1)}), {}, guards=guards, approved=True, fresh=True,
                      held={"same", "new"})  # fmt: skip
    assert ("same", "REMOVE", "correction", None) in told(made)
    assert "new" not in made.snapshot["record_id"].to_pylist()
