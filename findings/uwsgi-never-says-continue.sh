#!/usr/bin/env bash
# uWSGI takes an HTTP/1.1 request with `Expect: 100-continue` and never sends 100 Continue.
#
# Why it matters: uWSGI served Sentry for years, and still serves installations that were not moved to Granian. A client, or a gateway
# that hands the expectation on and waits for the permission, waits for nothing at each upload: curl does for a second, others until
# their time-out. RFC 9110 §10.1.1 requires either 100 or a final status of an origin server. A gateway answers the
# expectation itself and does not forward it. gunicorn sends 100 before the application has looked at the request.
#
# Seen with uWSGI 2.0.30 (pyuwsgi 2.0.30.post1), by --http, --http-socket and --http11-socket, and gunicorn 23.0.0: two seconds of silence, and
# 200 as soon as the body is sent unasked.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyuwsgi==2.0.30.post1 gunicorn==23.0.0
cat > "$work/echo.py" <<'PYTHON'
def application(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
PYTHON
cat > "$work/run.py" <<'PYTHON'
import os, signal, socket, subprocess, sys, time

work = sys.argv[1]
programs = f"{work}/venv/bin"

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

def first_line(client, seconds):
    client.settimeout(seconds)
    try:
        return client.recv(65536).split(b"\r\n")[0].decode()
    except TimeoutError:
        return "silence"

def upload(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        interim = first_line(client, 2)
        client.sendall(b"hello")
        return interim, first_line(client, 20)

uwsgi = [f"{programs}/uwsgi", "--master", "--wsgi-file", f"{work}/echo.py"]
commands = {
    "uwsgi --http": [*uwsgi, "--http", "127.0.0.1:{port}"],
    "uwsgi --http-socket": [*uwsgi, "--http-socket", "127.0.0.1:{port}"],
    "uwsgi --http11-socket": [*uwsgi, "--http11-socket", "127.0.0.1:{port}"],
    "gunicorn": [f"{programs}/gunicorn", "--bind", "127.0.0.1:{port}", "echo:application"],
}
print("uwsgi", subprocess.run([uwsgi[0], "--version"], capture_output=True, text=True, timeout=20).stdout.strip())
expected = True
for name, words in commands.items():
    port = free_port()
    server = subprocess.Popen([word.format(port=port) for word in words], cwd=work, env={**os.environ, "PYTHONPATH": work},
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        seen = upload(port)
        print(f"{name}: before the body {seen[0]}, after it {seen[1]}")
        interim = "HTTP/1.1 100 Continue" if name == "gunicorn" else "silence"
        expected = expected and seen == (interim, "HTTP/1.1 200 OK")
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(20)
sys.exit(0 if expected else 1)
PYTHON
python3 "$work/run.py" "$work"
