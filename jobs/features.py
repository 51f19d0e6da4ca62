"""features: one row an application, holding only what its live consents cover (DESIGN 5; RULES, "Consents").

A person frame a source (everyone of whom the source may be read for some purpose) is joined to the applications,
and each feature is kept only where this very application has consent for its source and the source is fresh.
"""

from __future__ import annotations

import datetime as dt

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.lake.night import Night
from jobs.rules import behaviour, counting, floor
from jobs.rules.policy import Policy
from schemas.features import FEATURES

# No record in these is information: nothing was decided against the person (RULES, "Consents").
SILENCE_SPEAKS = ("court", "traffic")


def _count(condition: Column) -> Column:
    return F.count_if(condition).cast("double")


def _flag(condition: Column, *names: str) -> list[Column]:
    """``sus_<feature>``: a record that would enter the feature is in dispute or in doubt."""
    return [F.bool_or(F.coalesce(condition, F.lit(False))).alias(f"sus_{n}") for n in names]


def _whole_months(since: Column, night: dt.date) -> Column:
    """Whole months since a day: one is over on its day, or on the last day of a month that has no such day."""
    months = F.floor(F.months_between(F.lit(night), since)).cast("int")
    return months + (F.add_months(since, months + 1) <= F.lit(night)).cast("int")


def court_features(court: DataFrame, policy: Policy, night: dt.date) -> DataFrame:
    """``person_id``, the features of ``court`` and ``sus_<feature>``, one row a person with an order."""

    def authorities(register: str) -> tuple[str, ...]:
        return policy.registers[register].authorities if register in policy.registers else ()

    judgment = (F.col("kind") == "money_judgment") & counting.counts(
        counting.complete(authorities("judgment_debts"), F.col("debt_minor").isNotNull()),
        counting.JUDGMENT_YEARS,
        "ordered_on",
        night,
    )
    insolvency = (F.col("kind") == "insolvency") & counting.counts(
        counting.complete(authorities("insolvencies")), counting.INSOLVENCY_YEARS, "ordered_on", night
    )
    paid = counting.satisfied(night) | F.coalesce(F.col("debt_minor") <= 0, F.lit(False))
    rows = court.withColumns(
        {
            "_owed": judgment & ~paid & ~counting.ended(night),
            "_paid": judgment & paid,
            "_broke": insolvency & ~counting.satisfied(night) & ~counting.ended(night),
            "_sus": counting.suspended(),
        }
    )
    kept = ~F.col("_sus")
    newest = F.max(F.when(F.col("_owed") & kept, F.col("ordered_on")))
    return rows.groupBy("person_id").agg(
        _count(F.col("_owed") & kept).alias("judgments_unsatisfied"),
        _count(F.col("_paid") & kept).alias("judgments_satisfied"),
        _whole_months(newest, night).cast("double").alias("months_since_judgment"),
        _count(F.col("_broke") & kept).alias("insolvencies"),
        *_flag(F.col("_owed") & F.col("_sus"), "judgments_unsatisfied", "months_since_judgment"),
        *_flag(F.col("_paid") & F.col("_sus"), "judgments_satisfied"),
        *_flag(F.col("_broke") & F.col("_sus"), "insolvencies"),
    )


def traffic_features(traffic: DataFrame, policy: Policy, night: dt.date) -> DataFrame:
    """``person_id``, the features of ``traffic`` and ``sus_<feature>``, one row a person with a decision."""
    register = policy.registers.get("driving_disqualifications")
    needs_end = (F.col("kind") == "penalty_points") | F.col("expires_on").isNotNull()
    years = F.when(F.col("severity") == "serious", floor.LONGEST["traffic_serious_score_years"]).otherwise(
        floor.LONGEST["traffic_minor_score_years"]
    )
    whole = counting.complete(register.authorities if register else (), needs_end)
    rows = traffic.withColumns(
        {
            "_counts": counting.counts(whole, years, "ordered_on", night)
            & ~counting.satisfied(night)
            & ~counting.ended(night),
            "_sus": counting.suspended(),
        }
    )
    points = F.col("kind") == "penalty_points"
    minor, serious = points & (F.col("severity") == "minor"), points & (F.col("severity") == "serious")
    kept = F.col("_counts") & ~F.col("_sus")

    def imposed(which: Column) -> Column:
        return F.coalesce(F.sum(F.when(which & kept, F.col("penalty_points"))), F.lit(0)).cast("double")

    doubted = F.col("_counts") & F.col("_sus")
    return rows.groupBy("person_id").agg(
        imposed(minor).alias("penalty_points_minor"),
        imposed(serious).alias("penalty_points_serious"),
        _count(~points & kept).alias("driving_disqualifications"),
        *_flag(minor & doubted, "penalty_points_minor"),
        *_flag(serious & doubted, "penalty_points_serious"),
        *_flag(~points & doubted, "driving_disqualifications"),
    )


def tax_features(tax: DataFrame, policy: Policy, night: dt.date) -> DataFrame:
    """``person_id``, the features of ``tax`` and ``sus_<feature>``, one row a person.

    Who has nothing but assessments past the legal limit, annulled or struck has no row: they never count.
    """
    register = policy.registers.get("tax_debts")
    whole = counting.complete(register.authorities if register else (), F.col("debt_minor").isNotNull())
    recent = counting.within_years("assessed_on", counting.TAX_YEARS, night)
    owed = (
        F.col("is_order")
        & counting.counts(whole, counting.TAX_YEARS, "ordered_on", night)
        & ~counting.satisfied(night)
        & ~counting.ended(night)
        & (F.col("debt_minor") > 0)
    )
    annulled = F.coalesce(F.col("set_aside_on") <= F.lit(night), F.lit(False)) | F.col("upheld")
    rows = tax.withColumns(
        {
            "_owed": F.coalesce(owed, F.lit(False)),
            "_recent": recent & ~annulled,
            "_sus": counting.suspended(),
        }
    )
    year = F.struct("tax_year", "assessed_on", "income_minor", "tax_due_minor", "tax_paid_minor", "_sus")
    arrears = F.col("_recent") & (F.col("status") == "arrears")
    folded = rows.groupBy("person_id").agg(
        F.max(F.when(F.col("_recent"), year)).alias("newest"),
        F.bool_or(arrears & ~F.col("_sus")).alias("in_arrears"),
        F.bool_or(F.col("_recent")).alias("any_recent"),
        F.bool_or(F.col("_owed")).alias("any_owed"),
        F.coalesce(F.sum(F.when(F.col("_owed") & ~F.col("_sus"), F.col("debt_minor"))), F.lit(0))
        .cast("double")
        .alias("tax_debt_minor"),
        *_flag(arrears & F.col("_sus"), "tax_in_arrears"),
        *_flag(F.col("_owed") & F.col("_sus"), "tax_debt_minor"),
    )
    newest_sus = F.coalesce("newest._sus", F.lit(False))
    return folded.where("any_recent OR any_owed").select(
        "person_id",
        F.col("newest.income_minor").cast("double").alias("assessed_income_minor"),
        F.when(F.col("any_recent"), F.col("in_arrears").cast("double")).alias("tax_in_arrears"),
        "tax_debt_minor",
        F.when(
            F.col("newest.tax_due_minor") > 0,
            F.col("newest.tax_paid_minor").cast("double") / F.col("newest.tax_due_minor"),
        ).alias("tax_paid_share"),
        newest_sus.alias("sus_assessed_income_minor"),
        newest_sus.alias("sus_tax_paid_share"),
        "sus_tax_in_arrears",
        "sus_tax_debt_minor",
    )


def education_features(education: DataFrame, night: dt.date) -> DataFrame:
    """``person_id``, the features of ``education`` and ``sus_<feature>``, one row a person with an award in force."""
    held = education.where(F.col("revoked_on").isNull() | (F.col("revoked_on") > F.lit(night))).where(
        "NOT upheld"
    )
    newest = F.max("awarded_on")
    return held.groupBy("person_id").agg(
        F.max("isced_level").cast("double").alias("highest_isced_level"),
        F.floor(_whole_months(newest, night) / 12).cast("double").alias("years_since_award"),
        *_flag(counting.suspended(), "highest_isced_level", "years_since_award"),
    )


def applications(consented: DataFrame, policy: Policy) -> DataFrame:
    """``person_id, purpose, recipient, reads_<source>``: one row an application, and what it has consent for."""
    required = F.lit(False)
    for p in policy.purposes.values():
        required = required | ((F.col("purpose") == p.name) & F.col(f"reads_{p.required[0]}"))
    reads = [F.bool_or(F.col("source") == s).alias(f"reads_{s}") for s in floor.FEATURES_BY_SOURCE]
    return consented.groupBy("person_id", "purpose", "recipient").agg(*reads).where(required)


def _named(where: dict[str, Column]) -> Column:
    """The names of what is true, sorted; of functions that Spark compiles, as each row pays for them."""
    named = [F.when(where[name], F.lit(name)) for name in sorted(where)]
    nothing = F.lit(None).cast("string")
    return F.array_except(F.array(nothing, *named), F.array(nothing))


def features(
    consented: DataFrame, sources: dict[str, DataFrame], fresh: dict[str, bool], policy: Policy
) -> DataFrame:
    """FEATURES: ``sources`` are the person frames of each source, ``fresh`` whether a source is usable tonight."""
    out = applications(consented, policy)
    known: dict[str, set[str]] = {}
    for source, people in sources.items():
        known[source] = set(people.columns)
        out = out.join(people.withColumn(f"has_{source}", F.lit(True)), "person_id", "left")
    columns: dict[str, Column] = {}
    hidden: dict[str, Column] = {}
    used: dict[str, Column] = {}
    for source, names in floor.FEATURES_BY_SOURCE.items():
        readable = F.col(f"reads_{source}") if fresh.get(source) else F.lit(False)
        speaks = source in SILENCE_SPEAKS
        used[source] = readable if speaks else readable & F.col(f"has_{source}").isNotNull()
        for name in names:
            value: Column = F.col(name)
            if speaks and name != "months_since_judgment":
                value = F.coalesce(value, F.lit(0.0))
            seen = readable
            if f"sus_{name}" in known[source]:
                doubted = F.coalesce(f"sus_{name}", F.lit(False))
                hidden[name] = readable & doubted
                seen = readable & ~doubted
            columns[name] = F.when(seen, value).cast("double")
    return out.select(
        "person_id",
        "purpose",
        "recipient",
        *[c.alias(n) for n, c in columns.items()],
        _named(used).alias("sources_used"),
        _named(hidden).alias("suspended"),
    ).select(*FEATURES.names)


def run(night: Night) -> dict[str, int]:
    """Writes the night's features; returns how many applications there are."""
    fresh = {r["feed"]: bool(r["fresh"]) for r in night.frame("conformed/feeds").collect()}  # one row a feed
    policy, date = night.policy, night.date
    scored = {
        f: night.touched_frame(f"conformed/{f}").where("for_scores") for f in ("court", "traffic", "tax")
    }
    monthly = {"monthly": night.lake.worked(date, "transactions")}
    nobody = night.lake.empty(behaviour.DDL)
    banked = night.lake.answer("behaviour", behaviour.features(date), monthly, nobody.schema)
    sources = {
        "transactions": nobody if banked is None else banked,
        "tax": tax_features(scored["tax"], policy, date),
        "court": court_features(scored["court"], policy, date),
        "traffic": traffic_features(scored["traffic"], policy, date),
        "education": education_features(night.touched_frame("conformed/education"), date),
    }
    consented = night.touched_frame("conformed/consented")
    pin = night.write_touched("features", features(consented, sources, fresh, policy))
    night.lake.clear_scratch()
    return {"applications": int(pin["rows"])}
