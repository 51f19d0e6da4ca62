"""Every coded reason and state that a table may hold, each with its meaning in one line."""

from __future__ import annotations

# Why a row is in quarantine (FEEDS, "Reason codes of quarantined rows").
ROW_REASONS = {
    "ambiguous_revision": "two contents under one key and revised_at",
    "bad_check_digit": "the national id is not valid under the policy's stdnum module",
    "bad_type": "a value is not of the column's type or form",
    "conflicting_duplicate": "another content under a transaction_id that is known",
    "consent_rewritten": "a revision changes what of a consent never changes, or undoes its withdrawal",
    "currency_not_supported": "a currency other than the policy's; amounts are never converted",
    "date_order": "dates of an order contradict one another, as served before ordered",
    "encoding": "the row is not UTF-8",
    "erased": "the person was erased; the row's values are not kept",
    "forbidden_by_policy": "the policy does not allow purpose, source and recipient together",
    "identity_conflict": "the national id comes with another birth date or family name, or names another's record",
    "impossible_date": "a date in the future where none may be, or before birth",
    "malformed_row": "the row has another number of fields than the header, or cannot be read",
    "missing_required": "a required value is missing",
    "out_of_range": "a value is outside the column's range",
    "receipt_reused": "one receipt for two people",
    "unknown_value": "a word that the column does not allow",
}
# Why a file was stopped; it is tried again each night until it is mended, replaced or removed.
FILE_CODES = {
    "empty_file": "the file has no bytes, not even a header",
    "truncated": "the file ends early (a cut gz or zst)",
    "checksum_mismatch": "the file's SHA-256 is not that of its sidecar",
    "unreadable": "the file cannot be opened or read as its format",
    "critical_check": "a check that is marked critical failed (stops the feed for that night)",
    "unknown_column": "the header has a column that the contract does not know (stops the feed for that day)",
    "denied_column": "the header has a column whose name is on the deny list (stops the feed for that day)",
    "missing_column": "the header lacks a required column (stops the feed for that day)",
    "duplicate_column": "the header names a column twice (stops the feed for that day)",
}
# Why an application has no score.
NO_SCORE_REASONS = {
    "source_absent": "a required source is late, or has no current record of the person",
    "thin_file": "less history than the scorecard's minimum",
}
# States of an order, in the order in which they are tried (RULES, "Orders"); only in_force is listed.
ORDER_STATES = {
    "set_aside": "annulled, an appeal was allowed, or a dispute was upheld",
    "satisfied": "paid or done",
    "expired": "its last day of force, or the statute's, is past",
    "incomplete": "it lacks what an entry needs, or its authority is not one that the policy names",
    "in_doubt": "a row that was refused says something that the record has not",
    "disputed": "a dispute is open",
    "stayed": "it is not enforceable now",
    "appealed": "an appeal is pending, or decided and not yet carried out",
    "unserved": "there is no proof that it was served",
    "objection_open": "the time to object is not over",
    "in_force": "final and enforceable",
}
# Why an entry left a register.
REMOVAL_CAUSES = {
    "satisfied": "paid or done",
    "set_aside": "annulled",
    "stay": "stayed",
    "appeal": "appealed",
    "expiry": "its last day is past",
    "dispute": "disputed",
    "correction": "the source corrected it, it is in doubt, or the person's id is contested",
    "erasure": "the person was erased",
    "deceased": "the person died",
    "source_withdrew": "the source no longer has it",
}
# What changed a score between two nights (jobs/rules/change.py).
CHANGE_CAUSES = {
    "record_new": "a record arrived",
    "record_revised": "a newer version of a record arrived",
    "record_gone": "a record is held no longer",
    "record_disputed": "a record is disputed: it does not count while the dispute is open",
    "dispute_ended": "a dispute ended: the record counts again",
    "dispute_upheld": "a dispute was upheld, or ran out: the record counts no longer",
    "record_restored": "a record that a dispute had taken out came back certified",
    "record_in_doubt": "a refused row says something that the record has not: it does not count",
    "doubt_ended": "a record is in doubt no longer",
    "record_obsolete": "a record reached its legal limit and counts no longer",
    "objection_over": "the time to object to an order passed",
    "order_ended": "the last day of an order passed",
    "stay_began": "an order is not enforceable from now on",
    "stay_ended": "the stay of an order ended",
    "time_passed": "a month or a year more has passed since a record",
    "window_moved": "a month began: bookings left the window, and the others are a month older",
    "feed_late": "a source is past its freshness and is not read",
    "feed_back": "a source that was late is read again",
    "consent_granted": "a consent began",
    "consent_lapsed": "the last day of a consent passed",
    "consent_withdrawn": "a consent was withdrawn",
    "consent_disputed": "a consent is disputed",
    "consent_in_doubt": "a refused row may say that a consent is withdrawn",
    "consent_restored": "a consent is in dispute or in doubt no longer",
    "erased": "the person was erased",
    "deceased": "the person died",
    "contested": "the person's own channel brought the id with another birth date",
    "contest_ended": "the id is contested no longer",
    "declaration_unread": "a withdrawal, erasure or death could not be read: scores stop until it is mended",
    "declaration_mended": "a declaration that could not be read was mended",
    "came_of_age": "the person turned 18",
    "scorecard_changed": "the scorecard has another version",
    "policy_changed": "the policy was changed",
    "rules_changed": "the rules or the program were changed",
}
