"""The policy in force: the file named by ``ASSENT_POLICY``, or the repository's."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from functools import cache
from pathlib import Path

from jobs.errors import AssentError
from jobs.lake.macs import stdnum_module
from jobs.lake.outbox import texts
from jobs.rules.policy import Policy, compile_policy, parse

REPOSITORY = Path(__file__).resolve().parents[2]


@cache
def code_version() -> str:
    """Version of the distribution, and after a plus sign the first digits of the SHA-256 of its modules.

    What follows from other rules must never be taken for what these would say, also where a version was not raised.
    """
    digest = hashlib.sha256()
    for package in ("expectations", "jobs", "schemas"):
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            digest.update(f"{path.relative_to(REPOSITORY)}\n".encode() + path.read_bytes())
    return f"{importlib.metadata.version('assent')}+{digest.hexdigest()[:12]}"


def policy_path() -> Path:
    """Where the policy is."""
    return Path(os.environ.get("ASSENT_POLICY") or REPOSITORY / "policy.yaml")


def scorecards_folder() -> Path:
    """Where the scorecards are: ``scorecards/`` beside the policy, or the repository's where there is none."""
    own = policy_path().parent / "scorecards"
    return own if own.is_dir() else REPOSITORY / "scorecards"


def load_policy(path: Path | None = None) -> Policy:
    """The compiled policy; AssentError with file and line where it widens the floor or cannot be read."""
    path = path or policy_path()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise AssentError(
            f"{path}: the policy cannot be read ({type(e).__name__}); set ASSENT_POLICY"
        ) from None
    policy = compile_policy(text, str(path))
    for key, known in (("national_id", stdnum_module), ("language", texts)):
        try:
            known(getattr(policy, key))
        except AssentError as e:
            raise parse(text, str(path)).fail(key, str(e)) from None
    _consents_have_texts(policy, text)
    return policy


def _consents_have_texts(policy: Policy, text: str) -> None:
    """PolicyError for a purpose × source that no text explains to a person before consenting."""
    known = texts(policy.language).get("consents") or {}
    for purpose in policy.purposes.values():
        for source in purpose.sources:
            said = (known.get(purpose.name) or {}).get(source)
            if not isinstance(said, str) or not said.strip():
                doc = parse(text, policy.path)
                raise doc.fail(
                    "sources",
                    f"no text says what consenting to {source} for {purpose.name} means; write it under `consents` in "
                    f"jobs/texts/{policy.language}.yaml, or remove the source",
                    doc.node["purposes"][purpose.name],
                )


def contract_line(feed: str, column: str) -> str:
    """Where a column stands in its contract: file and line."""
    lines = (REPOSITORY / "schemas" / f"{feed}.py").read_text(encoding="utf-8").splitlines()
    line = next((i for i, text in enumerate(lines, 1) if f'"{column}"' in text), 1)
    return f"schemas/{feed}.py:{line}"
