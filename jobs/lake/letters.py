"""Letters to people: rendered from the texts of a language, as NDJSON for the sender and as a page each.

``<out>/notices/<night>.ndjson`` and ``<out>/notices/<night>/<notice_id>.html``, whole or not at all, readable by their
owner alone. No file name holds an identity; what a delivery brought is escaped in a page.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

import jinja2
import pyarrow as pa

from jobs.errors import AssentError
from jobs.lake.night import Night
from jobs.lake.out import out_folder
from jobs.lake.outbox import Whole, private_folder, texts, writing
from jobs.lake.pages import ITEM, MANY, Pages, PagesAside, blocks, by_paragraph
from jobs.lake.vault import read_identities
from jobs.rules.floor import SCORE_MAX, SCORE_MIN, floor_hash
from schemas.tables import NOTICES

TO = ("national_id", "family_name", "given_name")
AT_ONCE = 50_000  # letters in memory: some 200 MB
UNTIL = "\0"  # of a title; nothing that is put into a text holds it


def notice_id(night: str, kind: str, person: int, subject: str) -> str:
    """Follows from night, kind, person and subject, so that a rerun writes the same notice."""
    return hashlib.sha256(f"{night}|{kind}|{person}|{subject}".encode()).hexdigest()[:24]


def cleaned(value: Any) -> Any:
    """A value on one line: what a delivery brought may hold control characters, or look like a list."""
    if not isinstance(value, str):
        return "" if value is None else value
    if not value.isprintable():
        value = "".join(c if c.isprintable() else " " for c in value)
    return " ".join(value.split())


def plain(text: str) -> str:
    """A rendered text as a person reads it: one line a paragraph or item, a blank line between paragraphs."""
    parts = [
        "\n".join(ITEM + line for line in lines) if kind == "list" else " ".join(lines)
        for kind, lines in blocks(text)
    ]
    return "\n\n".join(parts)


encoded = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


class Texts:
    """The templates of a language; what is put into them is on one line and, in a page, escaped."""

    def __init__(self, language: str) -> None:
        said = texts(language)
        words = {str(k): str(v) for k, v in said.pop("words", {}).items()}
        said.pop("consents", None)  # shown before consenting, by who asks for it
        parts = {k: v for k, v in said.items() if isinstance(v, str)}
        self.kinds = [k for k, v in said.items() if isinstance(v, dict)]
        # title and text in one, and what they include in its place: half of a template's time is its start
        for kind in self.kinds:
            whole = f"{said[kind]['title']}{UNTIL}{said[kind]['text']}"
            for name in [k for k, v in said.items() if isinstance(v, str)]:
                whole = whole.replace(f'{{% include "{name}" %}}', said[name].removesuffix("\n"))
            parts[f"{kind}.letter"] = whole
        made = jinja2.Environment(
            loader=jinja2.DictLoader(parts),
            autoescape=False,  # noqa: S701  plain text; the page escapes it
            undefined=jinja2.StrictUndefined,
            finalize=cleaned,
        )
        made.filters["word"] = lambda name: words.get(str(name), str(name).replace("_", " "))
        self.environment = made
        self._templates: dict[str, jinja2.Template] = {}  # asked for by the million
        self._plain = by_paragraph(plain)

    def _template(self, name: str) -> jinja2.Template:
        if name not in self._templates:
            self._templates[name] = self.environment.get_template(name)
        return self._templates[name]

    def said(self, template: str, values: Mapping[str, Any]) -> tuple[str, str]:
        """Title and text of a notice; AssentError when the language lacks the template."""
        try:
            title, _, text = self._template(f"{template}.letter").render(values).partition(UNTIL)
        except jinja2.TemplateNotFound:
            raise AssentError(
                f"jobs/texts: no text for a notice {template!r}; add it to the language"
            ) from None
        return cleaned(title), "\n\n".join(self._plain(text))


class Letters:
    """The night's notices: rows for the ledger, and what each says, on its way to the outbox.

    A context: what was not :meth:`released <release>` is gone at its end. No more than ``AT_ONCE`` letters are held.
    """

    def __init__(self, night: Night) -> None:
        self.night = night
        self.texts = Texts(night.policy.language)
        self.given = {
            "night": night.date.isoformat(),
            "low": SCORE_MIN,
            "high": SCORE_MAX,
            "operator": night.policy.sending.operator,
            "contact": night.policy.sending.contact,
        }
        self._rows: list[dict[str, Any]] = []
        # the text and not its paragraphs: through the lists of a hundred thousand letters Python looks again and again
        # for what nobody needs any more, which took half as long again
        self._said: list[tuple[str, str, str | None]] = []
        self._written: list[pa.Table] = [NOTICES.arrow().empty_table()]
        self._folder = out_folder(night.lake.root) / "notices"
        self._pages = self._folder / f".{night.date.isoformat()}.{os.getpid()}"
        self._lines = Whole(self._folder / f"{night.date.isoformat()}.ndjson")
        self._writer: Pages | PagesAside | None = None

    def __enter__(self) -> Letters:
        # also what a killed run of the night has left
        for left in private_folder(self._folder).glob(f".{self.night.date.isoformat()}.*"):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._writer is not None:
                self._writer.end()
            self._lines.discard()
        finally:
            shutil.rmtree(self._pages, ignore_errors=True)

    def add(
        self,
        kind: str,
        person: int,
        subject: str,
        values: Mapping[str, Any],
        template: str | None = None,
        account: str | None = None,
    ) -> None:
        """One notice; its text is rendered at once. ``account`` is shown below the text as it is."""
        template = template or kind
        date = self.night.date.isoformat()
        self._rows.append(
            {
                "night": self.night.date,
                "notice_id": notice_id(date, kind, person, subject),
                "kind": kind,
                "person_id": person,
                "subject": subject,
                "template": f"{template}.{self.night.policy.language}",
            }
        )
        self._said.append((*self.texts.said(template, {**values, **self.given}), account))
        if len(self._rows) >= AT_ONCE:
            self._write()

    def rows(self) -> pa.Table:
        """NOTICES of every letter so far."""
        self._write()
        return pa.concat_tables(self._written)

    def _letters(self) -> Iterator[dict[str, Any]]:
        """Each notice as an object, with the person's identity from the vault."""
        ids = pa.array(sorted({r["person_id"] for r in self._rows}), pa.int64())
        known = {p["person_id"]: p for p in read_identities(self.night, ids, TO).to_pylist()}
        floor = floor_hash()
        for row, (title, text, account) in zip(self._rows, self._said, strict=True):
            person = known.get(row["person_id"])
            if person is None:
                raise AssentError(
                    "notify: a person of the night is not in the vault; restore the lake from its backup"
                )
            yield {
                "notice_id": row["notice_id"],
                "night": row["night"].isoformat(),
                "kind": row["kind"],
                "subject": row["subject"],
                "language": self.night.policy.language,
                "to": {k: person[k] for k in TO},
                "title": title,
                "text": text if account is None else f"{text}\n\n{account}",
                "floor_hash": floor,
            }

    def _write(self) -> None:
        """Writes what is held under a name that nobody looks at."""
        if not self._rows:
            return
        self._lines.write(encoded(letter) + "\n" for letter in self._letters())
        if self.night.policy.sending.pages:
            self._write_pages()
        self._written.append(pa.Table.from_pylist(self._rows, schema=NOTICES.arrow()))
        self._rows, self._said = [], []

    def _write_pages(self) -> None:
        letters, count = self._lines.so_far(), len(self._rows)
        accounts = {
            row["notice_id"]: len(account)
            for row, (_, _, account) in zip(self._rows, self._said, strict=True)
            if account
        }
        with writing(self._lines.path):
            if self._writer is None:
                self._writer = (PagesAside if count >= MANY else Pages)(letters, private_folder(self._pages))
            self._writer.write(count, accounts)

    def release(self) -> None:
        """Gives the pages and the NDJSON of the night their names, in place of what a killed run left."""
        self._write()
        if self._writer is not None:
            with writing(self._lines.path):
                self._writer.finish()
        pages = self._folder / self.night.date.isoformat()
        self._lines.release()
        shutil.rmtree(pages, ignore_errors=True)
        if self._pages.exists():
            self._pages.rename(pages)
