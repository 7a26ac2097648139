#!/usr/bin/env python3
"""Checks what a schema cannot see: that the kustomizations name every file, and that the objects fit together.

    check-kubernetes.py DEPLOY/KUBERNETES          checks
    check-kubernetes.py --job DEPLOY/KUBERNETES    prints the job's name that the Prometheus operator makes of the ServiceMonitor
"""

import pathlib
import re
import sys

import yaml

LISTS = ("resources", "components")


class Findings:
    def __init__(self):
        self.lines = []

    def expect(self, condition, line):
        if not condition:
            self.lines.append(line)


def documents(path):
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def check_kustomization(path, findings):
    """Every file that is named is there, and every file that is there is named."""
    content = documents(path)[0]
    named = [entry for key in LISTS for entry in content.get(key, [])]
    named += [patch["path"] for patch in content.get("patches", []) if "path" in patch]
    for entry in named:
        target = path.parent / entry
        there = (target / "kustomization.yaml").is_file() if target.is_dir() else target.is_file()
        findings.expect(there, f"{path}: names {entry}, which is not there")
    for other in sorted(path.parent.glob("*.yaml")):
        findings.expect(other.name in [*named, path.name], f"{path}: does not name {other.name}")
    findings.expect(len(named) == len(set(named)), f"{path}: names a file twice")


def matches(selector, labels):
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def job_of(monitor, service):
    """The operator's rule: the value of the Service's label that `jobLabel` names, or else the Service's name."""
    metadata = service["metadata"]
    return metadata["labels"].get(monitor["spec"].get("jobLabel"), metadata["name"])


def objects_of(folder):
    objects = {}
    for path in sorted(folder.glob("*.yaml")):
        for document in documents(path):
            if document["kind"] != "Kustomization":
                objects[document["kind"], document["metadata"]["name"]] = document
    return objects


def jobs_of(objects):
    return {
        job_of(monitor, service)
        for (kind, _), monitor in objects.items() if kind == "ServiceMonitor"
        for (other, _), service in objects.items()
        if other == "Service" and matches(monitor["spec"]["selector"]["matchLabels"], service["metadata"]["labels"])
    }


def check_base(folder, findings):
    objects = objects_of(folder)

    def of(kind):
        return [document for (found, _), document in objects.items() if found == kind]

    [deployment] = of("Deployment")
    spec = deployment["spec"]["template"]["spec"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    [container] = spec["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}

    findings.expect(matches(deployment["spec"]["selector"]["matchLabels"], labels), "Deployment: selects other pods than its own")
    for service in of("Service"):
        name = service["metadata"]["name"]
        findings.expect(matches(service["spec"]["selector"], labels), f"Service {name}: selects no pod")
        for port in service["spec"]["ports"]:
            findings.expect(port["targetPort"] in ports, f"Service {name}: no container port {port['targetPort']}")
    for kind in ("PodDisruptionBudget", "NetworkPolicy"):
        for document in of(kind):
            inner = document["spec"]
            selector = inner["podSelector"] if kind == "NetworkPolicy" else inner["selector"]
            findings.expect(matches(selector["matchLabels"], labels), f"{kind}: selects no pod")
    for policy in of("NetworkPolicy"):
        for rule in policy["spec"]["ingress"]:
            for port in rule["ports"]:
                findings.expect(port["port"] in ports, f"NetworkPolicy: no container port {port['port']}")
    for constraint in spec["topologySpreadConstraints"]:
        findings.expect(matches(constraint["labelSelector"]["matchLabels"], labels), "topologySpreadConstraints: counts no pod")
    for autoscaler in of("HorizontalPodAutoscaler"):
        target = autoscaler["spec"]["scaleTargetRef"]
        findings.expect((target["kind"], target["name"]) in objects, "HorizontalPodAutoscaler: no such target")
        findings.expect("replicas" not in deployment["spec"], "Deployment: replicas, which the HorizontalPodAutoscaler owns")
    for monitor in of("ServiceMonitor"):
        selected = [s for s in of("Service") if matches(monitor["spec"]["selector"]["matchLabels"], s["metadata"]["labels"])]
        findings.expect(len(selected) == 1, "ServiceMonitor: selects not exactly one Service")
        names = [port["name"] for service in selected for port in service["spec"]["ports"]]
        for endpoint in monitor["spec"]["endpoints"]:
            findings.expect(endpoint["port"] in names, f"ServiceMonitor: no service port {endpoint['port']}")
    alerts = (folder.parent.parent / "prometheus" / "alerts.yml").read_text()
    asked = set(re.findall(r'job="([^"]*)"', alerts))
    findings.expect(asked == jobs_of(objects), f"ServiceMonitor: the job is {jobs_of(objects)}, the alerts ask for {asked}")
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        findings.expect(container[probe]["httpGet"]["port"] == "admin", f"{probe}: not on the admin port")
    for source in container["envFrom"]:
        findings.expect(("ConfigMap", source["configMapRef"]["name"]) in objects, "envFrom: no such ConfigMap")
    findings.expect(("ServiceAccount", spec["serviceAccountName"]) in objects, "serviceAccountName: no such ServiceAccount")
    [config] = of("ConfigMap")
    for variable, port in (("LISTEN", "http"), ("ADMIN_LISTEN", "admin")):
        # An address would choose a family: a cluster may have either.
        findings.expect(config["data"][variable] == f":{ports[port]}", f"ConfigMap: {variable} is not :{ports[port]}, every address of both families")
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    for variable in ("SENTRY_TOKEN_FILE", "ALIAS_FILE"):
        findings.expect(str(pathlib.Path(config["data"][variable]).parent) in mounts, f"ConfigMap: {variable} is in no mounted folder")
    findings.expect(not of("Secret"), "Secret: the base refers to it and never holds it")


def main():
    if sys.argv[1] == "--job":
        [job] = jobs_of(objects_of(pathlib.Path(sys.argv[2]) / "base"))
        print(job)
        return
    root = pathlib.Path(sys.argv[1])
    findings = Findings()
    kustomizations = sorted(root.rglob("kustomization.yaml"))
    findings.expect(kustomizations, f"{root}: no kustomization.yaml")
    for path in kustomizations:
        check_kustomization(path, findings)
    check_base(root / "base", findings)
    for line in findings.lines:
        print(line, file=sys.stderr)
    sys.exit(1 if findings.lines else 0)


main()
