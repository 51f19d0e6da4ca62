"""What no configuration may widen.

``policy.yaml`` and the scorecards only narrow what stands here; ``assent check`` and every step refuse the
rest. Changing this file is changing the product: its hash stands in every publication and package.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from types import MappingProxyType

# A column whose name has one of these words stops its feed (DESIGN 1.3; GDPR art. 9; EU AI Act art. 5(1)(c)).
DENIED_WORDS = frozenset(
    """
    speech speeches post posts opinion opinions message messages comment comments tweet tweets social chat chats
    contact contacts friend friends follower followers relative relatives kin spouse spouses
    health medical diagnosis diagnoses disease diseases disability disabilities illness illnesses hospital hospitals
    religion religions religious church churches faith faiths belief beliefs
    ethnicity ethnicities ethnic race races racial tribe tribes caste castes
    sex sexes gender genders sexual orientation pregnancy pregnant
    marital married marriage marriages divorced divorce
    nationality nationalities citizenship citizenships citizen migrant immigration
    location locations gps latitude longitude lat lon geo whereabouts track tracks trace traces coordinate coordinates
    merchant merchants item items basket baskets purchase purchases counterparty counterparties
    political party union biometric biometrics
    """.split()
)

# purpose -> required source, sources it may ever read, features it may ever use.
FEATURES_BY_SOURCE = MappingProxyType(
    {
        "transactions": (
            "months_active",
            "months_late",
            "months_since_late",
            "max_days_past_due",
            "days_past_due_latest",
            "utilisation",
            "utilisation_trend",
            "unused_limit_minor",
            "card_use_months_share",
            "repaid_share",
            "least_repaid_share",
            "repaid_months_share",
            "repaid_monthly_minor",
            "missed_repayments",
            "income_monthly_minor",
            "income_months",
            "housing_to_income",
            "loans_to_income",
            "overdraft_fees",
            "returned_payments",
            "cash_share",
        ),
        "tax": ("assessed_income_minor", "tax_in_arrears", "tax_debt_minor", "tax_paid_share"),
        "court": ("judgments_unsatisfied", "judgments_satisfied", "months_since_judgment", "insolvencies"),
        "traffic": ("penalty_points_minor", "penalty_points_serious", "driving_disqualifications"),
        "education": ("highest_isced_level", "years_since_award"),
    }
)
PURPOSES: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "consumer_credit": {"required": ("transactions",), "sources": ("transactions", "tax", "court")},
        "motor_cover": {"required": ("traffic",), "sources": ("traffic",)},
        "study_finance": {"required": ("education",), "sources": ("education", "transactions", "tax")},
    }
)
# Scores never read these kinds of court order, nor any column of them.
COURT_KINDS_IN_SCORES = ("money_judgment", "insolvency")

# register -> the feed that may feed it, and which of its orders.
REGISTERS = MappingProxyType(
    {
        "judgment_debts": ("court", "money_judgment"),
        "insolvencies": ("court", "insolvency"),
        "director_disqualifications": ("court", "director_disqualification"),
        "procurement_debarments": ("court", "procurement_debarment"),
        "tax_debts": ("tax", "final_determination"),
        "driving_disqualifications": ("traffic", "driving_disqualification"),
    }
)
ORDER_FEEDS = ("court", "tax", "traffic")
# A recipient has one role and, for scores, one purpose.
ROLES = ("score", "register")
# Longest days or years that a policy may set.
LONGEST = MappingProxyType(
    {
        "landing_days": 90,
        "quarantine_days": 90,
        "unconsented_days": 30,
        "consent_days": 365,
        "judgment_score_years": 7,  # FCRA 15 USC 1681c(a)(2)
        "insolvency_score_years": 10,  # FCRA 15 USC 1681c(a)(1)
        "tax_score_years": 7,  # FCRA 15 USC 1681c(a)(3)
        "traffic_minor_score_years": 3,
        "traffic_serious_score_years": 5,
        "transactions_score_years": 7,  # FCRA 15 USC 1681c(a)(5)
    }
)
LONGEST_STATUTE_YEARS = MappingProxyType(
    {
        "judgment_debts": 6,
        "insolvencies": 10,
        "director_disqualifications": 15,
        "procurement_debarments": 5,
        "tax_debts": 10,
        "driving_disqualifications": 10,
    }
)
# The widest guards of a register (jobs/rules/guards.py): beyond them a person must look, whatever the policy says.
WIDEST_GUARDS = MappingProxyType(
    {
        "most": 10_000_000,
        "adds": 1_000_000,
        "adds_share": 0.5,
        "removes": 1_000_000,
        "removes_share": 0.5,
    }
)
SHARE_FROM = 100  # entries: a share of fewer says nothing
SCORE_MIN, SCORE_MAX = 350, 950
BANDS = ("A", "B", "C", "D", "E")  # from the best
# More new consents than this share of those live on a night are looked at by a person before a score leaves.
NEW_CONSENTS_SHARE, LARGEST_NEW_CONSENTS_SHARE = 0.25, 0.5
ADULT_AGE = 18


def features_of(purpose: str) -> dict[str, str]:
    """Features a purpose may use, each with its source; KeyError for an unknown purpose."""
    return {f: s for s in PURPOSES[purpose]["sources"] for f in FEATURES_BY_SOURCE[s]}


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def _singular(word: str) -> set[str]:
    """A word and what it may be the plural of."""
    return {word, word.removesuffix("s"), word.removesuffix("es"), re.sub("ies$", "y", word)}


def denied_word(column: str) -> str | None:
    """The first word of a column (split at ``_``, digits and capitals) that is on the deny list, or its plural."""
    words = {w.lower() for w in _WORD.findall(column)} | set(re.split(r"[^a-z]+", column.lower()))
    return min({w for word in words for w in _singular(word)} & DENIED_WORDS, default=None)


def floor_hash() -> str:
    """SHA-256 over everything above as canonical JSON."""
    content = {
        "denied": sorted(DENIED_WORDS),
        "features": {k: list(v) for k, v in FEATURES_BY_SOURCE.items()},
        "purposes": {k: {a: list(b) for a, b in v.items()} for k, v in PURPOSES.items()},
        "court_kinds": list(COURT_KINDS_IN_SCORES),
        "registers": {k: list(v) for k, v in REGISTERS.items()},
        "roles": list(ROLES),
        "longest": dict(LONGEST),
        "statutes": dict(LONGEST_STATUTE_YEARS),
        "guards": {**WIDEST_GUARDS, "share_from": SHARE_FROM},
        "score": [SCORE_MIN, SCORE_MAX],
        "bands": list(BANDS),
        "new_consents_share": LARGEST_NEW_CONSENTS_SHARE,
        "adult": ADULT_AGE,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
