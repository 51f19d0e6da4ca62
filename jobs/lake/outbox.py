"""Files that leave: written under a temporary name and renamed, readable by their owner alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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


def write_whole(path: Path, lines: Iterable[str]) -> None:
    """A text file, whole or not at all, mode 0600."""
    private_folder(path.parent)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    with writing(path):
        try:
            with open(
                os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
            ) as file:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
