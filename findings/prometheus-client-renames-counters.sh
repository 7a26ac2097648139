#!/usr/bin/env bash
# prometheus_client's parser of the text format renames a counter: the sample `requests 1` comes back as `requests_total`.
#
# Why it matters: it is the obvious tool for a test that each metric a gateway exposes has the name that its documents and alerts use.
# A counter exposed without _total passes such a test under the documented name, while Prometheus, which leaves names as they are,
# stores another one, and the alert never fires. The names must be read from the text itself.
#
# Seen with prometheus_client 0.26.0; a gauge keeps its name, and so does a sample without a TYPE.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check prometheus_client==0.26.0
cat > "$work/run.py" <<'PYTHON'
import sys
from importlib.metadata import version
from prometheus_client.parser import text_string_to_metric_families

def names(text):
    return [sample.name for family in text_string_to_metric_families(text) for sample in family.samples]

seen = {
    "counter": names("# TYPE requests counter\nrequests 1\n"),
    "gauge": names("# TYPE requests gauge\nrequests 1\n"),
    "no type": names("requests 1\n"),
}
print("prometheus_client", version("prometheus_client"), "reads the name `requests` as", seen)
sys.exit(0 if seen == {"counter": ["requests_total"], "gauge": ["requests"], "no type": ["requests"]} else 1)
PYTHON
"$work/venv/bin/python" "$work/run.py"
