"""The compiler of scorecards: a file of DESIGN 5 against the floor and the policy, refused with file and line."""

from __future__ import annotations

import hashlib
from math import inf, isfinite
from typing import Any

from jobs.rules import floor, soundness
from jobs.rules.policy import Located, Policy, parse
from jobs.rules.satisfaction import costs_more
from jobs.rules.scorecard import BANDS, Bin, Characteristic, Scorecard

KEYS = {
    "purpose",
    "version",
    "scaling",
    "base",
    "bands",
    "required",
    "optional",
    "minimum",
    "characteristics",
}
PART_KEYS = {"feature", "features", "better", "basis", "because", "neutral", "reason", "bins"}
BASES = ("outcomes", "expert")
# Generated methods over 8,000 bytes are never compiled by HotSpot: a characteristic stays well below.
MOST_BINS = 30
MOST_CHARACTERISTICS = 40
MOST_POINTS = 10_000  # of a bin or a base: their sum stays a 32-bit number


class _Compiler:
    """Reads one scorecard and says where it is wrong."""

    def __init__(self, doc: Located, policy: Policy) -> None:
        self.doc, self.policy = doc, policy

    def known(self, node: Any, keys: set[str], what: str) -> None:
        for key in node:
            if key not in keys:
                raise self.doc.fail(
                    key, f"{what} {key!r} is unknown (known: {', '.join(sorted(keys))}); remove it", node
                )

    def integer(self, node: Any, key: str) -> int:
        value = node.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.doc.fail(key, f"{key} must be a whole number", node)
        if abs(value) > MOST_POINTS:
            raise self.doc.fail(key, f"{key} must lie within {-MOST_POINTS} and {MOST_POINTS}", node)
        return int(value)

    def word(self, node: Any, key: str) -> str:
        value = node.get(key)
        if not isinstance(value, str) or not value:
            raise self.doc.fail(key, f"{key} must be text", node)
        return str(value)

    def allowed_name(self, node: Any, key: str, name: str) -> None:
        if word := floor.denied_word(name):
            raise self.doc.fail(key, f"{name!r} has the denied word {word!r}; remove it", node)

    def purpose(self) -> str:
        name = self.word(self.doc.node, "purpose")
        if name not in floor.PURPOSES:
            raise self.doc.fail(
                "purpose",
                f"purpose {name!r} is outside the floor ({', '.join(floor.PURPOSES)}); remove the scorecard",
            )
        if name not in self.policy.purposes:
            raise self.doc.fail(
                "purpose", f"the policy does not allow {name}; add it to policy.yaml or remove this file"
            )
        return name

    def sources(self, purpose: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        allowed = self.policy.purposes[purpose]
        found = []
        for key in ("required", "optional"):
            value = self.doc.node.get(key, [])
            if not isinstance(value, list):
                raise self.doc.fail(key, f"{key} must be a list of sources")
            for source in value:
                if not isinstance(source, str) or source not in allowed.sources:
                    raise self.doc.fail(key, f"{purpose} may not read {source!r} under the policy; remove it")
            found.append(tuple(str(v) for v in value))
        if set(found[0]) != set(allowed.required):
            raise self.doc.fail("required", f"{purpose} requires {', '.join(allowed.required)}; write that")
        return found[0], found[1]

    def bands(self) -> tuple[tuple[str, int], ...]:
        node = self.doc.node.get("bands")
        if not isinstance(node, dict) or tuple(node) != BANDS:
            raise self.doc.fail("bands", "bands must give the lowest score of A, B, C, D, E in that order")
        limits = [self.integer(node, b) for b in BANDS]
        if (
            limits != sorted(limits, reverse=True)
            or len(set(limits)) < len(limits)
            or limits[-1] != floor.SCORE_MIN
        ):
            raise self.doc.fail("bands", f"bands must fall strictly and E must start at {floor.SCORE_MIN}")
        return tuple(zip(BANDS, limits, strict=True))

    def feature(self, node: Any, key: str, name: Any, purpose: str, sources: tuple[str, ...]) -> str:
        allowed = floor.features_of(purpose)
        if not isinstance(name, str):
            raise self.doc.fail(
                key, f"{key} must name one feature by a word (a pair: `features: [one, other]`)", node
            )
        self.allowed_name(node, key, name)
        if name not in allowed:
            raise self.doc.fail(
                key,
                f"feature {name!r} is not allowed for {purpose}; remove it (allowed: {', '.join(sorted(allowed))})",
                node,
            )
        if allowed[name] not in sources:
            raise self.doc.fail(
                key,
                f"feature {name} comes from {allowed[name]}, which is neither required nor optional here",
                node,
            )
        return name

    def minimum(self, purpose: str, required: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
        node = self.doc.node.get("minimum", {})
        if not isinstance(node, dict):
            raise self.doc.fail("minimum", "minimum must be a mapping of features to numbers")
        found = []
        for name, value in node.items():
            self.feature(node, name, name, purpose, required)
            if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
                raise self.doc.fail(name, f"minimum of {name} must be a number", node)
            found.append((str(name), float(value)))
        return tuple(found)

    def bin(self, node: Any, features: tuple[str, ...], last: bool) -> Bin:
        if not isinstance(node, dict):
            raise self.doc.fail("bins", "a bin must give points, and below but for the last")
        self.known(node, {"below", "points", "share", "in"}, "key")
        if "in" in node:
            raise self.doc.fail("in", "every feature is a number: use below", node)
        points = self.integer(node, "points")
        weight = None
        if "share" in node:
            share = node["share"]
            if not isinstance(share, int | float) or isinstance(share, bool) or not 0 <= share <= 1:
                raise self.doc.fail("share", "share must be a number from 0 to 1", node)
            weight = float(share)
        if last:
            if "below" in node:
                raise self.doc.fail("below", "the last bin is the rest: it has points alone", node)
            return Bin(None, points, weight)
        below = node.get("below")
        limits = below if isinstance(below, list) else [below]
        if len(limits) != len(features) or not all(
            isinstance(v, int | float) and not isinstance(v, bool) and (isfinite(v) or v == inf)
            for v in limits
        ):
            raise self.doc.fail("below", f"below must give {len(features)} number(s)", node)
        if all(v == inf for v in limits):  # of a pair, one of the two may be whatever it is
            raise self.doc.fail(
                "below", f"below must give {len(features)} number(s), one at least a limit", node
            )
        return Bin(tuple(float(v) for v in limits if v is not None), points, weight)

    def characteristic(self, node: Any, purpose: str, sources: tuple[str, ...]) -> Characteristic:
        if not isinstance(node, dict):
            raise self.doc.fail("characteristics", "a characteristic must be a mapping")
        self.known(node, PART_KEYS, "key")
        if ("feature" in node) == ("features" in node):
            raise self.doc.fail(next(iter(node)), "name one feature, or two features", node)
        if "feature" in node:
            features: tuple[str, ...] = (self.feature(node, "feature", node["feature"], purpose, sources),)
        else:
            if not isinstance(node["features"], list) or len(node["features"]) != 2:
                raise self.doc.fail("features", "features must be a pair", node)
            features = tuple(self.feature(node, "features", f, purpose, sources) for f in node["features"])
        neutral = self.integer(node, "neutral")
        reason, bins = node.get("reason"), node.get("bins")
        if not isinstance(reason, dict):
            raise self.doc.fail("reason", "reason must give code and text", node)
        self.known(reason, {"code", "text"}, "key")
        if not isinstance(bins, list) or not bins or len(bins) > MOST_BINS:
            raise self.doc.fail("bins", f"bins must be a list of 1 to {MOST_BINS}", node)
        made = tuple(self.bin(b, features, i == len(bins) - 1) for i, b in enumerate(bins))
        limits = [b.below[0] for b in made if b.below is not None]
        if len(features) == 1 and limits != sorted(set(limits)):
            raise self.doc.fail("bins", "the limits of bins must rise, or a bin is never reached", node)
        code = self.word(reason, "code")
        self.allowed_name(reason, "code", code)
        better, basis = self.better(node, features), self.basis(node)
        whole = Characteristic(features, neutral, code, self.word(reason, "text"), made, better, basis)
        self.sound(whole, node)
        return whole

    def better(self, node: Any, features: tuple[str, ...]) -> tuple[str, ...]:
        if "better" not in node:
            return ()
        value = node["better"]
        words = value if isinstance(value, list) else [value]
        if len(words) != len(features) or any(w not in soundness.DIRECTIONS for w in words):
            raise self.doc.fail(
                "better",
                f"better must say {', '.join(soundness.DIRECTIONS)} of {len(features)} feature(s)",
                node,
            )
        return tuple(str(w) for w in words)

    def basis(self, node: Any) -> str | None:
        basis = node.get("basis")
        if basis is None:
            return None
        if basis not in BASES:
            raise self.doc.fail("basis", f"basis must be {' or '.join(BASES)}", node)
        if basis == "expert" and ("better" not in node or not self.word(node, "because")):
            raise self.doc.fail(
                "basis", "an expert's points need better and because: the reason of the direction", node
            )
        return str(basis)

    def sound(self, one: Characteristic, node: Any) -> None:
        """PolicyError where bins overlap, points contradict a direction, or what is missing would cost."""
        bins = node["bins"]
        if (place := soundness.unreached(one)) is not None:
            raise self.doc.fail(
                place, "a bin is covered by those before it and never reached; remove it", bins
            )
        if (found := soundness.contradicts(one)) is not None:
            feature, place = found
            better = one.better[one.features.index(feature)]
            raise self.doc.fail(
                place,
                f"points contradict the declared direction: {better} {feature} is better; mend them",
                bins,
            )
        shares = [b.share for b in one.bins]
        known = [s for s in shares if s is not None]
        if known and (len(known) < len(shares) or abs(sum(known) - 1) > soundness.SHARES_SUM):
            raise self.doc.fail("bins", "give each bin its share, 1 in sum, or none of them", node)
        mean, best = soundness.mean_points(one), max(b.points for b in one.bins)
        if one.neutral < mean:
            raise self.doc.fail(
                "neutral",
                f"neutral {one.neutral} is below {mean:.2f}, the mean of the bins: what is missing would cost",
                node,
            )
        if one.neutral > best:
            raise self.doc.fail(
                "neutral", f"neutral {one.neutral} is above every bin: no value would end the reason", node
            )


def compile_scorecard(text: str, path: str, policy: Policy) -> Scorecard:
    """The scorecard in a file's text; PolicyError with file and line where it goes beyond floor or policy."""
    doc = parse(text, path)
    read = _Compiler(doc, policy)
    read.known(doc.node, KEYS, "key")
    purpose = read.purpose()
    required, optional = read.sources(purpose)
    nodes = doc.node.get("characteristics")
    if not isinstance(nodes, list) or not nodes or len(nodes) > MOST_CHARACTERISTICS:
        raise doc.fail("characteristics", f"characteristics must be a list of 1 to {MOST_CHARACTERISTICS}")
    made = tuple(read.characteristic(n, purpose, required + optional) for n in nodes)
    codes = [c.code for c in made]
    for node, code in zip(nodes, codes, strict=True):
        if codes.count(code) > 1:
            raise doc.fail(
                "reason", f"reason code {code} stands twice; give each characteristic its own", node
            )
    if (place := costs_more(made)) is not None:
        raise doc.fail(
            "bins",
            f"a satisfied or ended record would cost more than an open one by {', '.join(made[place].features)}; "
            "let points never fall when a record ends",
            nodes[place],
        )
    if (opposed := soundness.opposed(made)) is not None:
        place, feature = opposed
        raise doc.fail(
            "better", f"{feature} is declared the other way above; declare one direction", nodes[place]
        )
    base, bands = read.integer(doc.node, "base"), read.bands()
    silent, least = base + sum(c.neutral for c in made), dict(bands)["C"]
    if silent < least:
        raise doc.fail(
            "base",
            f"all neutral is {silent}, below band C ({least}): refusing consent would cost; raise base",
        )
    return Scorecard(
        purpose=purpose,
        version=read.word(doc.node, "version"),
        base=base,
        bands=bands,
        required=required,
        optional=optional,
        minimum=read.minimum(purpose, required),
        characteristics=made,
        text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )
