"""Child processes with deadlines: every one is ended by its own id and its output is kept."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from harness.secrecy import LEDGER

START_SECONDS = 30.0
# Between two looks at what is waited for.
LOOK_SECONDS = 0.005


class Child:
    """A process whose standard error (or output) is read line by line as it comes."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], stream: str = "stderr",
                 pass_fds: Sequence[int] = ()) -> None:
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        self._reading = threading.Event()
        self._reading.set()
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: subprocess.PIPE}
        if stream == "stdout":
            pipes["stderr"] = None  # type: ignore[assignment]
        self.process = subprocess.Popen(command, env=dict(environment), stdin=subprocess.DEVNULL, pass_fds=tuple(pass_fds), **pipes)  # type: ignore[call-overload]
        self._pipe = getattr(self.process, stream)
        if start := getattr(self.process, "start_of_program", None):
            LEDGER.wrote(f"the log of {start.command}", lambda: self.output.encode(), lambda: self._ended)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def output(self) -> str:
        with self._changed:
            return "\n".join(self.lines)

    def stop_reading(self) -> None:
        """Lets the pipe fill up, as a log collector that hangs does."""
        self._reading.clear()

    def go_on_reading(self) -> None:
        self._reading.set()

    def _read(self) -> None:
        for raw in self._pipe:
            self._reading.wait()
            with self._changed:
                self.lines.append(raw.decode("utf-8", "backslashreplace").rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for_line(self, wanted: Callable[[str], bool], seconds: float = START_SECONDS) -> str:
        """The first line that is wanted. Raises if the process ends or the time passes before it."""

        def found() -> str | None:
            return next((line for line in self.lines if wanted(line)), None)

        with self._changed:
            self._changed.wait_for(lambda: found() is not None or self._ended, seconds)
            line = found()
            if line is None:
                raise AssertionError("the awaited line did not come; output:\n" + "\n".join(self.lines))
            return line

    def wait(self, seconds: float) -> int:
        """The exit status; a process that outlives the time is killed and that is a failure."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"still alive after {seconds} s; output:\n{self.output}") from error
        self._reader.join(5)
        return status

    def memory_kib(self, entry: str = "VmRSS") -> int:
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith(entry + ":"):
                    return int(line.split()[1])
        raise AssertionError(f"no {entry} of {self.pid}")

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))


def eventually(condition: Callable[[], bool], what: str, seconds: float = 20.0, pause: float = LOOK_SECONDS) -> None:
    """Waits until the condition holds, with a deadline; looks every few milliseconds, or as seldom as is said."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(pause)
