"""What is particular to consents and requests (FEEDS; RULES, "Consents")."""

from __future__ import annotations

import datetime as dt

from jobs.rules.checks import Check, words
from jobs.rules.floor import LONGEST, PURPOSES
from jobs.rules.policy import Policy
from schemas.contract import contracts

CONSENT = "kind = 'consent'"
# Columns that only a consent needs: what another kind carries there is not read, and must not hold the row back.
NEEDED = {"expires_on": CONSENT, "withdrawn_on": CONSENT, "receipt_sha256": CONSENT}


def checks(policy: Policy, night: dt.date) -> tuple[Check, ...]:
    """A consent names purpose, source, recipient, last day and receipt, in words that the policy allows together."""
    known = {
        "purpose": sorted(PURPOSES),
        "source": sorted(contracts()),
        "recipient": sorted(
            {r for p in policy.purposes.values() for r in p.recipients}
            | {g.recipient for g in policy.registers.values()}
        ),
    }
    found = [
        Check(
            f"consent_names_{c}", "missing_required", c, f"NOT coalesce({CONSENT}, false) OR {c} IS NOT NULL"
        )
        for c in (*known, "expires_on", "receipt_sha256")
    ]
    # a withdrawal may narrow itself by these words; one that is unknown leaves unclear what it ends
    found += [
        Check(
            f"{c}_known",
            "unknown_value",
            c,
            f"NOT coalesce(kind IN ('consent', 'withdrawal'), false) OR {c} IS NULL OR {c} IN ({words(values)})",
        )
        for c, values in known.items()
    ]
    everything_known = " AND ".join(f"coalesce({c} IN ({words(v)}), false)" for c, v in known.items())
    pairs = words(f"{p}/{s}/{r}" for p, s, r in policy.pairs()) or "''"
    found.append(
        Check(
            "pair_allowed",
            "forbidden_by_policy",
            "purpose",
            f"NOT coalesce({CONSENT}, false) OR NOT ({everything_known}) OR "
            f"concat_ws('/', purpose, source, recipient) IN ({pairs})",
        )
    )
    found.append(
        Check(
            "consent_days",
            "out_of_range",
            "expires_on",
            f"NOT coalesce({CONSENT}, false) OR coalesce(t_expires_on BETWEEN t_granted_on AND "
            f"date_add(t_granted_on, {LONGEST['consent_days']}), true)",
        )
    )
    return tuple(found)
