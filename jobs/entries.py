"""The entries of a register as its recipient sees them: columns, and tonight's rows with identities (DESIGN 6)."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import AssentError
from jobs.lake.ask import ask
from jobs.lake.night import Night
from jobs.lake.packages import Field, schema_of
from jobs.lake.vault import VALUES, read_identities
from jobs.rules.policy import Register
from schemas.contract import contracts

# why an entry leaves a register (RULES, Orders)
REMOVAL_CAUSES = tuple(
    "satisfied set_aside stay appeal expiry dispute correction erasure deceased source_withdrew".split()
)
KEY = Field("record_id", "string", "the order's key at its source; identifies the entry", required=True)
TERM = (
    Field("since", "date", "the night since which the order is listed", required=True),
    Field(
        "until",
        "date",
        "last day of force: the order's or the statute's, whichever is earlier",
        required=True,
    ),
)
NEEDED = frozenset("national_id family_name given_name birth_date authority legal_basis ordered_on".split())
OF_DEBTS = ("judgment_debts", "tax_debts")


def entry_fields(register: Register) -> tuple[Field, ...]:
    """Columns of a snapshot: ``record_id``, what the policy names, ``since`` and ``until``."""
    contract = contracts()[register.feed]
    fields = []
    for name in register.columns:
        known = contract.column(name) if name in contract.names else None
        kind = known.type if known is not None else "string"
        needed = name in NEEDED or (name == "debt_minor" and register.name in OF_DEBTS)
        meaning = name if known is None else f"{known.meaning}, {known.unit}" if known.unit else known.meaning
        fields.append(Field(name, kind, meaning, required=needed))
    return (KEY, *fields, *TERM)


def entry_schema(register: Register) -> pa.Schema:
    """The Arrow schema of :func:`entry_fields`."""
    return schema_of(entry_fields(register))


def entries(night: Night, register: Register) -> tuple[pa.Table, dict[str, int]]:
    """Tonight's entries with the identities that the agency needs, and the person of each order's record."""
    contract = contracts()[register.feed]
    listed = night.arrow("registers", pa.schema([])).filter(pc.field("register") == register.name)
    version = night.pinned(f"conformed/{register.feed}")
    wanted = [c for c in register.columns if c in contract.names and c not in VALUES]
    schema = entry_schema(register)
    people = dict(zip(*(listed.column(c).to_pylist() for c in ("record_id", "person_id")), strict=True))
    listed = listed.filter(pc.field("listed"))
    if listed.num_rows == 0 or version is None:
        return schema.empty_table(), people
    tables = {
        "listed": listed,
        "orders": night.lake.dataset(f"conformed/{register.feed}", version),
        "people": read_identities(night, listed.column("person_id")),
    }
    chosen = [
        f"CAST(p.{c} AS DATE) AS {c}" if c == "birth_date" else f"p.{c}" if c in VALUES else f"o.{c}"
        for c in register.columns
        if c in VALUES or c in wanted
    ]
    table = ask(
        f"SELECT l.record_id, {', '.join(chosen)}, l.since, least(o.expires_on, "
        f"CAST(o.ordered_on + INTERVAL {register.statute_years} YEAR AS DATE) - 1) AS until "
        f"FROM listed l JOIN orders o ON o.{contract.key} = l.record_id AND o.person_id = l.person_id "
        "JOIN people p ON p.person_id = l.person_id ORDER BY l.record_id",
        tables,
    )
    if table.num_rows != listed.num_rows:
        raise AssentError(
            f"export {register.name}: {listed.num_rows - table.num_rows} entries have no order or identity; "
            "nothing is exported, restore the lake from its backup"
        )
    return table.cast(schema), people
