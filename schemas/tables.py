"""The tables we own outside landing: name, grain and columns, each column once.

``TABLES[name].ddl()`` is the Spark DDL, ``TABLES[name].arrow()`` the Arrow schema. ``accepted/<feed>``,
``quarantine/<feed>`` and ``conformed/<feed>`` are one table a feed.
"""

from __future__ import annotations

from schemas.ledgers import (
    ACCESSES as ACCESSES,
)
from schemas.ledgers import (
    APPROVALS as APPROVALS,
)
from schemas.ledgers import (
    DISCLOSURES as DISCLOSURES,
)
from schemas.ledgers import (
    HOLDS as HOLDS,
)
from schemas.ledgers import (
    NOTICES as NOTICES,
)
from schemas.ledgers import (
    PACKAGES as PACKAGES,
)
from schemas.ledgers import (
    RECEIPTS as RECEIPTS,
)
from schemas.ledgers import (
    RETURNS as RETURNS,
)
from schemas.table import ARROW as ARROW
from schemas.table import Table as Table

QUARANTINE = Table(
    "quarantine",
    "one row a refused row (restricted zone: the verbatim row holds an identity)",
    (
        ("night", "DATE", "night that took the file"),
        ("feed", "STRING", "feed"),
        ("file", "STRING", "path relative to the deliveries folder"),
        ("row_number", "BIGINT", "data row, counted from 1"),
        ("reasons", "ARRAY<STRING>", "coded reasons, sorted"),
        ("person_id", "BIGINT", "surrogate where the national id can be read, else null"),
        ("record_key", "STRING", "the feed's key as delivered, else null"),
        (
            "contested",
            "BOOLEAN",
            "consents or disputes brought the id with another birth date than the vault's",
        ),
        ("verbatim", "STRING", "JSON object of the delivered cells, or the raw text of an unreadable row"),
    ),
)
DOUBTS = Table(
    "doubts",
    "one row a refused row that left the quarantine and still counts for its person (RULES, Doubt); no identity",
    (
        *QUARANTINE.columns[:-1],
        ("verbatim", "STRING", "JSON object of the cells that doubt reads, none of them an identity"),
    ),
)
VAULT = Table(
    "vault",
    "one row a person and accepted identity variant; values encrypted one by one",
    (
        ("person_id", "BIGINT", "surrogate"),
        ("id_mac", "BINARY", "16-byte HMAC of the national id"),
        ("birth_mac", "BINARY", "HMAC of person and birth date"),
        ("name_macs", "ARRAY<BINARY>", "HMACs of the family name's comparison keys"),
        ("national_id", "BINARY", "AES-SIV ciphertext"),
        ("family_name", "BINARY", "AES-SIV ciphertext"),
        ("given_name", "BINARY", "AES-SIV ciphertext"),
        ("birth_date", "BINARY", "AES-SIV ciphertext of the ISO date"),
        ("event", "STRING", "first, name (a new family name) or contested"),
        ("night", "DATE", "night that added it"),
    ),
)
DELIVERIES = Table(
    "deliveries",
    "one row a delivered file and night that tried it",
    (
        ("night", "DATE", "night that took or tried it"),
        ("feed", "STRING", "feed"),
        ("file", "STRING", "path relative to the deliveries folder"),
        ("delivered_on", "DATE", "the delivery's day (its folder)"),
        ("rows", "BIGINT", "data rows; null when the file was stopped"),
        ("accepted", "BIGINT", "rows accepted"),
        ("quarantined", "BIGINT", "rows quarantined"),
        ("duplicates", "BIGINT", "rows equal to one accepted"),
        ("bytes", "BIGINT", "size as delivered"),
        ("sha256", "STRING", "of the file as delivered; null when unreadable"),
        ("stopped", "STRING", "code of what stopped the file or its feed, else null"),
        (
            "attested_by",
            "STRING",
            "consents: certificate fingerprint of the issuer who signed the file, else null",
        ),
    ),
)
# One row a person × purpose × recipient × source that is consented (live) on the night.
CONSENTED = Table(
    "conformed/consented",
    "one row a person, purpose, recipient and source with a live consent tonight; nobody who may not be scored",
    (
        ("person_id", "BIGINT", "surrogate"),
        ("purpose", "STRING", "purpose"),
        ("recipient", "STRING", "recipient"),
        ("source", "STRING", "feed that may be read"),
        ("consent_id", "STRING", "the live consent (where several: an attested one, then the smallest id)"),
        ("granted_on", "DATE", "its first day"),
        ("expires_on", "DATE", "its last day"),
        (
            "attested_by",
            "STRING",
            "fingerprint of the issuer who signed a file that brought it, null when none",
        ),
    ),
)
# Sums of transactions, from conform to features: work of a night, which no publication holds.
TRANSACTIONS_MONTHLY = Table(
    "conformed/transactions",
    "one row a person whom the night computes and calendar month with at least one booked transaction that counts, "
    "all before the window (the night's month and the 12 before it) in the last month before it; work of the night, "
    "gone when it is published",
    (
        ("person_id", "BIGINT", "surrogate"),
        ("month", "DATE", "first day of the month"),
        ("transactions", "BIGINT", "bookings"),
        ("income_minor", "BIGINT", "salary, benefit and pension received, minor units"),
        ("housing_minor", "BIGINT", "rent and mortgage paid, positive, minor units"),
        ("loan_repayment_minor", "BIGINT", "loan repayments, positive, minor units"),
        ("card_repayment_minor", "BIGINT", "card repayments, minor units, positive"),
        ("statement_minor", "BIGINT", "sum of card statements: what is owed, positive, minor units"),
        ("statements", "BIGINT", "card statements"),
        ("credit_limit_minor", "BIGINT", "sum of the limits of the statements that carry one, minor units"),
        ("limited_statement_minor", "BIGINT", "owed on the statements that carry a limit, minor units"),
        ("max_days_past_due", "BIGINT", "greatest days past due, null when none is reported"),
        ("days_past_due_reports", "BIGINT", "rows that report days past due"),
        ("overdraft_fees", "BIGINT", "overdraft fees"),
        ("returned_payments", "BIGINT", "returned payments"),
        ("cash_withdrawal_minor", "BIGINT", "cash withdrawn, positive, minor units"),
        ("outgoing_minor", "BIGINT", "all debits but card statements, positive, minor units"),
        ("min_balance_minor", "BIGINT", "lowest balance after booking, minor units, null when none"),
        ("last_booked_on", "DATE", "last booking of the month"),
    ),
)
LEFT_OUT = Table(
    "conformed/left_out",
    "one row a transaction that does not count tonight",
    (
        ("person_id", "BIGINT", "surrogate"),
        ("transaction_id", "STRING", "a booking that a dispute suspends or has struck"),
    ),
)
# What conform adds to the contract's columns (without identity) of a current record.
RECORD_FLAGS = (
    ("in_doubt", "BOOLEAN", "a quarantined row fills a date that this record has not (RULES, Doubt)"),
    ("disputed", "BOOLEAN", "a dispute suspends it tonight (open, or corrected and not yet revised)"),
    ("upheld", "BOOLEAN", "a dispute was upheld, or ran out, and no certified newer revision came"),
)
ORDER_FLAGS = (
    ("is_order", "BOOLEAN", "it has a row in registers"),
    ("deceased", "BOOLEAN", "a death is accepted or in doubt"),
    ("erased", "BOOLEAN", "an erasure is in effect"),
    ("contested", "BOOLEAN", "the id is contested"),
    ("left_determination", "STRING", "tax: 'satisfied' or 'set_aside' when it left final_determination"),
    ("for_scores", "BOOLEAN", "some live consent covers this feed for this person"),
    ("gone_since", "DATE", "first night on which the source no longer had it; null while it has"),
)
FEED_STATE = Table(
    "conformed/feeds",
    "one row a feed: whether its last good delivery is fresh tonight",
    (
        ("feed", "STRING", "feed"),
        ("last_good_on", "DATE", "day of its last good delivery, null when never"),
        ("fresh", "BOOLEAN", "last_good_on >= night - freshness"),
    ),
)
SCORES = Table(
    "scores",
    "one row an application: a person, purpose and recipient with a live consent for the required source",
    (
        ("person_id", "BIGINT", "surrogate"),
        ("purpose", "STRING", "purpose"),
        ("recipient", "STRING", "recipient"),
        ("score_date", "DATE", "the night"),
        ("status", "STRING", "scored or no_score"),
        ("score", "INT", "350..950, null unless scored"),
        ("band", "STRING", "A..E, null unless scored"),
        ("scorecard_version", "STRING", "version of the scorecard"),
        ("points", "ARRAY<INT>", "points a characteristic, in scorecard order; null unless scored"),
        ("reasons", "ARRAY<STRING>", "at most 4 codes, largest shortfall first; null unless scored"),
        ("no_score_reason", "STRING", "coded reason, null when scored"),
        ("sources_used", "ARRAY<STRING>", "consented, fresh sources with a current record (RULES), sorted"),
    ),
)
REGISTERS = Table(
    "registers",
    "one row an order and register",
    (
        ("register", "STRING", "register"),
        ("feed", "STRING", "feed of the order"),
        ("record_id", "STRING", "key of the order"),
        ("person_id", "BIGINT", "surrogate"),
        ("recipient", "STRING", "the one agency that must enforce it"),
        ("state", "STRING", "state of the order tonight (RULES, Orders)"),
        ("listed", "BOOLEAN", "state = 'in_force' (and the person is not barred)"),
        ("since", "DATE", "night since which listed has this value"),
        ("cause", "STRING", "why it left the register, null while listed or never listed"),
    ),
)
MONITORING = Table(
    "monitoring",
    "one row a night, purpose, measure, item and bucket: how scores are spread, and how far that moved",
    (
        ("night", "DATE", "night"),
        ("purpose", "STRING", "purpose"),
        ("scorecard", "STRING", "SHA-256 of the scorecard's file"),
        (
            "measure",
            "STRING",
            "distribution, psi (scores), csi (a characteristic), no_score_rate or out_of_bounds_rate",
        ),
        ("item", "STRING", "score, band, status, reason, bounds, or the reason code of a characteristic"),
        ("bucket", "STRING", "of a distribution: lowest score of 25, band, reason or points; else null"),
        ("people", "BIGINT", "applications counted"),
        ("value", "DOUBLE", "share of the applications, or the measure"),
        ("reference_night", "DATE", "night that it is held against, null for a distribution"),
        ("severity", "STRING", "of a measure: ok, warning, critical or few (too few to tell); else null"),
    ),
)
PERFORMANCE = Table(
    "performance",
    "one row a purpose and outcomes file: how well the scores of a night told good from bad",
    (
        ("night", "DATE", "night of the scores"),
        ("purpose", "STRING", "purpose"),
        ("outcomes_sha256", "STRING", "SHA-256 of the outcomes file, which stays outside the lake"),
        ("people", "BIGINT", "scored people with an outcome"),
        ("bad", "BIGINT", "of them with a bad outcome"),
        ("gini", "DOUBLE", "2 AUC - 1, higher scores for good outcomes"),
        ("gini_low", "DOUBLE", "lower end of its 95 % interval"),
        ("gini_high", "DOUBLE", "upper end of its 95 % interval"),
        ("ks", "DOUBLE", "greatest distance between the score distributions of good and bad"),
        ("severity", "STRING", "ok, warning, critical or few"),
    ),
)
PUBLICATIONS = Table(
    "publications",
    "one row a published night",
    (
        ("night", "DATE", "night"),
        ("run_id", "STRING", "follows from night and inputs"),
        ("tables", "STRING", "JSON object: table -> {version, hash, rows}"),
        ("counts", "STRING", "JSON object of counts"),
        ("inputs", "STRING", "JSON array of {file, sha256, rows} taken or tried tonight, sorted"),
        ("inputs_hash", "STRING", "SHA-256 of inputs, policy, scorecards and floor"),
        ("policy_hash", "STRING", "SHA-256 of policy.yaml"),
        ("floor_hash", "STRING", "SHA-256 of the floor"),
        ("scorecards", "STRING", "JSON object: purpose -> {version, sha256}"),
        (
            "code_version",
            "STRING",
            "version of the distribution, and of its modules the SHA-256's first digits",
        ),
        (
            "changed",
            "STRING",
            "JSON array: what of policy, scorecards, floor or code is other than the night before",
        ),
        ("previous_hash", "STRING", "SHA-256 of the previous row, null for the first"),
        ("row_hash", "STRING", "SHA-256 of this row's canonical JSON without row_hash and signature"),
        ("signature", "STRING", "Ed25519 signature of row_hash, base64"),
    ),
)
TABLES = {
    t.name: t
    for t in (
        QUARANTINE,
        DOUBTS,
        VAULT,
        DELIVERIES,
        CONSENTED,
        TRANSACTIONS_MONTHLY,
        LEFT_OUT,
        FEED_STATE,
        SCORES,
        REGISTERS,
        NOTICES,
        DISCLOSURES,
        APPROVALS,
        HOLDS,
        RETURNS,
        PACKAGES,
        RECEIPTS,
        ACCESSES,
        MONITORING,
        PERFORMANCE,
        PUBLICATIONS,
    )
}
