// Made by Scripts/embed-page.py from LivePage.html; change that, and run the script.

/// The page before it is filled in, and the hashes of its own style and script (CSP Level 3 §2.3.1).
enum LivePageText {
    static let styleHash = "sha256-I+cY3ccqoMYj1ZPKxp77lura8PUsNmTNp+xb/eyvZUs="
    static let scriptHash = "sha256-nCe+J0d0YPSf4erc72tCn3hqsjggOgqAxKaS9ay0598="
    // swift-format-ignore
    static let template = ##"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex">
        <title>sentry-api-proxy</title>
        <style>
        :root {
          color-scheme: light dark;
          --page: #f6f7f9; --card: #ffffff; --text: #1b1f24; --soft: #545d69; --line: #d5d9df; --link: #0b5cad;
          --good: #17663a; --warn: #7d4e00; --bad: #b3261e; --chart: #0b5cad;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #14171b; --card: #1d2126; --text: #e8eaed; --soft: #a8b0ba; --line: #3a4048; --link: #8ab8f0;
            --good: #72d39a; --warn: #f0bd62; --bad: #ff9d94; --chart: #8ab8f0;
          }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.45 system-ui, "DejaVu Sans", sans-serif; }
        header, main, footer { max-width: 1500px; margin: 0 auto; padding: 12px 16px; }
        header { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: center; }
        h1 { font-size: 1.25rem; margin: 0; }
        h2 { font-size: 1.05rem; margin: 0 0 8px; }
        p { margin: 0; }
        .skip { position: absolute; left: -999px; }
        .skip:focus { left: 8px; top: 8px; background: var(--card); padding: 6px 10px; }
        .soft { color: var(--soft); }
        a { color: var(--link); }
        button { font: inherit; color: var(--text); background: var(--card); border: 1px solid var(--soft); border-radius: 6px; padding: 6px 12px; min-height: 36px; cursor: pointer; }
        #pause { margin-left: auto; }
        .decide { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: end; margin: 10px 0; }
        #waiting tbody th, #waiting td:nth-child(3), #waiting td:nth-child(4) { white-space: nowrap; }
        label { display: block; color: var(--soft); }
        input { font: inherit; color: var(--text); background: var(--page); border: 1px solid var(--soft); border-radius: 6px; padding: 6px 10px; min-height: 36px; width: 14em; max-width: 100%; }
        :focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
        main { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr)); gap: 14px; }
        section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px; min-width: 0; }
        .wide { grid-column: 1 / -1; }
        dl { display: grid; grid-template-columns: minmax(7em, max-content) 1fr; gap: 4px 14px; margin: 0; }
        dt { color: var(--soft); }
        dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
        [data-state]::before { content: "\25CF\00A0"; }
        [data-state=good] { color: var(--good); }
        [data-state=warn] { color: var(--warn); }
        [data-state=bad] { color: var(--bad); }
        section[data-state]::before, div[data-state]::before { content: none; }
        [data-state=off], .decide[hidden] { display: none; }
        .verdict { font-weight: 600; flex-basis: 100%; }
        .figures { display: flex; flex-wrap: wrap; gap: 6px 28px; }
        .figure b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; line-height: 1.2; }
        svg { display: block; width: 100%; height: 96px; margin: 10px 0 4px; }
        svg path { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; }
        .all { stroke: var(--chart); }
        .failed { stroke: var(--bad); stroke-dasharray: 5 3; }
        .key::before { content: ""; display: inline-block; width: 22px; border-top: 3px solid var(--chart); vertical-align: middle; margin-right: 6px; }
        .key.second::before { border-top: 3px dashed var(--bad); }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        caption { text-align: left; color: var(--soft); padding-bottom: 6px; }
        th, td { text-align: left; padding: 5px 12px 5px 0; border-top: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
        thead th { border-top: 0; color: var(--soft); font-weight: 600; overflow-wrap: normal; }
        tbody th { font-weight: 600; }
        .num td:not(.words) { white-space: nowrap; }
        @media (max-width: 640px) {
          thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
          table, tbody, caption { display: block; }
          tr { display: grid; grid-template-columns: 1fr; border-top: 1px solid var(--line); padding: 8px 0; }
          th, td { border: 0; padding: 1px 0; display: block; }
          .num td:not(.words) { white-space: normal; }
          td::before { content: attr(data-label) ": "; color: var(--soft); }
          dl { grid-template-columns: 1fr; gap: 0; }
          dd { margin-bottom: 6px; }
        }
        </style>
        </head>
        <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header>
        <h1>sentry-api-proxy <span class="soft" data-t="version"></span></h1>
        <p class="soft">up <span data-t="uptime"></span></p>
        <button id="pause" type="button" aria-pressed="false" hidden>Pause updates</button>
        <p class="verdict" role="status" data-t="verdict" data-s="verdict"></p>
        <noscript><p class="soft">A snapshot: load the page again for new values.</p></noscript>
        <p class="soft" id="stale" role="status"></p>
        </header>
        <main id="content" tabindex="-1">
        <section class="wide" aria-labelledby="h-requests">
        <h2 id="h-requests">Requests</h2>
        <div class="figures">
        <p class="figure"><b data-t="requests.rate"></b> a second</p>
        <p class="figure"><b data-t="requests.inFlight"></b> in flight</p>
        <p class="figure"><b data-t="requests.total"></b> since the start</p>
        <p class="figure"><b data-t="requests.2xx"></b> 2xx</p>
        <p class="figure"><b data-t="requests.3xx"></b> 3xx</p>
        <p class="figure"><b data-t="requests.4xx"></b> 4xx</p>
        <p class="figure"><b data-t="requests.5xx"></b> 5xx</p>
        <p class="figure"><b data-t="requests.none"></b> without an answer</p>
        </div>
        <svg viewBox="0 0 890 100" preserveAspectRatio="none" role="img" aria-labelledby="spark-text"><path class="all" data-d="spark.all"/><path class="failed" data-d="spark.failed"/></svg>
        <p class="soft" id="spark-text" data-t="spark.text"></p>
        <p class="soft"><span class="key">all</span> &nbsp; <span class="key second">4xx, 5xx and without an answer</span></p>
        </section>
        <section aria-labelledby="h-token">
        <h2 id="h-token">Token</h2>
        <dl>
        <dt>Health</dt><dd><span data-t="token.health" data-s="token.health"></span></dd>
        <dt>Why</dt><dd data-t="token.why"></dd>
        <dt>Kind</dt><dd data-t="token.kind"></dd>
        <dt>Source</dt><dd data-t="token.source"></dd>
        <dt>Confirmed</dt><dd data-t="token.age"></dd>
        <dt>Next refresh</dt><dd data-t="token.next"></dd>
        </dl>
        </section>
        <section aria-labelledby="h-upstream">
        <h2 id="h-upstream">Upstream</h2>
        <dl>
        <dt>Base</dt><dd data-t="upstream.base"></dd>
        <dt>Addresses</dt><dd data-t="upstream.addresses"></dd>
        <dt>Name look-up</dt><dd><span data-t="upstream.lookup" data-s="upstream.lookup"></span></dd>
        <dt>Connecting</dt><dd data-t="upstream.connect"></dd>
        <dt>First byte</dt><dd data-t="upstream.firstByte"></dd>
        <dt>Certificate check</dt><dd><span data-t="upstream.verify" data-s="upstream.verify"></span></dd>
        </dl>
        </section>
        <section aria-labelledby="h-latency">
        <h2 id="h-latency">Latency</h2>
        <dl>
        <dt>Half within</dt><dd data-t="latency.p50"></dd>
        <dt>95 % within</dt><dd data-t="latency.p95"></dd>
        <dt>99 % within</dt><dd data-t="latency.p99"></dd>
        <dt>Measured</dt><dd data-t="latency.span"></dd>
        </dl>
        </section>
        <section aria-labelledby="h-process">
        <h2 id="h-process">Process</h2>
        <dl>
        <dt>Listens on</dt><dd data-t="process.listen"></dd>
        <dt>Who is elevated</dt><dd><span data-t="process.open" data-s="process.open"></span></dd>
        <dt>Certificate</dt><dd><span data-t="process.certificate" data-s="process.certificate"></span></dd>
        <dt>Log lines lost</dt><dd><span data-t="process.dropped" data-s="process.dropped"></span></dd>
        <dt>Reloads</dt><dd data-t="process.reloads"></dd>
        </dl>
        </section>
        <section class="wide" aria-labelledby="h-waiting" data-s="device.flow">
        <h2 id="h-waiting">Who asks for an alias</h2>
        <p data-t="device.how"></p>
        <div data-s="device.decide"><div class="decide" id="decide" hidden>
        <p><label for="code">Code that the program shows</label><input id="code" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="32"></p>
        <button id="approve" type="button">Approve</button>
        <button id="deny" type="button">Deny</button>
        </div>
        <p id="decided" role="status"></p></div>
        <table id="waiting">
        <caption data-t="device.caption"></caption>
        <thead><tr><th scope="col">Code</th><th scope="col">Client</th><th scope="col">Address</th><th scope="col">Asked</th><th scope="col">Asks</th><th scope="col">Gets</th><th scope="col">Leaves out</th></tr></thead>
        <tbody data-rows="waiting"></tbody>
        </table>
        </section>
        <section class="wide" aria-labelledby="h-aliases">
        <h2 id="h-aliases">Aliases</h2>
        <table class="num">
        <caption data-t="aliases.caption"></caption>
        <thead><tr><th scope="col">Name</th><th scope="col">May</th><th scope="col">Requests</th><th scope="col">Refused</th><th scope="col">In flight</th><th scope="col">Rate used</th><th scope="col">Expires</th></tr></thead>
        <tbody data-rows="aliases"></tbody>
        </table>
        </section>
        <section class="wide" aria-labelledby="h-failures">
        <h2 id="h-failures">Last refusals and failures</h2>
        <table>
        <caption data-t="failures.caption"></caption>
        <thead><tr><th scope="col">Request id</th><th scope="col">When</th><th scope="col">Status</th><th scope="col">Reason</th><th scope="col">Detail</th><th scope="col">Alias</th><th scope="col">Route</th></tr></thead>
        <tbody data-rows="failures"></tbody>
        </table>
        </section>
        <section class="wide" aria-labelledby="h-workers">
        <h2 id="h-workers">Workers</h2>
        <table>
        <caption>Each is one thread.</caption>
        <thead><tr><th scope="col">Worker</th><th scope="col">Requests in flight</th><th scope="col">Connections accepted</th><th scope="col">State</th></tr></thead>
        <tbody data-rows="workers"></tbody>
        </table>
        </section>
        </main>
        <footer class="soft"><a href="/metrics">Metrics</a> · <a href="/status">Status as JSON</a> · <a href="/readyz">Readiness</a></footer>
        <script>
        (() => {
          "use strict";
          const pause = document.getElementById("pause");
          const stale = document.getElementById("stale");
          let paused = false;
          const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };
          const rows = (body, cells) => {
            const labels = [...body.parentNode.tHead.rows[0].cells].map((cell) => cell.textContent);
            while (body.rows.length > cells.length) body.deleteRow(-1);
            cells.forEach((row, index) => {
              const line = body.rows[index] || body.insertRow();
              row.forEach((text, column) => {
                let cell = line.cells[column];
                if (!cell) {
                  cell = document.createElement(column === 0 ? "th" : "td");
                  if (column === 0) cell.scope = "row"; else cell.dataset.label = labels[column];
                  if (column === 1) cell.className = "words";
                  line.append(cell);
                }
                put(cell, text);
              });
            });
          };
          const show = (page) => {
            for (const node of document.querySelectorAll("[data-t]")) put(node, page.texts[node.dataset.t] ?? "");
            for (const node of document.querySelectorAll("[data-s]")) node.dataset.state = page.states[node.dataset.s] ?? "good";
            for (const node of document.querySelectorAll("[data-d]")) node.setAttribute("d", page.paths[node.dataset.d] ?? "");
            for (const node of document.querySelectorAll("[data-rows]")) rows(node, page.rows[node.dataset.rows] ?? []);
          };
          const poll = async () => {
            if (!paused && !document.hidden) {
              try {
                const answer = await fetch("/live", { cache: "no-store", signal: AbortSignal.timeout(5000) });
                if (!answer.ok) throw new Error(answer.status);
                show(await answer.json());
                put(stale, "");
              } catch {
                put(stale, "The proxy does not answer: what is shown is old.");
              }
            }
            setTimeout(poll, 1000);
          };
          pause.hidden = false;
          pause.addEventListener("click", () => {
            paused = !paused;
            pause.setAttribute("aria-pressed", String(paused));
            put(stale, paused ? "Updates are paused." : "");
          });
          const code = document.getElementById("code");
          const decided = document.getElementById("decided");
          const decide = async (command) => {
            if (!code.value.trim()) return put(decided, "Type the code first.");
            put(decided, "");
            try {
              const answer = await fetch("/device", {
                method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ command, code: code.value }),
                signal: AbortSignal.timeout(8000),
              });
              put(decided, (await answer.text()).trim());
              if (answer.ok) code.value = "";
            } catch {
              put(decided, "There was no answer. Look below whether it still waits before you try again.");
            }
          };
          document.getElementById("decide").hidden = false;
          for (const command of ["approve", "deny"]) document.getElementById(command).addEventListener("click", () => decide(command));
          setTimeout(poll, 1000);
        })();
        </script>
        </body>
        </html>
        """##
}
