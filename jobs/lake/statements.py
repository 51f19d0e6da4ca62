"""Statements: a person's own score as one file that anybody with the operator's public key can check offline.

For one recipient and one purpose, for 30 days at most, and for nothing else: signed, so that the recipient need not
trust who shows it. Without a recipient it is an unsigned copy that proves nothing: nobody can demand it as a passport.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pysequoia import Cert

from jobs.errors import AssentError, UsageError
from jobs.lake.accesses import reason_given, record_access
from jobs.lake.answer import plain
from jobs.lake.clearsigned import BEGIN, Altered, verified
from jobs.lake.config import load_policy
from jobs.lake.explain import person as everything_about
from jobs.lake.history import Past
from jobs.lake.issuers import certificates_in, fingerprints
from jobs.lake.keys import Keys
from jobs.lake.lake import Lake
from jobs.lake.macs import compacted, stdnum_module
from jobs.lake.outbox import write_whole
from jobs.lake.query import Published
from jobs.lake.recipients import open_operator
from jobs.lake.vault import person_ids
from jobs.rules.bands import without_values
from jobs.rules.floor import SCORE_MAX, SCORE_MIN
from jobs.rules.policy import Policy
from jobs.rules.scorecard import BANDS
from schemas.tables import DISCLOSURES

FORMAT, COPY = "assent-statement-1", "assent-copy-1"
VALID_DAYS = 30
MOST_BYTES = 1 << 20
CHANGE = "STATEMENT"


class Refused(AssentError):
    """No statement can be made: nothing was written. One line, says why and what to do."""


def _use(recipient: str, purpose: str, until: dt.date) -> str:
    return (
        f"For {recipient} and {purpose} alone, until {until.isoformat()}. It is for nothing else: nobody else may ask "
        "for it, keep it or decide by it, and having none says nothing about a person."
    )


def _unnoticed(lake: Lake, person: int, subject: str) -> bool:
    version = lake.version("notices")
    if version is None:
        return True
    mine = (pc.field("person_id") == person) & (pc.field("subject") == subject)
    return int(lake.dataset("notices", version).count_rows(filter=mine)) == 0


def _content(past: Past, keys: Keys, person: int, purpose: str, recipient: str) -> dict[str, Any]:
    """What a statement says; Refused when the score may not leave."""
    night, name = past.night, f"{purpose} for {recipient}"
    (score,) = [
        s for s in everything_about(past, person, purpose)["scores"] if s["recipient"] == recipient
    ] or [None]
    if score is None:
        raise Refused(
            f"statement: on the night of {night} there is no live consent to {name}; deliver one, signed by its issuer"
        )
    consents = [
        c
        for c in past.of("conformed/consented", person)
        if (c["purpose"], c["recipient"]) == (purpose, recipient)
    ]
    known = fingerprints(keys)
    unattested = sum(c.get("attested_by") not in known for c in consents)
    if unattested:
        raise Refused(
            f"statement: {unattested} of {len(consents)} consents to {name} are attested by no issuer; deliver them "
            "with a .sig of a known issuer"
        )
    if score["status"] != "scored":
        raise Refused(
            f"statement: on the night of {night} there is no score of {name} ({score['no_score_reason']})"
        )
    if _unnoticed(past.lake, person, f"{purpose}/{recipient}"):
        raise Refused(
            f"statement: the person has no notice of {name} yet; run `assent notify` for {night} first"
        )
    until = min([night + dt.timedelta(days=VALID_DAYS), *(c["expires_on"] for c in consents)])
    texts = {
        str(c["reason"]["code"]): str(c["reason"]["text"]) for c in past.scorecard(purpose)["characteristics"]
    }
    publication = past.published.publication
    return {
        "format": FORMAT,
        "for": recipient,
        "purpose": purpose,
        "score": score["score"],
        "band": score["band"],
        "scale": {"lowest": SCORE_MIN, "highest": SCORE_MAX, "bands": list(BANDS)},
        "reasons": [{"code": r["code"], "text": without_values(texts[r["code"]])} for r in score["reasons"]],
        "under_review": score["under_review"],
        "scorecard": score["scorecard_version"],
        "night": night.isoformat(),
        "valid_until": until.isoformat(),
        "use": _use(recipient, purpose, until),
        "publication": {k: publication[k] for k in ("run_id", "row_hash", "policy_hash", "floor_hash")},
    }


def _copy(past: Past, person: int, purpose: str) -> dict[str, Any]:
    """An unsigned copy of the person's scores of a purpose, with everything behind them."""
    found = everything_about(past, person, purpose)
    if not found["scores"]:
        raise Refused(f"statement: on the night of {past.night} there is no live consent to {purpose}")
    return {
        "format": COPY,
        "note": "An unsigned copy for the person alone. It proves nothing, and nobody may ask for it.",
        "purpose": purpose,
        "night": past.night.isoformat(),
        "scores": plain(found["scores"]),
        "floor_hash": past.published.publication["floor_hash"],
    }


def _checked(policy: Policy, purpose: str, recipient: str | None) -> None:
    """UsageError for a purpose or recipient that the policy does not name together."""
    if purpose not in policy.purposes:
        raise UsageError(f"purpose {purpose} is not in the policy; name one of {', '.join(policy.purposes)}")
    known = policy.purposes[purpose].recipients
    if recipient is not None and recipient not in known:
        raise UsageError(f"{recipient} receives no score of {purpose}; name one of {', '.join(known)}")


def _disclose(past: Past, person: int, purpose: str, recipient: str) -> None:
    row = {
        "night": past.night,
        "person_id": person,
        "recipient": recipient,
        "subject": f"{purpose}/{recipient}",
        "change": CHANGE,
        "package": "statement",
    }
    past.lake.append_arrow("disclosures", pa.Table.from_pylist([row], schema=DISCLOSURES.arrow()))


def write_statement(
    lake: str, national_id: str, purpose: str, recipient: str | None, out: Path, because: str | None
) -> str:
    """Writes a person's statement (with a recipient) or copy and returns one line on it.

    The look is recorded in ``accesses`` before anything is read, a statement in ``disclosures`` before it is written.
    Refused and nothing written without a live, attested consent, a score and its notice; UsageError for wrong words.
    """
    policy = load_policy()
    _checked(policy, purpose, recipient)
    said = reason_given(because, [national_id], policy.national_id)
    if not out.parent.is_dir():
        raise UsageError(f"{out.parent} is no folder; mend --out")
    place = Lake(lake)
    keys = place.open()
    (person,) = person_ids(lake, [national_id])
    published = Published(place, None)
    record_access(place, [person], "statement", said)
    if person is None:
        raise Refused("statement: the national id is not valid; check it")
    past = Past(published, [person])
    if not past.known(person):
        raise Refused(f"statement: the person is not known on the night of {past.night}")
    about = {"about": {"national_id": compacted(stdnum_module(policy.national_id), national_id)}}
    if recipient is None:
        copied = {**about, **_copy(past, person, purpose)}
        write_whole(out, [json.dumps(copied, ensure_ascii=False, indent=2) + "\n"])
        return f"an unsigned copy of the night of {past.night}; it proves nothing to anybody"
    content = {**about, **_content(past, keys, person, purpose, recipient)}
    operator = open_operator(keys.folder, lambda text: None)
    content["issued_by"] = operator.fingerprint
    text = operator.clear_sign(json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n")
    _disclose(past, person, purpose, recipient)
    write_whole(out, [text])
    return f"a statement for {recipient} and {purpose} alone, until {content['valid_until']}"


def is_statement(path: Path) -> bool:
    """Whether a file looks like a statement or a copy, and not like a package."""
    try:
        with path.open("rb") as file:
            head = file.read(64).lstrip()
    except OSError:
        return False
    return head.startswith((BEGIN[:10].encode(), b"{"))


def check_now(path: Path, key: Path) -> list[str]:
    """As :func:`check_statement` today, with the operator's certificate from a file."""
    certificates = certificates_in(key)
    if not certificates:
        raise UsageError(f"--key {key}: holds no OpenPGP certificate; ask the operator for operator.pub.asc")
    return check_statement(path, certificates, dt.datetime.now(dt.UTC).date())


def check_statement(path: Path, certificates: Sequence[Cert], today: dt.date) -> list[str]:
    """Checks a statement offline and returns what it says, line by line.

    AssentError with one line when it is a copy, was altered, is signed by another key, or holds no longer on ``today``.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES).decode("utf-8")
    except OSError as e:
        raise AssentError(f"{path.name}: cannot be read ({e.strerror}); check the file") from None
    except UnicodeDecodeError:
        raise AssentError(f"{path.name}: altered: it is no text; ask the person for the file again") from None
    if not text.startswith(BEGIN):
        raise AssentError(
            f"{path.name}: not signed: a copy or another file, which proves nothing; believe none of it"
        )
    try:
        signed, by = verified(text, certificates)
        content = json.loads(signed)
        if content["format"] != FORMAT:
            raise Altered("it is signed, and is no statement")
        until, night = (dt.date.fromisoformat(content[k]) for k in ("valid_until", "night"))
        use = _use(str(content["for"]), str(content["purpose"]), until)
        scale, about = content["scale"], content["about"]["national_id"]
        marked = ", under review: a named person has yet to decide" if content["under_review"] else ""
        lines = [
            f"signature good, of {by}",
            f"for {content['for']}",
            f"for {content['purpose']}",
            f"about the person with national id {about}",
            f"score {content['score']} of {scale['lowest']} to {scale['highest']}, band {content['band']}{marked}",
            *(f"reason {r['code']}: {r['text']}" for r in content["reasons"]),
            f"made on the night of {night}, holds until {until}",
            use,
        ]
    except Altered as e:
        raise AssentError(f"{path.name}: altered: {e}; ask the person for the file again") from None
    except (ValueError, KeyError, TypeError):
        raise AssentError(f"{path.name}: signed, and no statement that this version knows") from None
    if today > until:
        raise AssentError(f"{path.name}: signed, and held until {until} only; ask the person for a new one")
    return lines
