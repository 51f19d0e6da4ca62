"""The people and the names that a night meets for the first time, for the vault."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jobs.lake.ask import stream
from jobs.lake.night import Night
from jobs.lake.vault import encrypted
from jobs.rules import split
from schemas.tables import VAULT

if TYPE_CHECKING:
    from jobs.arrival import Feed


def new_identities(accepted: str, night: dt.date) -> str:
    """SQL of VAULT's rows of tonight with the identity still as text: a person's first, and each further family name.

    ``accepted`` is a FROM clause of the identities of tonight's accepted rows (:func:`split.identities`), ``vault``
    what the night before held. Of spellings that compare equal the least stands for all.
    """
    return f"""
    WITH variants AS (
        SELECT person_id, name_macs, min(id_mac) AS id_mac, min(birth_mac) AS birth_mac,
               min({{'family_name': family_name, 'given_name': given_name,
                    'birth_date': birth_date, 'national_id': national_id}}) AS said
        FROM {accepted} GROUP BY person_id, name_macs
    ),
    fresh AS (
        SELECT v.*, person_id IN (SELECT person_id FROM vault) AS known,
               row_number() OVER (PARTITION BY person_id ORDER BY said) AS place
        FROM variants v ANTI JOIN vault USING (person_id, name_macs)
    )
    SELECT person_id, id_mac, birth_mac, name_macs,
           said.national_id, said.family_name, said.given_name, said.birth_date,
           CASE WHEN NOT known AND place = 1 THEN 'first' ELSE 'name' END AS event, DATE '{night}' AS night
    FROM fresh
    """


def grow_vault(night: Night, feeds: Sequence[Feed]) -> int:
    """Writes tonight's new people and names into the vault; returns how many rows that is.

    ``feeds`` are those that delivered, their rows written and their identities in scratch.
    """
    if not feeds:
        return int(night.write_arrow("vault", VAULT.arrow().empty_table(), nightly=True)["rows"])
    tables = dict[str, Any]()
    refusing = [feed.name for feed in feeds if feed.told_apart(tables)]
    tables["identities"] = night.lake.scratched("identities")
    tables["vault"] = night.rows_before("vault", VAULT.arrow())
    with stream(new_identities(split.accepted_identities(refusing), night.date), tables) as batches:
        pin = night.write_arrow_stream("vault", encrypted(batches, night.keys), VAULT.arrow())
    return int(pin["rows"])
