"""The ledgers: tables that are appended to beside publications, of what was told, sent, decided, answered and seen."""

from __future__ import annotations

from schemas.table import Table

NOTICES = Table(
    "notices",
    "one row a notice",
    (
        ("night", "DATE", "night"),
        ("notice_id", "STRING", "follows from night, kind, person and subject"),
        ("kind", "STRING", "score, adverse_action, listing, removal, reinserted, review or access"),
        ("person_id", "BIGINT", "surrogate"),
        ("subject", "STRING", "<purpose>/<recipient>, <register>/<record_id> or <feed>/<record_id>"),
        ("template", "STRING", "template and language"),
    ),
)
DISCLOSURES = Table(
    "disclosures",
    "one row a person's entry or score in a package",
    (
        ("night", "DATE", "night"),
        ("person_id", "BIGINT", "surrogate"),
        ("recipient", "STRING", "who received it"),
        ("subject", "STRING", "<register>/<record_id>, or <purpose>/<recipient>"),
        (
            "change",
            "STRING",
            "ADD, CHANGE, REMOVE, RECALL, CORRECTION (of what was sent before) or STATEMENT",
        ),
        ("package", "STRING", "path of the package or notice under the exports folder, or statement"),
        ("approval", "STRING", "approval that let an ADD or CHANGE out, else null"),
    ),
)
APPROVALS = Table(
    "approvals",
    "one row a decision on what a night sends",
    (
        ("night", "DATE", "night decided on"),
        ("approval_id", "STRING", "follows from the rest of the row"),
        (
            "decision",
            "STRING",
            "approve, approve_other (not of what was due), reject, no_answer or accept_guard",
        ),
        ("register", "STRING", "register whose tripped guards were accepted; null: all that waits"),
        ("decided_by", "STRING", "operating-system or Airflow user; null when nobody answered"),
        ("decided_at", "TIMESTAMP", "when (UTC)"),
        ("channel", "STRING", "command, airflow or unattended"),
        ("because", "STRING", "coded reason, as given"),
        ("row_hash", "STRING", "row_hash of the publication decided on"),
        ("counts", "STRING", "JSON object: register -> what was due and which guards were tripped"),
        ("sight_hash", "STRING", "SHA-256 of row_hash and counts: what the person had in sight"),
        ("waiting", "BIGINT", "additions and changes that wait after the decision"),
    ),
)
HOLDS = Table(
    "holds",
    "one row a person's decision on holding an entry back",
    (
        ("decided_at", "TIMESTAMP", "when (UTC)"),
        ("night", "DATE", "last published night then"),
        ("register", "STRING", "register"),
        ("record_id", "STRING", "key of the order"),
        ("person_id", "BIGINT", "surrogate, null when nobody was ever sent"),
        ("event", "STRING", "recall, release or keep"),
        ("revised_at", "TIMESTAMP", "version of the record then; a newer one ends a recall"),
        ("decided_by", "STRING", "operating-system user"),
        ("because", "STRING", "why, as given"),
    ),
)
RETURNS = Table(
    "returns",
    "one row an agency's answer on an entry",
    (
        ("night", "DATE", "night that took it"),
        ("taken_at", "TIMESTAMP", "when it was taken (UTC)"),
        ("register", "STRING", "register"),
        ("recipient", "STRING", "who answered"),
        ("package_on", "DATE", "night of the package answered"),
        ("record_id", "STRING", "key of the order"),
        ("person_id", "BIGINT", "surrogate"),
        ("outcome", "STRING", "loaded, acted or refused"),
        ("reason", "STRING", "not_our_remit, not_our_person or other; null where none is given"),
        ("answered_on", "DATE", "day of the answer (column `on` of the file)"),
        ("file", "STRING", "<recipient>/<register>-<date>.csv"),
        ("row_number", "BIGINT", "data row, counted from 1"),
        ("sha256", "STRING", "of the file"),
    ),
)
PACKAGES = Table(
    "packages",
    "one row a package sealed for a recipient; of one night and name the last row counts",
    (
        ("night", "DATE", "night"),
        ("recipient", "STRING", "to whom"),
        ("name", "STRING", "register, or what else it holds"),
        ("sequence", "BIGINT", "0, or more where an approval came after a package of removals alone"),
        ("package", "STRING", "path of the encrypted file under the exports folder"),
        ("manifest_sha256", "STRING", "of its SHA256SUMS: names its content, whatever it was encrypted with"),
        ("sha256", "STRING", "of the encrypted file"),
        ("bytes", "BIGINT", "size of the encrypted file"),
        ("rows", "BIGINT", "rows of the snapshot; null where it is no snapshot"),
        ("approved", "BOOLEAN", "whether additions and changes were let out"),
    ),
)
RECEIPTS = Table(
    "receipts",
    "one row a package delivered",
    (
        ("night", "DATE", "night of the package"),
        ("recipient", "STRING", "to whom"),
        ("package", "STRING", "path of the encrypted file under the exports folder"),
        ("sha256", "STRING", "of the file, as read back where it was delivered"),
        ("bytes", "BIGINT", "its size there"),
        ("url", "STRING", "where it was put, without credentials"),
        ("delivered_at", "TIMESTAMP", "when (UTC)"),
    ),
)
ACCESSES = Table(
    "accesses",
    "one row a look at a person",
    (
        ("accessed_at", "TIMESTAMP", "when (UTC)"),
        ("actor", "STRING", "operating-system user"),
        ("command", "STRING", "explain or statement"),
        ("person_id", "BIGINT", "on whom"),
        ("because", "STRING", "why, as given"),
    ),
)
