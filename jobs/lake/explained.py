"""How an explanation is worded and shown: as aligned text, JSON or one HTML page. Knows no storage."""

from __future__ import annotations

import json
from typing import Any

from jinja2 import Environment

from jobs.errors import UsageError
from jobs.lake.answer import plain
from jobs.rules.floor import SCORE_MAX, SCORE_MIN
from jobs.rules.reasons import shown
from schemas.features import MEANINGS
from schemas.reasons import NO_SCORE_REASONS, ORDER_STATES, REMOVAL_CAUSES

FORMATS = ("text", "json", "html")
GONE = "What changed since the night before cannot be told: its tables are not in the lake any more"


def values_shown(features: list[str], values: list[Any], currency: str) -> str:
    """The values of a characteristic, in the words of the notices."""
    return " and ".join(shown(f, v, currency) for f, v in zip(features, values, strict=True))


def reason_text(text: str, features: list[str], values: list[Any], currency: str) -> str:
    """A scorecard's sentence with ``{value}`` filled in; of a pair both values."""
    return text.replace("{value}", values_shown(features, values, currency))


def _clean(value: Any) -> str:
    """A cell of text: what a delivery brought may hold control characters."""
    value = plain(value)
    if isinstance(value, list):
        value = ", ".join(map(str, value)) or None
    text = "-" if value is None else str(value)
    return "".join(c if c.isprintable() else " " for c in text)


def _aligned(rows: list[list[Any]], indent: str, right: tuple[int, ...] = ()) -> list[str]:
    cells = [[_clean(c) for c in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))] if cells else []
    return [
        indent
        + "  ".join(
            c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def _input_rows(inputs: list[dict[str, Any]]) -> list[list[Any]]:
    return [[i["feed"], i["record_id"], i["file"], f"row {i['row_number']}", i["note"] or ""] for i in inputs]


def parts_of(score: dict[str, Any]) -> list[dict[str, Any]]:
    """What a score is added up from, as a reader needs it: name, value, points, remark."""
    rows = []
    for c in score["characteristics"]:
        remark = "suspended: a record is disputed or in doubt, neutral points" if c["suspended"] else ""
        if not remark and None in c["values"]:
            remark = "missing: neutral points"
        rows.append(
            {
                "name": " and ".join(c["features"]),
                "value": values_shown(c["features"], c["values"], score["currency"]),
                "points": f"{c['points']:+d}",
                "remark": remark,
                "meaning": "; ".join(MEANINGS.get(f, "") for f in c["features"]),
            }
        )
    return rows


def attested(consent: dict[str, Any]) -> str:
    """A remark on a consent that no issuer attests: its score does not leave."""
    return "" if consent["attested"] else "unattested: the score does not leave"


def _score_text(score: dict[str, Any]) -> list[str]:
    head = f"{score['purpose']} for {score['recipient']}: "
    if score["status"] == "scored":
        head += f"score {score['score']}, band {score['band']}, scorecard {score['scorecard_version']}"
        rows = [["base", "", score["base"], ""]]
        rows += [[p["name"], p["value"], p["points"], p["remark"]] for p in parts_of(score)]
        rows += [
            ["sum", "", score["sum"], ""],
            ["score", "", score["score"], f"the sum, kept within {SCORE_MIN} and {SCORE_MAX}"],
        ]
        lines = [head, *_aligned(rows, "  ", (1, 2)), "  reasons, largest first"]
        lines += [
            f"    {_clean(r['text'])} ({r['code']}, {r['points']} points below neutral)"
            for r in score["reasons"]
        ] or ["    none: nothing cost points"]
    else:
        reason = score["no_score_reason"]
        lines = [f"{head}no score, {reason}: {NO_SCORE_REASONS.get(reason, 'see the data dictionary')}"]
    if score.get("under_review"):
        lines.append("  under review: a named person has yet to decide")
    lines.append("  consents")
    lines += _aligned(
        [
            [c["source"], c["consent_id"], c["granted_on"], "through", c["expires_on"], attested(c)]
            for c in score["consented"]
        ],
        "    ",
    )
    lines.append(f"  sources used: {', '.join(score['sources_used']) or 'none'}")
    lines.append(f"  inputs: {len(score['inputs'])} rows")
    return lines + _aligned(_input_rows(score["inputs"]), "    ")


def review_line(review: dict[str, Any]) -> str:
    """One sentence: a review, and what came of it."""
    asked = (
        f"{review['purpose']} for {review['recipient']}: review {_clean(review['dispute_id'])} asked for on "
    )
    if review["decided_on"] is None:
        return f"{asked}{_clean(review['opened_on'])}, open, due {_clean(review['due_on'])}"
    return (
        f"{asked}{_clean(review['opened_on'])}, {review['outcome']} on {_clean(review['decided_on'])} "
        f"by {_clean(review['reviewer'])}"
    )


def why(entry: dict[str, Any]) -> str:
    """One sentence: the state of an order, and why it is or is not in the register."""
    state = f"{entry['state']}: {ORDER_STATES.get(entry['state'], '')}"
    if entry["listed"]:
        until = f", at the latest through {entry['until']}" if entry["until"] else ""
        return f"listed since {entry['since']}{until} ({state})"
    cause = entry["cause"]
    left = f"; it left because of {cause}: {REMOVAL_CAUSES.get(cause, '')}" if cause else ""
    return f"not listed since {entry['since']} ({state}){left}"


def answers_of(entry: dict[str, Any]) -> list[str]:
    """What the recipient answered, and whether the entry is held back though its order is in force."""
    lines = []
    if entry["held"]:
        word = "recalled" if entry["held"]["reason"] == "recall" else "refused by its recipient"
        ends = "a newer revision or a person's decision" if word == "recalled" else "a person's decision"
        left = "" if entry["held"]["decided"] else f"; {ends} ends it"
        lines.append(f"held back since {plain(entry['held']['since'])[:10]}: {word}{left}")
    for r in entry["returns"]:
        reason = f" ({r['reason']})" if r["reason"] else ""
        lines.append(
            f"{r['recipient']} on the package of {r['package_on']}: {r['outcome']}{reason} on {r['on']}"
        )
    return lines


def _entry_text(entry: dict[str, Any]) -> list[str]:
    lines = [
        f"{entry['register']} {_clean(entry['record_id'])} for {entry['recipient']}: {why(entry)}",
    ]
    if entry["order"]:
        told = [[k, v] for k, v in entry["order"].items() if v is not None]
        lines += _aligned(told, "  ")
    lines += [f"  {_clean(line)}" for line in answers_of(entry)]
    return lines + _aligned(_input_rows(entry["inputs"]), "    ")


def cause_lines(name: str, row: dict[str, Any]) -> list[str]:
    """Why a score changed: a line for causes of one kind, and the delivered rows behind them."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for c in row["causes"]:
        groups.setdefault((c["cause"], c["source"], c["feed"], *c["features"]), []).append(c)
    lines = []
    for found in groups.values():
        first = found[0]
        many = f"{len(found)} times: " if len(found) > 1 else ""
        versions = f", {_clean(first['before'])} -> {_clean(first['after'])}" if first["before"] else ""
        moved = f"; moved {', '.join(first['features'])}" if first["features"] else ""
        where = f" in {first['feed']}" if first["feed"] else ""
        lines.append(f"{name}: because {many}{first['text']}{where} ({first['cause']}{versions}{moved})")
        placed = [c for c in found if c["file"] is not None]
        lines += _aligned(
            [[c["feed"], c["record_id"], c["file"], f"row {c['row_number']}"] for c in placed], "    "
        )
    if row["unexplained"]:
        lines.append(f"{name}: no cause was found for {', '.join(row['unexplained'])}; report it")
    return lines


def change_lines(against: dict[str, Any]) -> list[str]:
    """What changed between the two nights, one line a fact."""
    lines = []
    for kind, keys in (("changes", ("purpose", "recipient")), ("registers", ("register", "record_id"))):
        for row in against[kind]:
            name = " / ".join(_clean(row[k]) for k in keys)
            before, after = row["before"] or {}, row["after"] or {}
            currency = (after or before).get("currency", "")
            if not before or not after:
                lines.append(f"{name}: {'new' if after else 'gone'}")
            for fact in before if before and after else ():
                if before[fact] != after[fact] and fact not in ("order", "currency"):
                    old, new = (
                        v["reason"] if isinstance(v, dict) else v for v in (before[fact], after[fact])
                    )
                    lines.append(f"{name}: {fact} {_clean(old)} -> {_clean(new)}")
            for c in row.get("characteristics", []) if before and after else ():
                old, new = c["before"], c["after"]
                told = [
                    "absent"
                    if part is None
                    else f"{values_shown(c['features'], part['values'], currency)} ({part['points']:+d})"
                    for part in (old, new)
                ]
                if told[0] != told[1]:
                    lines.append(f"{name}: {' and '.join(c['features'])} {told[0]} -> {told[1]}")
            if kind == "changes":
                lines += cause_lines(name, row)
            for word in ("inputs_added", "inputs_gone"):
                if row[word]:
                    lines.append(f"{name}: {word.replace('_', ' ')} {len(row[word])}")
                    lines += _aligned(_input_rows(row[word]), "    ")
    return lines or ["nothing"]


def _text(objects: list[dict[str, Any]]) -> str:
    blocks = []
    for number, o in enumerate(objects, 1):
        if o["person_id"] is None:
            blocks.append(f"Identity {number}: not known on the night of {o['night']}")
            continue
        lines = [f"Person {o['person_id']} on the night of {o['night']}", "", "Scores"]
        lines += [line for s in o["scores"] for line in [*_score_text(s), ""]] or ["none", ""]
        lines.append("Registers")
        lines += [line for e in o["registers"] for line in [*_entry_text(e), ""]] or ["none", ""]
        if o.get("reviews"):
            lines += ["Reviews", *[f"  {review_line(r)}" for r in o["reviews"]], ""]
        lines.append("Sent")
        lines += _aligned(
            [[d["night"], d["recipient"], d["subject"], d["change"], d["package"]] for d in o["disclosures"]],
            "  ",
        ) or ["none"]
        if "against" in o and o["against"] is None:
            lines += ["", GONE]
        elif "against" in o:
            nights = f"Changed from the night of {o['against']['from']} to that of {o['against']['to']}"
            lines += ["", nights, *change_lines(o["against"])]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>What is known and why</title><style>
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:.5rem 0 1rem;width:100%}
td,th{border-bottom:1px solid #ccc;padding:.2rem .6rem;text-align:left;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums}.m{color:#666;font-size:.85em}
</style></head><body>
{%- macro inputs(rows) %}{% if rows %}
<details><summary>{{ rows|length }} delivered rows</summary><table>
<tr><th>feed</th><th>record</th><th>file</th><th>row</th><th></th></tr>
{% for i in rows %}<tr><td>{{ i.feed }}</td><td>{{ i.record_id }}</td><td>{{ i.file }}</td>
<td class="n">{{ i.row_number }}</td><td>{{ i.note or "" }}</td></tr>
{% endfor %}</table></details>{% else %}<p>No delivered rows.</p>{% endif %}{% endmacro %}
{% for o in objects %}{% if o.person_id is none %}
<h1>Identity {{ loop.index }}</h1><p>Not known on the night of {{ o.night }}.</p>
{% else %}<h1>Person {{ o.person_id }}</h1><p>On the night of {{ o.night }}.</p>
{% for s in o.scores %}<h2>{{ s.purpose }} for {{ s.recipient }}</h2>
{% if s.status == "scored" %}<p><strong>Score {{ s.score }}, band {{ s.band }}</strong>, scorecard
{{ s.scorecard_version }}.</p>
<table><tr><th>what</th><th>value</th><th>points</th><th></th></tr>
<tr><td>base</td><td></td><td class="n">{{ s.base }}</td><td></td></tr>
{% for p in parts_of(s) %}<tr><td>{{ p.name }}<br><span class="m">{{ p.meaning }}</span></td><td>{{ p.value }}</td>
<td class="n">{{ p.points }}</td><td>{{ p.remark }}</td></tr>
{% endfor %}<tr><th>sum</th><td></td><td class="n">{{ s.sum }}</td><td></td></tr>
<tr><th>score</th><td></td><td class="n">{{ s.score }}</td><td>the sum, kept within {{ low }} and {{ high }}</td></tr>
</table><h3>Reasons</h3><ul>{% for r in s.reasons %}<li>{{ r.text }} <span class="m">{{ r.code }},
{{ r.points }} points below neutral</span></li>{% else %}<li>Nothing cost points.</li>{% endfor %}</ul>
{% else %}<p><strong>No score</strong>: {{ s.no_score_reason }}, {{ no_score.get(s.no_score_reason, "") }}.</p>
{% endif %}
{% if s.under_review %}<p><strong>Under review</strong>: a named person has yet to decide.</p>{% endif %}
<h3>Consents</h3><ul>{% for c in s.consented %}<li>{{ c.source }}: {{ c.consent_id }}, {{ c.granted_on }} through
{{ c.expires_on }}{{ ", " + attested(c) if attested(c) else "" }}</li>{% endfor %}</ul>
<p>Sources used: {{ s.sources_used|join(", ") or "none" }}.</p>{{ inputs(s.inputs) }}
{% else %}<p>No scores.</p>{% endfor %}
{% for e in o.registers %}<h2>{{ e.register }}, {{ e.record_id }}, for {{ e.recipient }}</h2>
<p>{{ why(e) }}.</p>
{% for line in answers_of(e) %}<p>{{ line }}.</p>
{% endfor %}{% if e.order %}<table>
{% for k, v in e.order.items() if v is not none %}<tr><th>{{ k }}</th><td>{{ v }}</td></tr>
{% endfor %}</table>{% endif %}{{ inputs(e.inputs) }}{% endfor %}
{% if o.reviews %}<h2>Reviews</h2><ul>{% for r in o.reviews %}<li>{{ review_line(r) }}</li>{% endfor %}</ul>{% endif %}
<h2>Sent</h2>{% if o.disclosures %}<table>{% for d in o.disclosures %}<tr><td>{{ d.night }}</td>
<td>{{ d.recipient }}</td><td>{{ d.subject }}</td><td>{{ d.change }}</td><td>{{ d.package }}</td></tr>
{% endfor %}</table>{% else %}<p>Nothing was sent.</p>{% endif %}
{% if o.against %}<h2>Changed from the night of {{ o.against["from"] }} to that of {{ o.against.to }}</h2><pre>
{%- for line in change_lines(o.against) %}{{ line }}
{% endfor %}</pre>{% elif "against" in o and o.against is none %}<p>{{ gone }}.</p>{% endif %}{% endif %}{% endfor %}
</body></html>
"""


def _html(objects: list[dict[str, Any]]) -> str:
    page = Environment(autoescape=True, trim_blocks=True).from_string(PAGE)
    return page.render(
        objects=objects,
        parts_of=parts_of,
        review_line=review_line,
        attested=attested,
        why=why,
        answers_of=answers_of,
        change_lines=change_lines,
        no_score=NO_SCORE_REASONS,
        low=SCORE_MIN,
        high=SCORE_MAX,
        gone=GONE,
    )


def render(objects: list[dict[str, Any]], fmt: str) -> str:
    """Explanations in one of :data:`FORMATS`; UsageError for another."""
    if fmt == "json":
        return json.dumps(plain(objects), ensure_ascii=False, indent=1) + "\n"
    if fmt == "text":
        return _text(objects)
    if fmt == "html":
        return _html(objects)
    raise UsageError(f"format {fmt} is unknown; name one of {', '.join(FORMATS)}")
