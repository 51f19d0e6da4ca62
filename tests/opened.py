"""A package as its recipient has it: decrypted with the demo recipient's key, its signature checked."""

import io
import zipfile
from pathlib import Path

from pysequoia import Cert, Tsk, decrypt


def opened(lake: object, recipient: str, stem: str) -> dict[str, bytes]:
    """The files of a package of a lake, by name; ``stem`` is the package's name with its night."""
    keys = Path(f"{lake}.keys")
    certs = Cert.split_bytes((keys / "operator.pub.asc").read_bytes())
    secret = Tsk.from_file(str(keys / "demo-recipients" / f"{recipient}.sec.asc")).decryptor()
    file = Path(f"{lake}.out") / "exports" / recipient / f"{stem}.zip.pgp"
    found = decrypt(file.read_bytes(), secret, lambda ids: certs)
    assert len(found.valid_sigs) == 1
    assert found.bytes is not None
    with zipfile.ZipFile(io.BytesIO(found.bytes)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
