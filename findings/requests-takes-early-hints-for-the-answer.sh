#!/usr/bin/env bash
# Python's http.client, and so requests and urllib3, takes 103 Early Hints (and 102 Processing) for the final response.
#
# Why it matters: http.client passes over 100 only. Whoever relays an upstream's interim responses to clients that did not ask for them gives scripts
# built on requests, the most common client of Sentry's API after its own tools, an empty "103" for each answer; the 200 behind it is
# never read. RFC 9110 §15.2 lets a proxy discard them, and that is what one should do.
#
# Seen with requests 2.34.2 and urllib3 2.7.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check requests==2.34.2 urllib3==2.7.0
cat > "$work/run.py" <<'PYTHON'
import socket, sys, threading
import requests, urllib3

listener = socket.create_server(("127.0.0.1", 0))

def serve():
    while True:
        client, _ = listener.accept()
        head = client.recv(65536)
        code = head.split(b" ")[1].removeprefix(b"/")
        client.sendall(b"HTTP/1.1 " + code + b" Interim\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        client.close()

threading.Thread(target=serve, daemon=True).start()
seen = {}
for code in (100, 102, 103):
    answer = requests.get(f"http://127.0.0.1:{listener.getsockname()[1]}/{code}", timeout=10)
    seen[code] = (answer.status_code, answer.text)
print("requests", requests.__version__, "urllib3", urllib3.__version__, seen)
sys.exit(0 if seen == {100: (200, "ok"), 102: (102, ""), 103: (103, "")} else 1)
PYTHON
"$work/venv/bin/python" "$work/run.py"
