"""Deploy/quickstart.yaml without an engine: its command lines and environments, started here, and its story told to the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.database import Postgres
from harness.process import Child, eventually
from harness.proxy import BINARY

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
ROOT = Path(__file__).parents[2]


def test_the_quickstart_tells_its_story(tmp_path: Path) -> None:
    for tool in ("curl", "psql"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    services = yaml.safe_load((ROOT / "Deploy/quickstart.yaml").read_text())["services"]
    places = {"/aliases/": f"{tmp_path}/", "/stand-in/": f"{ROOT}/Tests/StandIn/", "/story.sh": f"{ROOT}/Deploy/quickstart/story.sh",
              "0.0.0.0:9000": "127.0.0.1:0", "0.0.0.0:9001": "127.0.0.1:0"}

    def here(text: str) -> str:
        """With the containers' names, ports and folders replaced by those of this test."""
        for there, value in places.items():
            text = text.replace(there, value)
        return text

    def command(service: str) -> list[str]:
        return [sys.executable if word == "python3" else here(word) for word in services[service]["command"]]

    def environment(service: str) -> dict[str, str]:
        return {name: here(value) for name, value in services[service]["environment"].items()}

    subprocess.run(command("aliases"), check=True, timeout=30)
    children = []
    postgres = Postgres()
    try:
        postgres.sql("DROP TABLE sentry_option")
        postgres.sql((ROOT / "Deploy/quickstart/seed.sql").read_text())
        stand_in = Child(command("stand-in"), os.environ, "stdout")
        children.append(stand_in)
        _, _, upstream, _, control = stand_in.wait_for_line(lambda line: line.startswith("listening on ")).split()
        places |= {"stand-in:9000": upstream, "stand-in:9001": control, "host=database": f"host={postgres.folder}"}
        settings = environment("sentry-api-proxy")
        assert (settings["LISTEN"], settings["ADMIN_LISTEN"]) == (":8080", ":9090")
        settings |= {"LISTEN": "127.0.0.1:0", "ADMIN_LISTEN": "127.0.0.1:0"}
        proxy = Child([str(BINARY)], settings)
        children.append(proxy)
        line = proxy.wait_for_line(lambda line: "listening" in line and "admin=" in line)
        fields = dict(word.split("=", 1) for word in line.replace('"', "").split() if "=" in word)
        test = services["sentry-api-proxy"]["healthcheck"]["test"]
        ready = [str(BINARY), *test[2:], "--admin-listen", fields["admin"]]
        eventually(lambda: subprocess.run(ready, timeout=10, check=False, capture_output=True).returncode == 0, "readiness", 20)
        places |= {"sentry-api-proxy:8080": fields["addr"]}
        told = environment("story") | {"PGHOST": str(postgres.folder), "PATH": os.environ["PATH"]}
        # The second time, as after another `up`.
        for _ in range(2):
            story = subprocess.run(command("story"), env=told, capture_output=True, text=True, timeout=60, check=False)
            assert story.returncode == 0, story.stdout + story.stderr + proxy.output
            assert story.stderr == ""
            statuses = [line.split()[1] for line in story.stdout.splitlines() if line.startswith("    HTTP/1.1 ")]
            assert statuses == ["401", "200", "200", "200", "403"], story.stdout
            assert "\nSentry refused the old token; the proxy renewed it and tried again." in story.stdout
            assert story.stdout.rstrip().endswith("says how to try it."), story.stdout
            for line in (tmp_path / "aliases").read_text().splitlines():
                assert line.split()[1] not in story.stdout + proxy.output
    finally:
        for child in children:
            child.process.terminate()
            child.wait(15)
        postgres.close()
