"""TLS settings that cannot work end the start with one line that names the flag."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.certificates import Certificates
from harness.proxy import BINARY, clean_environment

USAGE, CONFIGURATION = 64, 78
HTTPS = "https://127.0.0.1:9"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Names for good and bad files, as the cases below use them."""
    folder: Path = tmp_path_factory.mktemp("files")
    certificates = Certificates(folder / "authority")
    good, other = certificates.issue("good", "DNS:localhost"), certificates.issue("other", "DNS:localhost")
    (folder / "text.pem").write_text("no certificate here\n")
    (folder / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    encrypted = folder / "encrypted.key"
    subprocess.run(["openssl", "pkey", "-in", str(good.key), "-aes128", "-passout", "pass:x", "-out", str(encrypted)], check=True)
    return {"CERT": str(good.certificate), "KEY": str(good.key), "OTHER-KEY": str(other.key), "CA": certificates.ca_file,
            "TEXT": str(folder / "text.pem"), "BROKEN": str(folder / "broken.pem"), "ENCRYPTED": str(encrypted),
            "MISSING": str(folder / "missing.pem"), "FOLDER": str(folder)}


@pytest.mark.parametrize("arguments, status, named", [
    ("--tls-cert MISSING --tls-key KEY", CONFIGURATION, "--tls-cert"),
    ("--tls-cert FOLDER --tls-key KEY", CONFIGURATION, "--tls-cert"),
    ("--tls-cert TEXT --tls-key KEY", CONFIGURATION, "--tls-cert"),
    ("--tls-cert BROKEN --tls-key KEY", CONFIGURATION, "--tls-cert"),
    ("--tls-cert CERT --tls-key MISSING", CONFIGURATION, "--tls-key"),
    ("--tls-cert CERT --tls-key TEXT", CONFIGURATION, "--tls-key"),
    ("--tls-cert CERT --tls-key OTHER-KEY", CONFIGURATION, "--tls-key"),
    ("--tls-cert CERT --tls-key ENCRYPTED", CONFIGURATION, "--tls-key"),
    ("--tls-cert CERT", USAGE, "--tls-cert"),
    ("--tls-key KEY", USAGE, "--tls-key"),
    ("--client-ca CA", USAGE, "--client-ca"),
    ("--tls-cert CERT --tls-key KEY --client-ca MISSING", CONFIGURATION, "--client-ca"),
    ("--tls-cert CERT --tls-key KEY --client-ca TEXT", CONFIGURATION, "--client-ca"),
    ("--sentry-uri HTTPS --ca-file MISSING", CONFIGURATION, "--ca-file"),
    ("--sentry-uri HTTPS --ca-file TEXT", CONFIGURATION, "--ca-file"),
    ("--sentry-uri HTTPS --ca-file BROKEN", CONFIGURATION, "--ca-file"),
    ("--sentry-uri HTTPS --ca-file CA --client-cert CERT", CONFIGURATION, "--client-cert"),
    ("--sentry-uri HTTPS --ca-file CA --client-key KEY", CONFIGURATION, "--client-key"),
    ("--sentry-uri HTTPS --ca-file CA --client-cert CERT --client-key OTHER-KEY", CONFIGURATION, "--client-key"),
    ("--sentry-uri HTTPS --ca-file CA --client-cert TEXT --client-key KEY", CONFIGURATION, "--client-cert"),
    ("--ca-file CA", USAGE, "--ca-file"),
    ("--client-cert CERT --client-key KEY", USAGE, "--client-cert"),
    ("--sentry-uri https://user:secret@127.0.0.1", USAGE, "--sentry-uri"),
    ("--sentry-uri https://user@127.0.0.1", USAGE, "--sentry-uri"),
    ("--sentry-uri https://127.0.0.1/?a=secret", USAGE, "--sentry-uri"),
    ("--sentry-uri https://127.0.0.1/#secret", USAGE, "--sentry-uri"),
    ("--sentry-uri https://127.0.0.1/prefix?", USAGE, "--sentry-uri"),
    ("--public-url https://proxy.example/a//path", USAGE, "--public-url"),
    ("--public-url https://user:secret@proxy.example", USAGE, "--public-url"),
    ("--public-url https://proxy.example?a=1", USAGE, "--public-url"),
    ("--public-url proxy.example", USAGE, "--public-url"),
])
def test_a_setting_that_cannot_work_is_refused_by_name(files: dict[str, str], arguments: str, status: int, named: str) -> None:
    words = [files.get(word, HTTPS if word == "HTTPS" else word) for word in arguments.split()]
    environment = clean_environment({"SENTRY_TOKEN": "x"})
    if "--sentry-uri" not in words:
        environment["SENTRY_URI"] = "http://127.0.0.1:9"
    ended = subprocess.run([BINARY, "--listen", "127.0.0.1:0", *words], env=environment, capture_output=True, text=True, timeout=20,
                           check=False)
    assert (ended.returncode, ended.stdout) == (status, ""), ended
    lines = [line for line in ended.stderr.splitlines() if line.strip()]
    assert named in lines[0], ended.stderr
    assert len(lines) == 1 or lines[1].startswith("Usage:"), ended.stderr
    assert "secret" not in ended.stderr and "PRIVATE" not in ended.stderr
