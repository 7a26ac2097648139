"""Reads /metrics with the parser of Prometheus' own Python client."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

import pytest

from harness.client import ask, request
from harness.proxy import ROOT, Proxy

VENV = ROOT / ".build-venv"
PREFIX = "sentry_api_proxy_"
# The parser runs in the virtual environment; what it read comes back as JSON.
READER = """
import json, sys
from prometheus_client.parser import text_string_to_metric_families
families = text_string_to_metric_families(sys.stdin.read())
print(json.dumps([[f.name, f.type, f.documentation, [[s.name, s.labels, s.value] for s in f.samples]] for f in families]))
"""


def reader() -> str:
    """The Python that has prometheus_client, from the package index, in a virtual environment that is kept between runs."""
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    has_it = subprocess.run([str(python), "-c", "import prometheus_client"], capture_output=True, check=False).returncode == 0
    if not has_it:
        installed = subprocess.run([str(python), "-m", "pip", "install", "--quiet", "prometheus_client>=0.20,<1"],
                                   capture_output=True, text=True, timeout=300, check=False)
        if installed.returncode:
            pytest.skip(f"prometheus_client could not be installed: {installed.stderr.strip().splitlines()[-1:]}")
    return str(python)


@dataclass
class Family:
    name: str
    type: str
    help: str
    samples: list[tuple[str, dict[str, str], float]]


class Scrape:
    """One look at /metrics."""

    def __init__(self, text: str) -> None:
        self.text = text
        ended = subprocess.run([reader(), "-c", READER], input=text, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 0, f"the parser refused the page: {ended.stderr[-500:]}"
        self.families = [Family(name, kind, text, [tuple(sample) for sample in samples]) for name, kind, text, samples in json.loads(ended.stdout)]

    def samples(self, name: str, **labels: str) -> list[tuple[dict[str, str], float]]:
        """Those of the sample name (without the prefix) that have these labels."""
        found = []
        for family in self.families:
            for sample, its_labels, value in family.samples:
                if sample in (PREFIX + name, name) and labels.items() <= its_labels.items():
                    found.append((its_labels, value))
        return found

    def sum(self, name: str, **labels: str) -> float:
        return sum(value for _, value in self.samples(name, **labels))


def scrape(proxy: Proxy) -> Scrape:
    answer = ask(proxy.admin, request("GET", "/metrics"))
    assert answer.status == 200 and answer.complete
    assert answer.value("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    return Scrape(answer.body.decode())
