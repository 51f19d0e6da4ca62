"""Files that leave: written under a temporary name and renamed, readable by their owner alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from ruamel.yaml import YAML

from jobs.errors import AssentError

TEXTS = Path(__file__).resolve().parents[1] / "texts"


def texts(language: str) -> dict[str, Any]:
    """The texts of a language: ``words``, ``rights``, and a title and a text a kind; AssentError when not shipped."""
    path = TEXTS / f"{language}.yaml"
    if not path.is_file():
        raise AssentError(f"language {language!r} has no texts; add jobs/texts/{language}.yaml")
    return dict(YAML(typ="safe").load(path.read_text(encoding="utf-8")))


def template(name: str) -> str:
    """The text of a shipped page."""
    return (TEXTS / name).read_text(encoding="utf-8")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What cannot be written there ends as one line."""
    try:
        yield
    except OSError as e:
        raise AssentError(f"{path} cannot be written ({e.strerror}); set ASSENT_OUT") from None


def private_folder(path: Path) -> Path:
    """A folder that only its owner may enter."""
    with writing(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def probe(path: Path) -> None:
    """AssentError when nothing can be written in a folder."""
    scratch = private_folder(path) / f".probe.{os.getpid()}"
    with writing(path):
        scratch.touch()
        scratch.unlink()


class Whole:
    """A text file that is there whole or not at all, mode 0600; until it is released under a name nobody looks at."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._scratch = path.with_name(f".{path.name}.{os.getpid()}")
        self._file: TextIO | None = None

    def write(self, lines: Iterable[str]) -> None:
        """Adds lines."""
        with writing(self.path):
            if self._file is None:
                private_folder(self.path.parent)
                made = os.open(self._scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                self._file = open(made, "w", encoding="utf-8")  # noqa: SIM115  closed below
            self._file.writelines(lines)

    def so_far(self) -> Path:
        """Where what was written until now can be read."""
        self.write(())
        assert self._file is not None
        with writing(self.path):
            self._file.flush()
        return self._scratch

    def release(self) -> None:
        """Gives the file its name, once what was written is on the disk."""
        self.write(())
        assert self._file is not None
        with writing(self.path):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._scratch.replace(self.path)
        self._file = None

    def discard(self) -> None:
        """Leaves nothing behind of what was not released."""
        file, self._file = self._file, None
        try:
            if file is not None:
                with suppress(OSError):  # a full disk: what is in the buffer is not wanted
                    file.close()
        finally:
            self._scratch.unlink(missing_ok=True)


def write_whole(path: Path, lines: Iterable[str]) -> None:
    """A text file, whole or not at all, mode 0600."""
    file = Whole(path)
    try:
        file.write(lines)
        file.release()
    finally:
        file.discard()
