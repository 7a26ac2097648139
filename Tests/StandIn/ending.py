"""The end of a stand-in."""

import os
import signal
import threading


def end_on_signal() -> None:
    """Ends the process on SIGTERM or SIGINT. To be called before other threads are started.

    A handler would run between two steps of the main thread: a signal that comes just before it waits in accept(2) would
    be heard only at the next connection.
    """
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)

    def wait() -> None:
        signal.sigwait(signals)
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()
