"""The proxy under test as a child process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.client import ask, request
from harness.process import Child, eventually
from harness.secrecy import LEDGER
from harness.upstream import TOKEN

ROOT = Path(__file__).resolve().parents[3]
BINARY = os.environ.get("PROXY_BINARY") or str(ROOT / ".build" / "debug" / "sentry-api-proxy")
STOP_SECONDS = 40.0
PAGES = ("/", "/live", "/metrics", "/status", "/learned", "/readyz", "/healthz")
PAGE_SECONDS = 5.0
# What a sanitizer or the Swift runtime writes when the process is not sound.
ALARMS = re.compile(r"ERROR: AddressSanitizer|WARNING: ThreadSanitizer|runtime error:|Fatal error|\*\*\* .*crash", re.IGNORECASE)
CONFIGURATION = (
    "LISTEN", "ADMIN_LISTEN", "SENTRY_URI", "SENTRY_TOKEN", "SENTRY_TOKEN_FILE", "SENTRY_AUTH_TOKEN", "PGX_CONN",
    "ALIAS_TOKENS", "PUBLIC_URL",
)


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without anything that would configure the proxy."""
    kept = {name: value for name, value in os.environ.items() if name not in CONFIGURATION and not name.startswith("PG")}
    # The default port is one for the whole machine.
    kept["ADMIN_LISTEN"] = "127.0.0.1:0"
    # Without aliases only these are answered to; what is refused otherwise, test_trust.py shows.
    kept["ALLOW_HOST"] = ".example;.test"
    kept["ALLOW_ORIGIN"] = "https://app.example;https://evil.example"
    kept.update(extra or {})
    return kept


def run_to_end(*flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the program with these flags and variables until it ends by itself."""
    return subprocess.run([BINARY, *flags], env=clean_environment(environment), capture_output=True, text=True, timeout=20, check=False)


class Proxy(Child):
    """Started on port 0 and ready once it says where it listens. `stop` is part of every test."""

    def __init__(self, upstream: str, *flags: str, listen: str = "127.0.0.1:0",
                 environment: Mapping[str, str] | None = None, token: str | None = TOKEN,
                 wrapper: Sequence[str] = (), subcommand: Sequence[str] = (), pass_fds: Sequence[int] = ()) -> None:
        extra = dict(environment or {})
        if token is not None:
            extra.setdefault("SENTRY_TOKEN", token)
        command = [*wrapper, BINARY, *subcommand, "--listen", listen, "--sentry-uri", upstream, *flags]
        super().__init__(command, clean_environment(extra), pass_fds=pass_fds)
        line = self.wait_for_line(lambda text: 'msg="listening"' in text or "msg=listening" in text)
        match = re.search(r"\baddr=\"?([^\s\"]+)", line)
        assert match, line
        self.listening = match.group(1)
        self.admin_listening = re.search(r"\badmin=\"?([^\s\"]+)", line).group(1)  # type: ignore[union-attr]
        if self.admin_listening.rpartition(":")[2].isdigit():
            LEDGER.admin.add(self.admin)
        # The kernel gives out the ports of programs that have ended anew.
        if self.listening.rpartition(":")[2].isdigit():
            LEDGER.admin.discard(self.address)

    @property
    def port(self) -> int:
        return int(self.listening.rpartition(":")[2])

    @property
    def admin(self) -> tuple[str, int]:
        """The admin listener's address."""
        return ("127.0.0.1", int(self.admin_listening.rpartition(":")[2]))

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """None of its threads runs in the block: SIGSTOP takes effect some time after it was sent."""

        def is_paused() -> bool:
            return all(stat.read_text(encoding="ascii").rpartition(") ")[2][0] == "T"
                       for stat in Path(f"/proc/{self.pid}/task").glob("*/stat"))

        self.signal(signal.SIGSTOP)
        try:
            eventually(is_paused, "every thread has stopped")
            yield
        finally:
            self.signal(signal.SIGCONT)

    def descriptors(self) -> int:
        """The program keeps other processes of its user from looking into it: only root can count for itself."""
        try:
            return super().descriptors()
        except PermissionError:
            page = ask(self.admin, request("GET", "/metrics")).payload.decode()
            return int(float(re.search(r"^process_open_fds (\S+)", page, re.MULTILINE).group(1)))  # type: ignore[union-attr]

    def stop(self) -> None:
        """SIGTERM; it must end by itself with status 0 and without an alarm in its log."""
        self.go_on_reading()
        if self.process.poll() is None:
            self._look_at_pages()
            self.signal(signal.SIGTERM)
        status = self.wait(STOP_SECONDS)
        alarm = ALARMS.search(self.output)
        assert alarm is None, f"the proxy raised an alarm:\n{self.output[-20000:]}"
        assert status == 0, f"exit status {status}; output:\n{self.output[-5000:]}"
        if self.admin_listening.rpartition(":")[2].isdigit():
            LEDGER.admin.discard(self.admin)

    def _look_at_pages(self) -> None:
        """Whatever the test was about, no page of the admin listener has a secret in it."""
        if not self.admin_listening.rpartition(":")[2].isdigit():
            return
        for page in PAGES:
            try:
                ask(self.admin, request("GET", page), seconds=PAGE_SECONDS)
            except OSError:
                # Its network is another one, or it is short of descriptors: that is what the test was about.
                return


StartProxy = Callable[..., Proxy]
