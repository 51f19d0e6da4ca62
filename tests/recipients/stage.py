"""Published nights written by hand, without Spark, for what follows a publication: notices and packages.

Each night says which applications there are and on which consents they rest; everything else is made to fit, and the real
``publish`` checks that it does.
"""

from __future__ import annotations

import datetime as dt
import io
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pysequoia

from jobs.errors import AssentError
from jobs.generate.issuer import certificate
from jobs.lake.issuers import trust_demo
from jobs.lake.macs import Macs
from jobs.lake.packages import prepare
from jobs.lake.vault import encrypted
from jobs.nightly import open_night, run_step
from jobs.score_packages import export_scores
from schemas.contract import contracts
from schemas.features import FEATURES
from schemas.tables import CONSENTED, DELIVERIES, FEED_STATE, QUARANTINE, REGISTERS, SCORES, TABLES, VAULT
from tests.recipients.conftest import PEOPLE

FIRST = dt.date(2026, 11, 18)
NIGHTS = [FIRST + dt.timedelta(days=n) for n in range(8)]
ISSUER = pysequoia.Cert.from_bytes(certificate().encode()).fingerprint
TEXT, DAY, KEY, FLAG = pa.string(), pa.date32(), pa.int64(), pa.bool_()


@dataclass(frozen=True)
class Application:
    """A person's application: ``delta`` moves the score; ``sources`` -> whether the consent is attested."""

    who: str
    recipient: str = "demo-insurer"
    delta: int = 0
    attested: bool = True
    consent: str = ""  # a number that tells a person's consents apart
    status: str = "scored"
    also: tuple[str, ...] = ()  # optional sources with a consent of their own

    @property
    def consents(self) -> dict[str, str]:
        """Source -> id of the consent."""
        return {self.source: self.consent_id} | {s: f"{self.consent_id}-{s}" for s in self.also}

    @property
    def purpose(self) -> str:
        return {"demo-insurer": "motor_cover"}.get(self.recipient, "consumer_credit")

    @property
    def source(self) -> str:
        return {"motor_cover": "traffic"}.get(self.purpose, "transactions")

    @property
    def consent_id(self) -> str:
        return f"C-{self.who}-{self.recipient}{self.consent}"


@dataclass
class Stage:
    """A lake that is played upon, night by night."""

    root: Path
    given: Path | None = None  # keys made before: those of recipients take gpg some seconds
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.given is not None:
            shutil.copytree(self.given, self.keys)
        night = self._open(FIRST, create=True)
        trust_demo(night.keys, certificate())
        macs = Macs(night.keys, night.policy.national_id)
        self.ids = {w: macs.person_id(identity[0]) for w, identity in PEOPLE.items()}
        self.names = {p: w for w, p in self.ids.items()}
        self.accepted: list[dict[str, Any]] = []
        self.refused: list[dict[str, Any]] = []

    @property
    def lake(self) -> str:
        return str(self.root / "lake")

    @property
    def out(self) -> Path:
        return self.root / "lake.out"

    @property
    def keys(self) -> Path:
        return self.root / "lake.keys"

    def _open(self, date: dt.date, approve: bool = False, create: bool = False):
        return open_night(date, self.lake, approve=approve, create=create, say=self.said.append)

    # -- what was accepted so far
    def declare(self, night: dt.date, who: str, kind: str = "withdrawal", **cells: Any) -> None:
        """A declaration accepted on a night."""
        row = {"consent_id": f"{kind}-{who}-{night}", "granted_on": night, **cells}
        self.accepted.append({"person_id": self.ids[who], "kind": kind, "night": night, **row})

    def doubt(self, night: dt.date, who: str, kind: str) -> None:
        """A declaration that could not be read, but for its person and kind."""
        self.refused.append(
            {
                "night": night,
                "feed": "consents",
                "person_id": self.ids[who],
                "verbatim": f'{{"kind": "{kind}"}}',
            }
        )

    def _consents(
        self, night: dt.date, applications: list[Application], ends: dict[str, dict[str, Any]]
    ) -> None:
        known = {r["consent_id"] for r in self.accepted}
        for a, source, consent_id in ((x, s, c) for x in applications for s, c in x.consents.items()):
            if consent_id not in known:
                self.accepted.append(
                    {
                        "person_id": self.ids[a.who],
                        "consent_id": consent_id,
                        "kind": "consent",
                        "purpose": a.purpose,
                        "source": source,
                        "recipient": a.recipient,
                        "granted_on": dt.date(2026, 6, 1),
                        "expires_on": dt.date(2027, 5, 1),
                        "night": night,
                    }
                )
        for consent_id, cells in ends.items():
            row = next(r for r in reversed(self.accepted) if r["consent_id"] == consent_id)
            self.accepted.append({**row, **cells, "night": night})

    # -- a night
    def publish(
        self,
        date: dt.date,
        applications: list[Application],
        ends: dict[str, dict[str, Any]] | None = None,
        disputes: list[dict[str, Any]] | None = None,
        fresh: bool = True,
    ) -> None:
        """Writes a night's tables and publishes them; ``ends`` revises consents (id -> cells) on that night."""
        night = self._open(date)
        self._consents(date, applications, ends or {})
        current = {r["consent_id"]: r for r in self.accepted}
        scores, features, consented = [], [], []
        for a in applications:
            card = night.scorecards[a.purpose]
            points = [c.neutral for c in card.characteristics]
            points[0] += a.delta
            score = max(350, min(950, card.base + sum(points)))
            key = {"person_id": self.ids[a.who], "purpose": a.purpose, "recipient": a.recipient}
            row = {
                **key,
                "score_date": date,
                "status": a.status,
                "scorecard_version": card.version,
                "sources_used": [a.source],
            }
            if a.status == "scored":
                row |= {
                    "score": score,
                    "band": next(b for b, low in card.bands if score >= low),
                    "points": points,
                    "reasons": [card.characteristics[0].code] if a.delta < 0 else [],
                }
            else:
                row["no_score_reason"] = "source_absent"
            scores.append(row)
            features.append({**key, "sources_used": [a.source], "suspended": []})
            for source, consent_id in a.consents.items():
                dates = {n: current[consent_id][n] for n in ("granted_on", "expires_on")}
                consented.append(
                    {**key, "source": source, "consent_id": consent_id, **dates}
                    | {"attested_by": ISSUER if a.attested else None}
                )
        good = date if fresh else date - dt.timedelta(days=3)
        feeds = [{"feed": f, "last_good_on": good, "fresh": fresh or f != "consents"} for f in contracts()]
        self._write(night, "scores", scores, SCORES.arrow())
        self._write(night, "features", features, FEATURES.arrow())
        self._write(night, "conformed/consented", consented, CONSENTED.arrow())
        self._write(night, "conformed/feeds", feeds, FEED_STATE.arrow())
        self._write(night, "registers", [], REGISTERS.arrow())
        self._write(night, "conformed/consents", list(current.values()), CONSENTS)
        self._write(night, "accepted/consents", self.accepted, CONSENTS)
        self._write(night, "quarantine/consents", self.refused, QUARANTINE.arrow())
        said = [
            {**DISPUTE, **d, "person_id": self.ids[d["who"]], "night": d.get("night", date)}
            for d in disputes or []
        ]
        self._write(night, "conformed/disputes", said, DISPUTES)
        for feed in ("court", "tax", "traffic"):
            key = contracts()[feed].key
            names = [(key, TEXT), ("authority", TEXT), ("legal_basis", TEXT), ("is_order", FLAG)]
            flags = [("person_id", KEY), ("upheld", FLAG), ("disputed", FLAG)]
            self._write(night, f"conformed/{feed}", [], pa.schema([*names, *flags]))
        self._write(night, "deliveries", [], DELIVERIES.arrow())
        if night.pinned("vault") is None:
            self._write(night, "vault", None, VAULT.arrow())
        from jobs.publish import run

        run(night)

    def _write(self, night, table: str, made: list[dict[str, Any]] | None, schema: pa.Schema) -> None:
        if made is None:
            night.write_arrow(table, pa.Table.from_batches(self._vault(night)), nightly=True)
            return
        names = set(schema.names)
        cells = [{k: v for k, v in r.items() if k in names} for r in made]
        night.write_arrow(table, pa.Table.from_pylist(cells, schema=schema), nightly=table == "deliveries")

    def _vault(self, night) -> Iterator[pa.RecordBatch]:
        rows = [
            dict(zip(("national_id", "family_name", "given_name", "birth_date"), identity, strict=True))
            | {"person_id": self.ids[who], "event": "first", "night": night.date, "name_macs": []}
            for who, identity in PEOPLE.items()
        ]
        text = {"national_id", "family_name", "given_name", "birth_date"}
        plain = pa.schema([pa.field(f.name, TEXT if f.name in text else f.type) for f in VAULT.arrow()])
        return encrypted(iter(pa.Table.from_pylist(rows, schema=plain).to_batches()), night.keys)

    def run(self, date: dt.date, *steps: str, approve: bool = False) -> list[str]:
        """Runs notify, and export but for the registers; what was said. AssentError as export raises it."""
        before = len(self.said)
        night = self._open(date, approve)
        for step in steps or ("notify", "export"):
            if step == "export":
                prepare(night)
                sent = export_scores(night)
                if sent.stopped or sent.untold:
                    raise AssentError("; ".join([*sent.stopped, f"{sent.untold} untold"]))
            else:
                run_step(night, step)
        return self.said[before:]

    def package(self, date: dt.date, recipient: str = "demo-insurer", name: str = "") -> dict[str, Any]:
        """What a recipient reads with its own key: rows of ``snapshot`` and ``changes`` by person, and the other files."""
        purpose = Application("", recipient).purpose
        path = self.out / "exports" / recipient / f"{name or f'scores-{purpose}'}-{date}.zip.pgp"
        secret = pysequoia.Tsk.from_file(str(self.keys / "demo-recipients" / f"{recipient}.sec.asc"))
        plain = pysequoia.decrypt(path.read_bytes(), secret.decryptor()).bytes
        of_id = {identity[0]: who for who, identity in PEOPLE.items()}
        with zipfile.ZipFile(io.BytesIO(plain)) as archive:
            found: dict[str, Any] = {
                n: archive.read(n).decode() for n in archive.namelist() if "parquet" not in n
            }
            for table in ("snapshot", "changes"):
                if f"{table}.parquet" in archive.namelist():
                    rows = pq.read_table(io.BytesIO(archive.read(f"{table}.parquet"))).to_pylist()
                    found[table] = {of_id[r["national_id"]]: r for r in rows}
        return found

    def changes(self, date: dt.date, recipient: str = "demo-insurer") -> dict[str, str]:
        """who -> change, of a removal its cause."""
        made = self.package(date, recipient)["changes"]
        return {
            w: r["change"] if r["cause"] is None else f"{r['change']} {r['cause']}" for w, r in made.items()
        }


CONSENTS = pa.schema(
    [
        ("person_id", KEY),
        *[(n, TEXT) for n in ("consent_id", "kind", "purpose", "source", "recipient")],
        *[(n, DAY) for n in ("granted_on", "expires_on", "withdrawn_on", "night")],
        *[(n, FLAG) for n in ("in_doubt", "disputed", "upheld")],
    ]
)
DISPUTES = pa.schema(
    [
        ("person_id", KEY),
        *[
            (n, TEXT)
            for n in ("dispute_id", "feed", "record_id", "kind", "outcome", "certified_by", "verdict")
        ],
        *[(n, DAY) for n in ("opened_on", "resolved_on", "decided_on", "night")],
    ]
)
DISPUTE = {
    "dispute_id": "D-1",
    "feed": "traffic",
    "record_id": "T-1",
    "kind": "inaccurate",
    "opened_on": FIRST,
}
assert {"packages", "disclosures", "notices"} <= set(TABLES)
