#!/usr/bin/env python3
"""Writes dashboard.json: the panels are this table."""

from __future__ import annotations

import json
from pathlib import Path

P = "sentry_api_proxy_"
SELECT = '{job="$job",instance=~"$instance"}'


def rate(name: str, by: str, labels: str = "") -> str:
    return f'sum by ({by}) (rate({P}{name}{{job="$job",instance=~"$instance"{labels}}}[$__rate_interval]))'


def quantile(part: float, name: str) -> str:
    return f"histogram_quantile({part}, {rate(name + '_bucket', 'le')})"


# Title, unit, and for each line its legend and query.
PANELS: list[tuple[str, str, list[tuple[str, str]]]] = [
    ("Requests by route and status", "reqps", [("{{route}} {{status}}", rate("requests_total", "route, status") + " > 0")]),
    ("Requests by alias", "reqps", [("{{alias}}", f"topk(10, {rate('alias_requests_total', 'alias')})")]),
    ("Refusals by alias", "reqps", [("{{alias}} {{verdict}} {{reason}}", rate("policy_decisions_total", "alias, verdict, reason", ',verdict!="allowed"') + " > 0")]),
    ("Failures by cause", "reqps", [("{{cause}}", rate("request_failures_total", "cause") + " > 0")]),
    ("Time from accept to last byte", "s", [(f"p{part * 100:g}", quantile(part, "request_duration_seconds")) for part in (0.5, 0.95, 0.99)]),
    ("Upstream: time to first byte", "s", [(f"p{part * 100:g}", quantile(part, "upstream_first_byte_duration_seconds")) for part in (0.5, 0.95, 0.99)]),
    ("Upstream: time to connect", "s", [(f"p{part * 100:g}", quantile(part, "upstream_connect_duration_seconds")) for part in (0.5, 0.99)]),
    ("Requests in flight", "short", [("{{instance}}", f"{P}requests_in_flight{SELECT}")]),
    ("Body bytes", "Bps", [("up", rate("request_body_bytes_total", "job")), ("down", rate("response_body_bytes_total", "job"))]),
    ("Token health", "short", [("{{instance}} {{state}}", f"{P}token_health{SELECT} == 1")]),
    ("Token age", "s", [("{{instance}}", f"{P}token_age_seconds{SELECT}")]),
    ("Answers of 401 and renewals", "ops", [("retry {{outcome}}", rate("token_retries_total", "outcome")), ("renewal {{outcome}}", rate("token_renewals_total", "outcome"))]),
    ("TLS handshakes", "ops", [("{{side}} {{kind}}", rate("tls_handshakes_total", "side, kind") + " > 0")]),
    ("Longest turn of a loop", "s", [("{{instance}} {{worker}}", f"{P}loop_turn_max_seconds{SELECT}")]),
    ("CPU", "percentunit", [("{{instance}}", f"rate(process_cpu_seconds_total{SELECT}[$__rate_interval])")]),
    ("Memory", "bytes", [("{{instance}}", f"process_resident_memory_bytes{SELECT}")]),
    ("Descriptors", "short", [("{{instance}}", f"process_open_fds{SELECT}"), ("limit", f"max(process_max_fds{SELECT})")]),
    ("Log lines dropped, accept errors, impossible steps", "ops", [
        ("dropped", rate("log_lines_dropped_total", "job")), ("accept errors", rate("accept_errors_total", "job")),
        ("impossible", rate("impossible_steps_total", "job"))]),
]


def variable(name: str, query: str, many: bool) -> dict[str, object]:
    return {"name": name, "type": "query", "datasource": {"type": "prometheus", "uid": "$datasource"}, "query": query, "refresh": 2,
            "multi": many, "includeAll": many, "current": {}}


def panel(index: int, title: str, unit: str, lines: list[tuple[str, str]]) -> dict[str, object]:
    source = {"type": "prometheus", "uid": "$datasource"}
    return {"id": index + 1, "type": "timeseries", "title": title, "datasource": source,
            "gridPos": {"h": 8, "w": 8, "x": 8 * (index % 3), "y": 8 * (index // 3)},
            "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
            "targets": [{"refId": chr(ord("A") + number), "datasource": source, "expr": query, "legendFormat": legend}
                        for number, (legend, query) in enumerate(lines)]}


dashboard = {
    "title": "sentry-api-proxy", "uid": "sentry-api-proxy", "schemaVersion": 39, "version": 1, "editable": True, "tags": ["sentry"],
    "time": {"from": "now-6h", "to": "now"}, "refresh": "30s", "timezone": "browser",
    "templating": {"list": [
        {"name": "datasource", "type": "datasource", "query": "prometheus", "current": {}},
        variable("job", f"label_values({P}build_info, job)", False),
        variable("instance", f'label_values({P}build_info{{job="$job"}}, instance)', True)]},
    "panels": [panel(index, *row) for index, row in enumerate(PANELS)],
}
Path(__file__).with_name("dashboard.json").write_text(json.dumps(dashboard, indent=1) + "\n")
