"""A real Bugsink under gunicorn, from the package index, with a database of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from harness.client import ask, request
from harness.fronts import free_port
from harness.packages import installed
from harness.process import Child, eventually

VERSION = "2.6.2"


class Bugsink:
    """One team, one project with the slug `web`, one token that may do everything."""

    def __init__(self, folder: Path, teams: int) -> None:
        gunicorn = installed(f"bugsink=={VERSION}", "gunicorn", ".build-venv-bugsink")
        self._programs = Path(gunicorn).parent
        self._folder = folder
        self._environment = {"PATH": f"{self._programs}:{os.environ.get('PATH', '')}", "HOME": str(folder), "PYTHONUNBUFFERED": "1",
                             "DJANGO_SETTINGS_MODULE": "bugsink_conf", "PYTHONPATH": str(folder)}
        self.port = free_port()
        self._run("bugsink-create-conf", "--template=local", f"--port={self.port}", "--host=127.0.0.1")
        self._run("bugsink-manage", "migrate")
        self._run("bugsink-manage", "migrate", "snappea", "--database=snappea")
        self.token = self._run("bugsink-manage", "create_auth_token").strip()
        self.key = self._run("bugsink-manage", "shell", "-c", f"""
from teams.models import Team
from projects.models import Project
Team.objects.bulk_create(Team(name=f"team {{number:04d}}") for number in range({teams}))
project = Project.objects.create(name="web", slug="web", team=Team.objects.order_by("name").first())
print("key", project.id, project.sentry_key.hex)
""").split("key ")[-1].strip()
        self.server = Child([gunicorn, "--chdir", str(folder), "--bind", f"127.0.0.1:{self.port}", "--workers", "1", "--threads", "4",
                             "bugsink.wsgi"], self._environment)
        eventually(self._answers, "Bugsink answers", 60)

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run([str(self._programs / program), *arguments], cwd=self._folder, env=self._environment, capture_output=True,
                              text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _answers(self) -> bool:
        """The worker is forked before Django is loaded, which the first request waits for."""
        assert self.server.process.poll() is None, self.server.output
        try:
            return ask(("127.0.0.1", self.port), request("GET", "/api/0/", f"Authorization: Bearer {self.token}")).status == 200
        except ConnectionRefusedError:
            return False

    def close(self) -> None:
        self.server.process.terminate()
        self.server.wait(20)
