#!/usr/bin/env bash
# A chunked request body is empty for Django behind gunicorn and behind Granian, and nobody says so: the view sees b"" and answers 200.
#
# Why it matters: Sentry is a Django program. The WSGI servers decode the chunks and offer the bytes, but Django reads as many bytes as
# CONTENT_LENGTH names, and a chunked request has none. A gateway that forwards `Transfer-Encoding: chunked` loses uploads
# silently; it must give the request a length, or refuse it (411).
#
# Seen with Django 5.2.7 on gunicorn 23.0.0 and Granian 2.5.4: five bytes with a length arrive, the same five bytes chunked do not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check django==5.2.7 gunicorn==23.0.0 granian==2.5.4
cat > "$work/site_of_one_view.py" <<'PYTHON'
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="none", LOGGING_CONFIG=None)

@csrf_exempt
def count(request):
    return HttpResponse(str(len(request.body)))

urlpatterns = [path("", count)]
application = get_wsgi_application()
PYTHON
cat > "$work/run.py" <<'PYTHON'
import os, socket, subprocess, sys, time

work = sys.argv[1]

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

def post(port, fields, body):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + fields + b"\r\n\r\n" + body)
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    head, _, payload = answer.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    if b"chunked" in head.lower():
        payload = payload.split(b"\r\n")[1]
    return status, payload.decode()

expected = True
for name, command in {
    "gunicorn": ["gunicorn", "--bind", "127.0.0.1:{port}", "site_of_one_view:application"],
    "granian": ["granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}", "site_of_one_view:application"],
}.items():
    port = free_port()
    arguments = [f"{work}/venv/bin/{command[0]}", *(word.format(port=port) for word in command[1:])]
    server = subprocess.Popen(arguments, cwd=work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env={**os.environ, "PYTHONPATH": work})
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        length = post(port, b"Content-Length: 5", b"hello")
        chunked = post(port, b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n")
        print(f"{name}: with a length {length}, chunked {chunked}")
        expected = expected and length == (200, "5") and chunked == (200, "0")
    finally:
        server.terminate()
        server.wait(20)
sys.exit(0 if expected else 1)
PYTHON
python3 "$work/run.py" "$work"
