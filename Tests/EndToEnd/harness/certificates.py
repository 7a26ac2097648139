"""Certificates made by openssl(1) for one test run: an authority, and what it signs."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass
class Pair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path

    @property
    def files(self) -> tuple[str, str]:
        return str(self.certificate), str(self.key)


def openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"openssl {' '.join(arguments)}: {done.stderr}"


class Certificates:
    """One authority in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.authority = self.self_signed("ca", "")

    @property
    def ca_file(self) -> str:
        return str(self.authority.certificate)

    def _pair(self, name: str) -> Pair:
        return Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")

    def self_signed(self, name: str, names: str) -> Pair:
        pair = self._pair(name)
        extension = ["-addext", f"subjectAltName={names}"] if names else []
        openssl("req", "-x509", *KEY, "-days", "2", "-subj", f"/CN={name}", *extension,
                "-keyout", str(pair.key), "-out", str(pair.certificate))
        return pair

    def issue(self, name: str, names: str, days: int = 2) -> Pair:
        """A leaf for `names`, such as `DNS:localhost,IP:127.0.0.1`; with negative days it has expired."""
        pair = self._pair(name)
        request = self.folder / f"{name}.csr"
        openssl("req", "-new", *KEY, "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}",
                "-keyout", str(pair.key), "-out", str(request))
        openssl("x509", "-req", "-in", str(request), "-CA", self.ca_file, "-CAkey", str(self.authority.key),
                "-days", str(days), "-copy_extensions", "copy", "-out", str(pair.certificate))
        return pair
