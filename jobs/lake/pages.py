"""The page of each letter: of few letters they are written here, of many by a second process beside this one.

Both read the letters from the file that is for the sender, as far as they are told. So nothing of a person is handed
over but in that file, and the second process holds neither keys nor DuckDB, and nothing of the JVM.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from jobs.errors import AssentError
from jobs.lake.outbox import template

ITEM = "- "
MANY = 5_000  # letters: their pages take twice what it takes to start a process
MET = 1_000  # paragraphs laid out lately: of rights and sources many letters say the same


def blocks(text: str) -> list[tuple[str, list[str]]]:
    """The paragraphs of a text: ``("text", lines)``, or ``("list", items)`` where each line begins with "- "."""
    found: list[tuple[str, list[str]]] = []
    for part in text.split("\n\n"):
        lines = [" ".join(line.split()) for line in part.splitlines() if line.strip()]
        if not lines:
            continue
        if lines[0].startswith(ITEM):
            items: list[str] = []
            for line in lines:  # an item may run over several lines
                if line.startswith(ITEM):
                    items.append(line[len(ITEM) :])
                else:
                    items[-1] += f" {line}"
            found.append(("list", items))
        else:
            found.append(("text", lines))
    return found


def by_paragraph(lay_out: Callable[[str], str]) -> Callable[[str], list[str]]:
    """Each paragraph of a text laid out, those met lately without being laid out again."""
    met = lru_cache(MET)(lay_out)
    return lambda text: [made for part in text.split("\n\n") if (made := met(part))]


class Page:
    """The shipped page; what is put into it is escaped."""

    def __init__(self) -> None:
        made = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
        self._page = made.from_string(template("page.html"))
        paragraph: Any = made.from_string(template("paragraphs.html")).module
        self._paragraphs = by_paragraph(lambda part: "".join(paragraph.paragraph(*b) for b in blocks(part)))

    def of(self, letter: Mapping[str, Any], account: int = 0) -> str:
        """The page of a letter; the last so many characters of its text, an account, are shown as they are."""
        end = len(letter["text"]) - account
        text, shown = letter["text"][:end], letter["text"][end:]
        made = Markup("".join(self._paragraphs(text)))  # noqa: S704  the template has escaped it
        return self._page.render(letter, paragraphs=made, account=shown)


class Pages:
    """Pages of the letters in a file, each in a file of its own in a folder, readable by its owner alone."""

    def __init__(self, letters: Path, folder: Path) -> None:
        self._letters = letters.open("rb")
        self._folder = folder
        self._page = Page()

    def write(
        self, count: int, accounts: Mapping[str, int], wanted: Callable[[], bool] = lambda: True
    ) -> None:
        """The pages of the next letters, as long as they are wanted; ``accounts``: as ``Page.of``, by notice_id."""
        for line in islice(self._letters, count):
            if not wanted():
                return
            letter = json.loads(line)
            page = self._page.of(letter, accounts.get(letter["notice_id"], 0)).encode()
            path = f"{self._folder}/{letter['notice_id']}.html"
            file = os.open(
                path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600
            )  # open() asks the system thrice as much
            try:
                while page:
                    page = page[os.write(file, page) :]
            finally:
                os.close(file)

    def finish(self) -> None:
        """Every page is written once this returns."""
        self.end()

    def end(self) -> None:
        """Writes no further page."""
        self._letters.close()


class PagesAside:
    """As :class:`Pages`, written by a second process, which ends with this one."""

    def __init__(self, letters: Path, folder: Path) -> None:
        self._process = subprocess.Popen(
            # -P: not from the folder that somebody stands in
            [sys.executable, "-P", "-m", "jobs.lake.pages", str(letters), str(folder), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            process_group=0,  # an interrupt from the terminal is for this process, which then ends that one
        )

    def write(self, count: int, accounts: Mapping[str, int]) -> None:
        """Has it write the pages of the next letters; waits only while it has many accounts still to be told."""
        assert self._process.stdin is not None
        try:
            print(json.dumps([count, accounts]), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            self.finish()

    def finish(self) -> None:
        """Waits until every page is written; OSError when one could not be."""
        said, _ = self._process.communicate()
        if said.strip().isdecimal():
            raise OSError(int(said), os.strerror(int(said)))
        if self._process.returncode or said:
            raise AssentError(
                f"notify: the process that writes the pages ended with status {self._process.returncode} "
                f"({said.strip() or 'nothing said'}); check the memory and run it again"
            )

    def end(self) -> None:
        """Ends it, whatever is not written."""
        with self._process:
            self._process.kill()


def main(argv: Sequence[str]) -> int:
    """``python -m jobs.lake.pages LETTERS FOLDER PROCESS``: on each line read, how many letters more, and accounts.

    Says the number of a fault of the system, or the kind of another: the text of a fault may hold personal data.
    """
    letters, folder, process = argv
    try:
        pages = Pages(Path(letters), Path(folder))
        for line in sys.stdin:
            count, accounts = json.loads(line)
            pages.write(count, accounts, wanted=lambda: os.getppid() == int(process))
    except OSError as e:
        print(e.errno)
        return 1
    except Exception as e:
        print(type(e).__name__)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
