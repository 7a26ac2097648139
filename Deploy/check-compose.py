#!/usr/bin/env python3
"""Checks that compose.yaml works as its comment says, and quickstart.yaml by itself, as far as that can be seen without an engine.

    check-compose.py DEPLOY/COMPOSE.YAML DOCKERFILE [DEPLOY/QUICKSTART.YAML]
"""

import pathlib
import re
import sys

import yaml


def quickstart_mistakes(path, version):
    """What is published beyond loopback, files and services that are not there, and what only the demo may hold."""
    compose = yaml.safe_load(path.read_text())
    services = compose["services"]
    for name, service in services.items():
        for port in service.get("ports", []):
            if not (isinstance(port, str) and re.fullmatch(r"127\.0\.0\.1:\$\{\w+:-\d+\}:\d+", port)):
                yield f"{name}: publishes {port}, and not on 127.0.0.1 alone"
        if service.get("network_mode") == "host":
            yield f"{name}: is on the host's network"
        for needed in service.get("depends_on", {}):
            if needed not in services:
                yield f"{name}: waits for {needed}, which is no service"
            elif service["depends_on"][needed]["condition"] == "service_healthy" and "healthcheck" not in services[needed]:
                yield f"{name}: waits for the health of {needed}, which has no check"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if not (source in compose["volumes"] or (path.parent / source).is_file()):
                yield f"{name}: {source} is neither a volume nor a file"
        if "build" in service:
            context = path.parent / service["build"]["context"]
            if not (context / service["build"].get("dockerfile", "Dockerfile")).is_file():
                yield f"{name}: its Dockerfile is not where Compose looks"
            if not service["image"].endswith(f":{version}"):
                yield f"{name}: the image {service['image']} is not of version {version}"
        for variable, value in service.get("environment", {}).items():
            for host in re.findall(r"(?:^https?://|host=)([\w-]+)", value) + ([value] if variable == "PGHOST" else []):
                if host not in services:
                    yield f"{name}: {variable} names {host}, which is no service"


def main():
    path, dockerfile = map(pathlib.Path, sys.argv[1:3])
    text, image = path.read_text(), dockerfile.read_text()
    compose = yaml.safe_load(text)
    comment = "\n".join(line[2:] for line in text.split("\nname:")[0].splitlines())
    [service] = compose["services"].values()
    wrong = []

    def expect(condition, line):
        if not condition:
            wrong.append(line)

    # Compose takes a relative path from the folder of the file, not from where it was called.
    default = re.fullmatch(r"\$\{ALIAS_FILE:-(.*)\}", compose["secrets"]["aliases"]["file"]).group(1)
    looked_for = (path.parent / default).as_posix()
    expect(re.search(rf"^ +install .* {re.escape(looked_for)}$", comment, re.M), f"the comment does not make {looked_for}, where Compose looks")
    expect(re.search(rf"^ +docker run .* alias new \w+ >>{re.escape(looked_for)}$", comment, re.M), f"the comment does not fill {looked_for}")
    expect(re.search(rf"^ +chown {service['user'].split(':')[0]} {re.escape(looked_for)}$", comment, re.M), "the file is not given to the service's user")
    expect(f"-t {service['image']} " in comment and f" {service['image']} alias" in comment, "the comment builds or runs another image")
    expect(service["environment"]["ALIAS_FILE"] == "/run/secrets/aliases", "ALIAS_FILE is not where Compose mounts the secret")
    expect(service["healthcheck"]["test"][1:] == ["/usr/bin/sentry-api-proxy", "healthcheck", "--ready"], "the health check does not ask for --ready")

    exposed = re.search(r"FROM scratch AS run.*?^EXPOSE (.*?)$", image, re.S | re.M).group(1).split()
    for variable in ("LISTEN", "ADMIN_LISTEN"):
        in_image = re.search(rf"\b{variable}=(\S+)", image.split("FROM scratch AS run")[1]).group(1)
        for place, value in ((path, service["environment"][variable]), (dockerfile, in_image)):
            expect(value in [f":{port}" for port in exposed], f"{place}: {variable} is {value}, and not one of the exposed ports {exposed} on every address")
    published = [port.rsplit(":", 1)[1] for port in service["ports"]]
    expect(published == [exposed[0]], f"published is {published}")

    for quickstart in map(pathlib.Path, sys.argv[3:]):
        wrong += [f"{quickstart}: {mistake}" for mistake in quickstart_mistakes(quickstart, service["image"].rsplit(":", 1)[1])]

    for line in wrong:
        print(line, file=sys.stderr)
    sys.exit(1 if wrong else 0)


main()
