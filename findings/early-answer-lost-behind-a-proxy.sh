#!/usr/bin/env bash
# A complete answer that the application gives before it has read the body gets lost in the proxy before it: nginx says 502 instead, and
# HAProxy closes the client's connection without a word.
#
# Why it matters: a gateway refuses uploads early (401, 403, 413), and often stands behind one of the two. An application that answers and
# closes while the body is still on its way makes the kernel send a reset, and the proxy that was writing reports its own failed write; the reason is
# gone. HAProxy's silence looks like a network error, which clients repeat. After an early refusal the gateway must go on reading for a
# while before it closes (RFC 9112 §9.6), and a client that sees 502 or a closed connection at once was perhaps refused.
#
# Seen with nginx 1.22.1 and HAProxy 2.6.12 of Debian 12: of 40 tries nginx said 502 in 11 to 39, HAProxy said nothing in 5 to 26. It
# is a race, so the script tries until it has seen both, at most 400 times each.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for package in nginx haproxy; do
    if ! version=$(dpkg-query --show --showformat='${Version}' "$package" 2>/dev/null); then
        echo "needs Debian's package $package" >&2
        exit 69
    fi
    echo "$package $version"
done
cat > "$work/run.py" <<'PYTHON'
import collections, os, socket, subprocess, sys, threading, time

work = sys.argv[1]
refusal = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
application = socket.create_server(("127.0.0.1", 0))

def refuse(connection):
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(65536)
    connection.sendall(refusal)
    connection.close()

def serve():
    while True:
        threading.Thread(target=refuse, args=application.accept()[:1], daemon=True).start()

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

def write(name, text):
    with open(f"{work}/{name}", "w") as file:
        file.write(text)
    return f"{work}/{name}"

def upload(port):
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    client.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000000\r\n\r\n")

    def push():
        try:
            for _ in range(40):
                client.sendall(bytes(100_000))
        except OSError:
            pass

    pushing = threading.Thread(target=push)
    pushing.start()
    answer = b""
    try:
        while b"\r\n\r\n" not in answer and (piece := client.recv(65536)):
            answer += piece
    except ConnectionError:
        pass
    try:
        client.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    pushing.join()
    client.close()
    return answer.split(b" ")[1].decode() if answer else "no answer"

threading.Thread(target=serve, daemon=True).start()
upstream = application.getsockname()[1]
ports = {"nginx": free_port(), "haproxy": free_port()}
paths = " ".join(f"{kind}_temp_path {work}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
nginx = write("nginx.conf", f"""daemon off; pid {work}/pid; error_log /dev/null; events {{}}
http {{ access_log off; client_max_body_size 0; {paths}
  server {{ listen 127.0.0.1:{ports["nginx"]};
    location / {{ proxy_request_buffering off; proxy_http_version 1.1; proxy_pass http://127.0.0.1:{upstream}; }} }} }}
""")
haproxy = write("haproxy.cfg", f"""defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
listen web
  bind 127.0.0.1:{ports["haproxy"]}
  server application 127.0.0.1:{upstream}
""")
path = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"}
commands = [["nginx", "-p", work, "-c", nginx], ["haproxy", "-db", "-f", haproxy]]
servers = [subprocess.Popen(words, env=path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for words in commands]
expected = True
try:
    for name, own in (("nginx", "502"), ("haproxy", "no answer")):
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", ports[name]), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        seen = collections.Counter()
        while sum(seen.values()) < 40 or (not seen[own] and sum(seen.values()) < 400):
            seen[upload(ports[name])] += 1
        print(name, "in front of an application that answers 413 at once:", dict(seen))
        expected = expected and seen[own] > 0
finally:
    for server in servers:
        server.terminate()
        server.wait(20)
sys.exit(0 if expected else 1)
PYTHON
python3 "$work/run.py" "$work"
