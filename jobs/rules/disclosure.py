"""What a register sends on a night: changes from the recipient's last package, and what waits (RULES, "Orders").

Additions and changes leave when a person has approved, the feed is fresh and no guard is tripped; removals leave every
night. A tripped guard on removals holds back only those that a broken source would also make.

Every table is of one register with ``record_id`` as its key: a row an entry, as the recipient sees it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from jobs.rules.guards import DOUBTFUL, Counts, Guards, Tripped, tripped

KEY = "record_id"
# What `changes` adds to the columns of an entry: what happened, why an entry left, and which columns changed.
CHANGE_COLUMNS = (("change", pa.string()), ("cause", pa.string()), ("changed", pa.string()))
UNKNOWN = "source_withdrew"  # of an entry of which no night says why it left


@dataclass(frozen=True)
class Disclosure:
    """What goes out and what waits.

    ``changes`` has the columns of an entry and :data:`CHANGE_COLUMNS`, sorted by record; ``snapshot`` is the previous
    one with them made. ``due`` counts everything that tonight calls for, ``waiting`` what of it is held back, by
    ADD, CHANGE and REMOVE. ``released`` says that nothing is.
    """

    changes: pa.Table
    snapshot: pa.Table
    due: Counts
    waiting: dict[str, int]
    tripped: tuple[Tripped, ...]
    released: bool


def _in(column: pa.ChunkedArray, values: Collection[str]) -> pa.ChunkedArray:
    return pc.is_in(column, value_set=pa.array(sorted(values), pa.string()))


def _other(a: pa.ChunkedArray, b: pa.ChunkedArray) -> pa.ChunkedArray:
    """Where two columns differ; two nulls do not."""
    same = pc.fill_null(pc.equal(a, b), False)
    return pc.invert(pc.or_(same, pc.and_(pc.is_null(a), pc.is_null(b))))


def compared(previous: pa.Table, current: pa.Table) -> pa.Table:
    """Records that differ: their new and (``old.``) old columns, ``change``, ``changed``, ``another``; a row a record.

    ``changed`` names the columns of a CHANGE, parted by commas. ``another`` is so where the entry is of another
    national id now (of another birth date where the id is not sent).
    """
    columns = [n for n in current.column_names if n != KEY]
    old = previous.select(current.column_names).rename_columns([KEY, *[f"old.{n}" for n in columns]])
    both = (
        current.append_column("new", pa.array([True] * current.num_rows, pa.bool_()))
        .join(
            old.append_column("old", pa.array([True] * old.num_rows, pa.bool_())), KEY, join_type="full outer"
        )
        .sort_by(KEY)
    )
    kept = pc.and_(pc.fill_null(both["new"], False), pc.fill_null(both["old"], False))
    other = {n: _other(both[n], both[f"old.{n}"]) for n in columns}
    nothing = pa.scalar(None, pa.string())
    # each name with its comma, or nothing: joining with null_handling="skip" loses rows (pyarrow 26)
    names = [pc.if_else(pc.and_(kept, other[n]), pa.scalar(f",{n}"), pa.scalar("")) for n in columns]
    changed = pc.utf8_slice_codeunits(pc.binary_join_element_wise(*names, ""), 1)
    changed = pc.if_else(pc.equal(changed, ""), nothing, changed)
    change = pc.if_else(
        pc.is_null(both["old"]),
        pa.scalar("ADD"),
        pc.if_else(
            pc.is_null(both["new"]),
            pa.scalar("REMOVE"),
            pc.if_else(pc.is_valid(changed), pa.scalar("CHANGE"), nothing),
        ),
    )
    identity = next((c for c in ("national_id", "birth_date") if c in columns), None)
    another = pc.and_(kept, other[identity]) if identity else pc.and_(kept, pa.scalar(False))
    made = (
        both.append_column("change", change)
        .append_column("changed", changed)
        .append_column("another", another)
    )
    return made.filter(pc.is_valid(made["change"]))


def leaving(previous: pa.Table, current: pa.Table, held: Collection[str] = ()) -> list[str]:
    """The records of the previous snapshot that tonight has no entry for; ``held`` count as having none."""
    stay = current[KEY].filter(pc.invert(_in(current[KEY], held)))
    gone: list[str] = previous[KEY].filter(pc.invert(pc.is_in(previous[KEY], value_set=stay))).to_pylist()
    return gone


def disclosure(
    previous: pa.Table,
    current: pa.Table,
    causes: Mapping[str, str | None],
    *,
    guards: Guards,
    approved: bool,
    fresh: bool,
    accepted: bool = False,
    held: Collection[str] = (),
) -> Disclosure:
    """What turns the recipient's ``previous`` snapshot into tonight's, and what of it waits.

    ``current`` are tonight's entries; ``causes`` say why each record of :func:`leaving` left, as far as a night knows.
    ``held`` are records that a person or the recipient took out (a recall, a refusal): they leave as a correction, and
    are not added. ``accepted``: a person decided on the tripped guards. An entry that is another person's now leaves
    the former whatever waits.
    """
    current = current.filter(pc.invert(_in(current[KEY], held)))
    found = compared(previous, current)
    remove = pc.equal(found["change"], "REMOVE")
    known = [causes.get(r) for r in found[KEY].to_pylist()] if found.num_rows else []
    said = pa.chunked_array([pa.array(known, pa.string())])
    out = _in(found[KEY], held)
    cause = pc.if_else(pc.and_(out, pc.is_null(said)), pa.scalar("correction"), pc.fill_null(said, UNKNOWN))
    # what no night knows the cause of is not held back, nor what a person or the recipient decided
    doubtful = pc.and_(remove, pc.and_(pc.and_(pc.is_valid(said), _in(said, DOUBTFUL)), pc.invert(out)))
    made = {c: pc.sum(pc.equal(found["change"], c)).as_py() or 0 for c in ("ADD", "CHANGE", "REMOVE")}
    due = Counts(
        before=previous.num_rows,
        after=current.num_rows,
        adds=made["ADD"],
        changes=made["CHANGE"],
        removes=made["REMOVE"],
        doubtful=pc.sum(doubtful).as_py() or 0,
    )
    outside = tripped(guards, due)
    released = approved and fresh and (accepted or not outside)
    holding = any(t.holds_removals for t in outside) and not accepted
    # an entry that is another person's now: a CHANGE when changes leave, else a REMOVE of the former
    change = (
        found["change"] if released else pc.if_else(found["another"], pa.scalar("REMOVE"), found["change"])
    )
    goes = pc.equal(change, "REMOVE")
    if holding:
        goes = pc.and_(goes, pc.invert(doubtful))
    if released:
        goes = pc.or_(goes, pc.invert(remove))
    removed = pc.equal(change, "REMOVE")
    nothing = pa.scalar(None, pa.string())
    columns = {
        n: found[n] if n == KEY else pc.if_else(removed, found[f"old.{n}"], found[n])
        for n in current.column_names
    } | {
        "change": change,
        "cause": pc.if_else(removed, pc.if_else(found["another"], pa.scalar("correction"), cause), nothing),
        "changed": pc.if_else(removed, nothing, found["changed"]),
    }
    schema = pa.schema([*current.schema, *CHANGE_COLUMNS])
    changes = pa.table(columns).filter(goes).cast(schema).combine_chunks()
    left = {c: pc.sum(pc.equal(changes["change"], c)).as_py() or 0 for c in made}
    waiting = {"ADD": made["ADD"] - left["ADD"], "CHANGE": made["CHANGE"] - left["CHANGE"]}
    waiting["REMOVE"] = due.doubtful if holding else 0
    return Disclosure(changes, applied(previous, changes), due, waiting, outside, released)


def applied(previous: pa.Table, changes: pa.Table, key: str = KEY) -> pa.Table:
    """``previous`` with the changes made: tonight's snapshot, sorted by the key."""
    kept = previous.filter(pc.invert(pc.is_in(previous[key], value_set=changes[key])))
    came = changes.filter(pc.not_equal(changes["change"], "REMOVE")).select(previous.column_names)
    return pa.concat_tables([kept, came.cast(previous.schema)]).sort_by(key).combine_chunks()
