"""The manifests fit the schemas of Kubernetes, and name what the image, the settings and the metrics really are.

The schemas come with the package kubernetes-validate, for each version of Kubernetes, so that nothing is downloaded.
"""

import re
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.dockerfile import read_dockerfile
from tests.packages import leave_out
from tests.source_tree import ROOT
from windrow.settings import Settings, read_settings, variable_name

FOLDER = ROOT / "deploy" / "kubernetes"
FILES = sorted(FOLDER.glob("*.yaml"))
VALIDATE = ROOT / ".venv-release" / "bin" / "kubernetes-validate"
# The oldest version that its makers still mended when this was written, and the newest that the package knows.
VERSIONS = ("1.34", "1.37")
SETTINGS = {variable_name(each.name) for each in fields(Settings)}


def documents(file: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(file.read_text()))


def kinds() -> set[str]:
    return {document["kind"] for file in FILES for document in documents(file)}


def pods() -> list[dict[str, Any]]:
    """Return the description of a pod of each manifest that has one."""
    every = [document for file in FILES for document in documents(file)]
    return [each["spec"]["template"]["spec"] for each in every if "template" in each.get("spec", {})]


def validate(file: Path, version: str) -> "subprocess.CompletedProcess[str]":
    if not VALIDATE.exists():
        leave_out("needs the schemas of Kubernetes: make .venv-release/.tools")
    command = [str(VALIDATE), "--strict", "--kubernetes-version", version, str(file)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_manifest_fits_the_schemas(file: Path, version: str) -> None:
    done = validate(file, version)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_misspelt_field_does_not_fit(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((FOLDER / "replicas.yaml").read_text().replace("maxUnavailable: 1", "maxUnavailble: 1"))
    assert validate(wrong, VERSIONS[0]).returncode != 0


def test_there_is_what_an_operator_looks_for() -> None:
    assert kinds() >= {"Deployment", "StatefulSet", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler"}


def test_each_setting_exists_and_its_value_is_read() -> None:
    config = next(each["data"] for each in documents(FOLDER / "replicas.yaml") if each["kind"] == "ConfigMap")
    single = {each["name"]: each["value"] for pod in pods() for each in pod["containers"][0].get("env", [])}
    for variables in (config, single):
        ours = {name: value for name, value in variables.items() if name.startswith("WINDROW_")}
        assert ours
        assert set(ours) <= SETTINGS
        read_settings(ours)


def test_the_variables_of_a_service_never_become_settings() -> None:
    """Kubernetes would set WINDROW_PORT to an address, and the server would not start."""
    assert "WINDROW_SERVICE_HOST" not in SETTINGS
    assert [pod["enableServiceLinks"] for pod in pods()] == [False, False]


def test_a_pod_runs_as_the_user_of_the_image_with_a_closed_root_and_no_rights() -> None:
    stages = read_dockerfile((ROOT / "deploy" / "container" / "Dockerfile").read_text())
    (user,) = [each.text for each in stages["runtime"].instructions if each.keyword == "USER"]
    (port,) = [each.text for each in stages["runtime"].instructions if each.keyword == "EXPOSE"]
    for pod in pods():
        context, container = pod["securityContext"], pod["containers"][0]
        assert f"{context['runAsUser']}:{context['runAsGroup']}" == user
        assert context["runAsNonRoot"] is True
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["ports"][0]["containerPort"] == int(port)
        mounted = {each["mountPath"] for each in container["volumeMounts"]}
        assert "/tmp" in mounted
        assert {probe: container[probe]["httpGet"]["path"] for probe in ("readinessProbe", "livenessProbe")} == {
            "readinessProbe": "/health",
            "livenessProbe": "/health",
        }


def test_servers_are_added_by_a_metric_that_there_is() -> None:
    (scaler,) = documents(FOLDER / "autoscaling.yaml")
    (metric,) = scaler["spec"]["metrics"]
    name = metric["pods"]["metric"]["name"]
    assert f"| `{name}` | gauge |" in (ROOT / "docs" / "reference" / "metrics.md").read_text()
    assert scaler["spec"]["scaleTargetRef"]["name"] in {
        each["metadata"]["name"] for each in documents(FOLDER / "replicas.yaml") if each["kind"] == "Deployment"
    }
    assert re.search(rf"seriesQuery: '{name}\{{", (FOLDER / "autoscaling.yaml").read_text())


def test_a_budget_selects_the_pods_of_the_deployment() -> None:
    by_kind = {each["kind"]: each for each in documents(FOLDER / "replicas.yaml")}
    labels = by_kind["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert by_kind["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert by_kind["Service"]["spec"]["selector"].items() <= labels.items()
