"""The people and the names that a night meets for the first time, for the vault."""

from __future__ import annotations

from typing import Any

from jobs.lake import parquet_files
from jobs.lake.ask import stream
from jobs.lake.night import Night
from jobs.lake.vault import encrypted
from schemas.contract import contracts
from schemas.tables import VAULT

# One row a person and set of names that compare equal, of the rows ``accepted`` (a FROM clause) that ``vault`` has not:
# VAULT without ``night``, the identity still as text. Of spellings that compare equal the least stands for all.
NEW_IDENTITIES = """
WITH tonight AS (
    SELECT DISTINCT person_id, id_mac, birth_mac, name_macs, family_name, given_name, birth_date, national_id
    FROM {accepted}
),
variants AS (
    SELECT person_id, name_macs, min(id_mac) AS id_mac, min(birth_mac) AS birth_mac,
           min({{'family_name': family_name, 'given_name': given_name, 'birth_date': CAST(birth_date AS VARCHAR),
                'national_id': national_id}}) AS said
    FROM tonight GROUP BY person_id, name_macs
),
fresh AS (
    SELECT v.*, person_id IN (SELECT person_id FROM vault) AS known,
           row_number() OVER (PARTITION BY person_id ORDER BY said) AS place
    FROM variants v ANTI JOIN vault USING (person_id, name_macs)
)
SELECT person_id, id_mac, birth_mac, name_macs, said.national_id, said.family_name, said.given_name, said.birth_date,
       CASE WHEN NOT known AND place = 1 THEN 'first' ELSE 'name' END AS event
FROM fresh
"""


def new_identities(accepted: str, night: str) -> str:
    """:data:`NEW_IDENTITIES` with the night, in VAULT's order."""
    fresh = NEW_IDENTITIES.format(accepted=accepted)
    return f"SELECT {', '.join(VAULT.names)} FROM (SELECT *, DATE '{night}' AS night FROM ({fresh}))"


def grow_vault(night: Night) -> int:
    """Writes tonight's new people and names into the vault; returns how many rows that is."""
    tables, parts = dict[str, Any](), []
    columns = "person_id, id_mac, birth_mac, name_macs, family_name, given_name, birth_date, national_id"
    for feed in contracts():
        if (version := night.pinned(f"accepted/{feed}")) is not None:
            tables[f"accepted_{feed}"] = parquet_files.rows(
                night.lake, f"accepted/{feed}", version, night.date
            )
            parts.append(f"SELECT {columns} FROM accepted_{feed}")
    if not parts:  # nothing was ever accepted
        return int(night.write_arrow("vault", VAULT.arrow().empty_table(), nightly=True)["rows"])
    before = night.pinned_before("vault")
    tables["vault"] = (
        VAULT.arrow().empty_table() if before is None else parquet_files.rows(night.lake, "vault", before)
    )
    sql = new_identities(f"({' UNION ALL '.join(parts)})", night.date.isoformat())
    with stream(sql, tables) as batches:
        pin = night.write_arrow_stream("vault", encrypted(batches, night.keys), VAULT.arrow())
    return int(pin["rows"])
