#!/usr/bin/env python3
"""Writes a bill of materials, SPDX 2.3 as JSON, to standard output.

    make-sbom.py --packages FOLDER

Swift packages are read from `swift package show-dependencies`, Debian packages from FOLDER, which holds one
dpkg status paragraph a file. The time is SOURCE_DATE_EPOCH; the same input gives the same bytes.
"""

import argparse
import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse

NAME = "sentry-api-proxy"
ROOT = pathlib.Path(__file__).resolve().parent.parent


def own_version():
    text = (ROOT / "Sources/Main/Version.swift").read_text()
    return re.search(r'text = "([^"]+)"', text).group(1)


def identifier(kind, name):
    return f"SPDXRef-{kind}-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def package(spdx_id, name, version, purl, license_declared="NOASSERTION", location="NOASSERTION", supplier=None):
    entry = {
        "SPDXID": spdx_id,
        "name": name,
        "versionInfo": version,
        "downloadLocation": location,
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": license_declared,
        "copyrightText": "NOASSERTION",
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl},
        ],
    }
    if supplier:
        entry["supplier"] = supplier
    return entry


def swift_packages():
    """Every package that the program is built from, once, however many depend on it."""
    graph = subprocess.run(
        ["swift", "package", "show-dependencies", "--format", "json"],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    found = {}
    waiting = list(json.loads(graph[graph.index("{"):])["dependencies"])
    while waiting:
        node = waiting.pop()
        waiting += node["dependencies"]
        found[node["identity"]] = node
    for identity, node in sorted(found.items()):
        location = re.sub(r"\.git$", "", node["url"])
        path = re.sub(r"^https?://", "", location)
        yield package(
            identifier("Swift", identity), identity, node["version"], f"pkg:swift/{path}@{node['version']}",
            location=f"git+{location}")


def swift_runtime():
    """The standard library, which is linked in."""
    text = subprocess.run(["swift", "--version"], check=True, capture_output=True, text=True).stdout
    version = re.search(r"Swift version (\S+)", text).group(1)
    return package(
        identifier("Swift", "runtime"), "swift-runtime", version, f"pkg:generic/swift@{version}",
        license_declared="Apache-2.0 WITH Swift-exception", supplier="Organization: Swift.org")


def debian_packages(folder):
    release = dict(
        line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if "=" in line)
    distro = f"{release['ID']}-{release['VERSION_ID']}".replace('"', "")
    for path in sorted(folder.iterdir()):
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", path.read_text(), re.MULTILINE))
        name, version = fields["Package"], fields["Version"]
        quoted = urllib.parse.quote(version, safe="~")
        query = f"arch={fields['Architecture']}&distro={distro}"
        if "Source" in fields:
            query += f"&upstream={urllib.parse.quote(fields['Source'].split()[0], safe='')}"
        yield package(
            identifier("Debian", name), name, version, f"pkg:deb/debian/{urllib.parse.quote(name, safe='')}@{quoted}?{query}",
            supplier="Organization: Debian")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packages", type=pathlib.Path, required=True, metavar="FOLDER")
    folder = parser.parse_args().packages

    version = own_version()
    product = package(
        identifier("Package", NAME), NAME, version, f"pkg:generic/{NAME}@{version}", license_declared="Apache-2.0")
    swift = [*swift_packages(), swift_runtime()]
    debian = list(debian_packages(folder))
    if not debian:
        sys.exit(f"make-sbom.py: --packages: no package in {folder}")

    def linked(packages, how):
        return [
            {"spdxElementId": product["SPDXID"], "relationshipType": how, "relatedSpdxElement": entry["SPDXID"]}
            for entry in packages
        ]

    content = {
        "packages": [product, *swift, *debian],
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": product["SPDXID"]},
            *linked(swift, "STATIC_LINK"),
            *linked(debian, "DEPENDS_ON"),
        ],
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    created = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", 0)), datetime.timezone.utc)
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{NAME}-{version}",
        # Unique by its content, as SPDX 2.3 §6.5 wants; nothing is served there.
        "documentNamespace": f"https://spdx.org/spdxdocs/{NAME}-{version}-{digest}",
        "creationInfo": {"created": created.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: make-sbom.py"]},
        **content,
    }
    json.dump(document, sys.stdout, indent=1)
    print()


main()
