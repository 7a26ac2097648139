#!/usr/bin/env bash
# curl, without --retry, sends a POST a second time when the server closes a reused connection instead of answering. httplib2 does so on any.
#
# Why it matters: RFC 9110 §9.2.2 forbids it for a POST unless the client knows that it was not carried out. A server that works on the
# request, then drops the connection (a worker that was killed, a time-out that just closes, a restart) gets the same write again, and the
# user sees one success and no error. libcurl is also inside sentry-cli and the SDKs for PHP and C, httplib2 inside Google's client. HAProxy in
# between makes it no better: it says 502 to the first request of a client's connection, and just closes at a later one. So a gateway that
# has forwarded a write must itself answer 502 or 504 when the upstream breaks off, and finish the request before it stops.
#
# Seen with curl 7.88.1 and HAProxy 2.6.12 of Debian 12, libcurl 8.23.0 (pycurl 7.49.0) and httplib2 0.32.1: the server reads the whole
# request, works for half a second and closes. curl on its first connection and requests 2.34.2 report the error.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for package in curl haproxy; do
    if ! version=$(dpkg-query --show --showformat='${Version}' "$package" 2>/dev/null); then
        echo "needs Debian's package $package" >&2
        exit 69
    fi
    echo "$package $version"
done
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pycurl==7.49.0 httplib2==0.32.1 requests==2.34.2
cat > "$work/run.py" <<'PYTHON'
import io, os, socket, subprocess, sys, threading, time
import httplib2, pycurl, requests

listener = socket.create_server(("127.0.0.1", 0))
address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
posts = []

def read(stream):
    method = stream.readline().split(b" ")[0].decode()
    length = 0
    while (field := stream.readline().strip()):
        name, _, value = field.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    return method, stream.read(length)

def converse(connection):
    with connection, connection.makefile("rb") as stream:
        while (request := read(stream))[0]:
            if request[0] == "POST":
                posts.append(request[1])
                if len(posts) == 1:
                    time.sleep(0.5)  # the work, and then it breaks off
                    return
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

def serve():
    while True:
        threading.Thread(target=converse, args=listener.accept()[:1], daemon=True).start()

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

def curl(reused, address=address):
    first = [address, "--next"] if reused else []
    environment = {"PATH": os.environ["PATH"], "HOME": sys.argv[1]}
    options = ["--silent", "--show-error", "--max-time", "20"]
    run = subprocess.run(["curl", *options, *first, *(options if reused else []), "--data", "x=1", address],
                         env=environment, capture_output=True, text=True, timeout=60)
    return "an error" if run.returncode or "502" in run.stdout else "success"

def behind_haproxy(reused):
    port = free_port()
    with open(f"{sys.argv[1]}/haproxy.cfg", "w") as file:
        file.write(f"""defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
listen web
  bind 127.0.0.1:{port}
  server application 127.0.0.1:{listener.getsockname()[1]}
""")
    path = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"}
    haproxy = subprocess.Popen(["haproxy", "-db", "-f", f"{sys.argv[1]}/haproxy.cfg"], env=path,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        return curl(reused, f"http://127.0.0.1:{port}/")
    finally:
        haproxy.terminate()
        haproxy.wait(timeout=20)

def libcurl(reused):
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, address)
    handle.setopt(pycurl.PROXY, "")
    handle.setopt(pycurl.TIMEOUT, 20)
    handle.setopt(pycurl.WRITEDATA, io.BytesIO())
    if reused:
        handle.perform()
    handle.setopt(pycurl.POSTFIELDS, "x=1")
    handle.perform()
    return "success"

def with_httplib2(reused):
    client = httplib2.Http(timeout=20, proxy_info=None)
    if reused:
        client.request(address)
    client.request(address, "POST", body=b"x=1")
    return "success"

def with_requests(reused):
    with requests.Session() as session:
        session.trust_env = False
        if reused:
            session.get(address, timeout=20)
        session.post(address, data=b"x=1", timeout=20)
    return "success"

threading.Thread(target=serve, daemon=True).start()
print(pycurl.version.split(" Open")[0], "httplib2", httplib2.__version__, "requests", requests.__version__)
seen = {}
for name, post in {"curl": curl, "curl, HAProxy": behind_haproxy, "libcurl": libcurl, "httplib2": with_httplib2,
                   "requests": with_requests}.items():
    for reused in (False, True):
        posts.clear()
        try:
            outcome = post(reused)
        except (pycurl.error, requests.ConnectionError):
            outcome = "an error"
        seen[name, reused] = (outcome, posts.count(b"x=1"))
        print(f"{name:13}, {'reused' if reused else 'first'} connection: {outcome}, {len(posts)} POST(s) at the server")
once, twice = ("an error", 1), ("success", 2)
sys.exit(0 if seen == {("curl", False): once, ("curl", True): twice, ("curl, HAProxy", False): once, ("curl, HAProxy", True): twice,
                       ("libcurl", False): once, ("libcurl", True): twice,
                       ("httplib2", False): twice, ("httplib2", True): twice,
                       ("requests", False): once, ("requests", True): once} else 1)
PYTHON
timeout 300 "$work/venv/bin/python" "$work/run.py" "$work"
