"""The cases that the cast plays: each reason code of FEEDS.md, and the edges of RULES.md, one person or two each."""

from __future__ import annotations

import datetime as dt

from jobs.generate.cast import Cast, birthday_after


def row_faults(on: Cast) -> None:
    """A row that its own content refuses: it ends in quarantine, and nothing follows from it."""
    tomorrow, long_ago = on.day(1, 1), "1900-01-01"
    on.award(on.person(), fault="bad_type", isced_level="six")
    on.award(on.person(), fault="bad_type", awarded_on="21/11/2025")
    on.award(on.person(), fault="missing_required", institution=None)
    on.award(on.person(), fault="out_of_range", isced_level=9)
    on.award(on.person(), fault="impossible_date", awarded_on=tomorrow)
    on.award(on.person(), fault="impossible_date", awarded_on=long_ago)
    on.award(on.person(), fault="impossible_date", revised_at=f"{tomorrow}T00:00:01Z")
    on.judgment(on.person(), fault="unknown_value", kind="speeding")
    on.judgment(on.person(), fault="bad_type", debt_minor="1.234,00")
    on.judgment(on.person(), fault="bad_type|missing_required", debt_minor="12.5", case_number=None)
    on.judgment(on.person(), fault="date_order", served_on=on.day(1, -401))
    on.judgment(on.person(), fault="date_order", stayed_from=on.day(1, 9), stayed_until=on.day(1, 8))
    on.judgment(on.person(), fault="currency_not_supported", currency="USD")
    on.booking(on.person(), fault="currency_not_supported", currency="CHF")
    on.booking(on.person(), fault="bad_type", amount_minor="1,000")
    on.booking(on.person(), fault="out_of_range", days_past_due=-1)
    wrong = on.person()
    wrong.cells["national_id"] = wrong.id[:10] + str((int(wrong.id[10]) + 1) % 10)
    on.award(wrong, fault="bad_check_digit")
    broken = on.person()
    on.line(
        "education",
        1,
        on.encoded("education", broken.cells) + b",one field more",
        "quarantined",
        "malformed_row",
    )
    on.line("education", 1, b'"' + on.encoded("education", broken.cells), "quarantined", "malformed_row")
    nul = on.encoded("education", broken.cells).replace(b",", b"\x00,", 1)
    on.line("education", 1, nul, "quarantined", "malformed_row")
    latin = on.encoded("education", {**broken.cells, "given_name": "Ren?"}).replace(
        b"?", "é".encode("latin-1")
    )
    on.line("education", 1, latin, "quarantined", "encoding")
    on.award(broken)  # a good row after them is read


def revisions(on: Cast) -> None:
    """Duplicates, two contents under one key, and revisions that arrive out of order."""
    first = on.person()
    kept = on.award(first)
    on.award(first, fault="duplicate", **kept)
    on.award(first, 2, fault="duplicate", **kept)
    two = on.person()
    one = on.award(two, fault="ambiguous_revision")
    on.award(two, fault="ambiguous_revision", **{**one, "isced_level": 7})
    late = on.person()
    order = on.judgment(late)
    on.judgment(late, 2, fault="ambiguous_revision", **{**order, "debt_minor": 1})
    on.listed(late, order, 1, 2, 3, ...)
    older = on.person()
    paid = on.judgment(older, satisfied_on=on.day(1, -3))
    on.judgment(older, 2, **{**paid, "satisfied_on": None, "revised_at": f"{on.day(1, -90)}T00:00:00Z"})
    booked = on.person()
    good = on.booking(booked)
    on.booking(booked, fault="duplicate", **good)
    on.booking(booked, 2, fault="conflicting_duplicate", **{**good, "amount_minor": 1})
    pair = on.booking(booked, fault="conflicting_duplicate")
    on.booking(booked, fault="conflicting_duplicate", **{**pair, "amount_minor": 2})


def identities(on: Cast) -> None:
    """The join needs id, birth date and family name; disagreement is never guessed."""
    twofold = on.person()
    on.award(twofold, fault="identity_conflict")
    on.award(twofold, fault="identity_conflict", birth_date="1970-02-03")
    stranger = on.person()
    order = on.judgment(stranger)
    on.listed(stranger, order, 1, 2, 3, ...)
    on.judgment(stranger, 2, fault="identity_conflict", family_name="Quite Another")
    married = on.person()
    on.consent(married)
    on.scored(married, 1, 2, 3, ...)
    on.declare(married, 2, "access", family_name="Newname")
    new = on.judgment(married, 2, family_name="NEWNAME")
    on.listed(married, new, 2, 3, ...)
    spelled = on.person()
    on.award(spelled, family_name="Müller")
    on.listed(spelled, on.judgment(spelled, 2, family_name="MUELLER"), 2, 3, ...)
    contested = on.person()
    on.consent(contested)
    held = on.judgment(contested)
    on.scored(contested, 1)
    on.listed(contested, held, 1)
    on.declare(contested, 2, "access", fault="identity_conflict", birth_date="1971-01-01")


def consents(on: Cast) -> None:
    """Consents that may not be, or may not change."""
    on.consent(on.person(), fault="missing_required", receipt_sha256=None)
    on.consent(on.person(), fault="missing_required", expires_on=None)
    on.consent(on.person(), fault="out_of_range", expires_on=on.day(1, 365))
    on.consent(on.person(), fault="unknown_value", purpose="friendship")
    on.consent(on.person(), fault="unknown_value", recipient="nobody-known")
    on.consent(on.person(), fault="forbidden_by_policy", source="transactions")
    longest = on.person()
    on.consent(longest, expires_on=on.day(1, 364))
    on.scored(longest, 1, 2, 3, ...)
    rewritten = on.person()
    first = on.consent(rewritten)
    on.scored(rewritten, 1, 2, 3, ...)
    again = {**first, "revised_at": f"{on.day(2)}T00:30:00Z"}
    on.consent(rewritten, 2, fault="consent_rewritten", **{**again, "expires_on": on.day(1, 301)})
    undone = on.person()
    ended = on.consent(undone, withdrawn_on=on.day(2))
    on.scored(undone, 1)
    on.consent(
        undone,
        3,
        fault="consent_rewritten",
        **{**ended, "withdrawn_on": None, "revised_at": f"{on.day(3)}T00:10:00Z"},
    )
    shorter = on.person()
    long = on.consent(shorter)
    on.consent(shorter, 2, **{**long, "expires_on": on.day(2), "revised_at": f"{on.day(2)}T00:10:00Z"})
    on.scored(shorter, 1, 2)
    receipt = "a" * 64
    on.consent(on.person(), fault="receipt_reused", receipt_sha256=receipt)
    on.consent(on.person(), fault="receipt_reused", receipt_sha256=receipt)
    owner = on.person()
    shown = on.consent(owner)
    on.scored(owner, 1, 2, 3, ...)
    on.consent(on.person(), 2, fault="receipt_reused", receipt_sha256=shown["receipt_sha256"])


def declarations(on: Cast) -> None:
    """Withdrawals, also unreadable ones; erasure, death, access; coming of age."""
    narrow = on.person()
    on.consent(narrow)
    on.declare(narrow, 2, "withdrawal", source="tax")
    on.scored(narrow, 1, 2, 3, ...)
    all_of_it = on.person()
    on.consent(all_of_it)
    on.declare(all_of_it, 2, "withdrawal")
    on.scored(all_of_it, 1)
    unread = on.person()
    on.consent(unread)
    said = on.declare(
        unread, 2, "withdrawal", fault="bad_type", granted_on="19.11.2026", purpose="study_finance"
    )
    on.declare(unread, 3, "withdrawal", **{**said, "granted_on": on.day(3)})
    on.scored(unread, 1, 3, ...)
    unmended = on.person()
    on.consent(unmended)
    on.declare(unmended, 2, "withdrawal", fault="unknown_value", recipient="no such lender")
    on.scored(unmended, 1)
    doubted = on.person()
    live = on.consent(doubted)
    on.consent(
        doubted,
        2,
        fault="bad_type",
        **{**live, "withdrawn_on": "yesterday", "revised_at": f"{on.day(2)}T00:05:00Z"},
    )
    on.scored(doubted, 1)
    dead = on.person()
    on.consent(dead)
    debt = on.judgment(dead)
    on.declare(dead, 2, "death")
    on.scored(dead, 1)
    on.listed(dead, debt, 1)
    gone = on.person()
    on.consent(gone)
    owed = on.judgment(gone)
    on.declare(gone, 2, "erasure", purpose="motor_cover")
    on.scored(gone, 1)
    on.listed(gone, owed, 1)
    on.award(gone, 3, fault="erased")
    on.consent(gone, 3, fault="erased", granted_on=on.day(1))
    back = on.person()
    on.consent(back)
    on.declare(back, 2, "erasure")
    on.consent(back, 3, granted_on=on.day(3), revised_at=f"{on.day(3)}T01:00:00Z")
    on.scored(back, 1, 3, ...)
    asking = on.person()
    on.consent(asking)
    on.declare(asking, 1, "access")
    on.scored(asking, 1, 2, 3, ...)
    grown = on.person()
    birthday_after(grown, 18, dt.date.fromisoformat(on.day(2)))
    on.consent(grown)
    on.scored(grown, 2, 3, ...)
    future = on.person()
    on.consent(future, fault="impossible_date", granted_on=on.day(1, 1))


def orders(on: Cast) -> None:
    """Doubt, disputes, stays, appeals: when an entry is out, and when it comes back."""
    doubtful = on.person()
    order = on.judgment(doubtful)
    on.judgment(
        doubtful,
        2,
        fault="bad_type",
        **{**order, "satisfied_on": on.day(2), "debt_minor": "nil", "revised_at": f"{on.day(2)}T01:00:00Z"},
    )
    on.judgment(doubtful, 3, **{**order, "revised_at": f"{on.day(3)}T01:00:00Z"})
    on.listed(doubtful, order, 1, 3, ...)
    unmended = on.person()
    held = on.judgment(unmended)
    on.judgment(
        unmended,
        2,
        fault="bad_type",
        **{**held, "stayed_from": "soon", "revised_at": f"{on.day(2)}T01:00:00Z"},
    )
    on.listed(unmended, held, 1)
    disputing = on.person()
    one = on.judgment(disputing)
    opened = on.dispute(disputing, one["order_id"], on.day(2), 2)
    on.dispute(
        disputing,
        one["order_id"],
        on.day(2),
        3,
        dispute_id=opened["dispute_id"],
        resolved_on=on.day(3),
        outcome="rejected",
        revised_at=f"{on.day(3)}T05:00:00Z",
    )
    on.listed(disputing, one, 1, 3, ...)
    upheld = on.person()
    wrong = on.judgment(upheld)
    on.dispute(upheld, wrong["order_id"], on.day(1, -9), 1, resolved_on=on.day(1), outcome="upheld")
    slow = on.person()
    waiting = on.judgment(slow)
    on.dispute(slow, waiting["order_id"], on.day(1, -29))
    meddler, owner = on.person(), on.person()
    theirs = on.judgment(owner)
    on.dispute(meddler, theirs["order_id"], on.day(2), 2, fault="identity_conflict")
    on.listed(owner, theirs, 1, 2, 3, ...)
    stay = on.person()
    stayed = on.judgment(stay, stayed_from=on.day(2), stayed_until=on.day(2))
    on.listed(stay, stayed, 1, 3, ...)
    appeal = on.person()
    lodged = on.judgment(appeal)
    on.judgment(
        appeal, 3, **{**lodged, "appeal_lodged_on": on.day(3), "revised_at": f"{on.day(3)}T02:00:00Z"}
    )
    on.listed(appeal, lodged, 1, 2)
    paid_off = on.person()
    on.judgment(paid_off, debt_minor=0)
    unnamed = on.person()
    on.judgment(unnamed, legal_basis=None)
    revised = on.person()
    more = on.judgment(revised)
    on.judgment(revised, 2, **{**more, "debt_minor": 99, "revised_at": f"{on.day(2)}T02:00:00Z"})
    on.listed(revised, more, 1, 2, 3, ...)


def play(on: Cast) -> None:
    """Every case."""
    for scene in (row_faults, revisions, identities, consents, declarations, orders):
        scene(on)
