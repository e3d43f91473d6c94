"""The files that start clusters are what their readers, Ray and Kubernetes, accept; no cloud is asked."""

import json
import re
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import ray
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

ROOT = Path(__file__).parents[1]
CLUSTER: dict[str, Any] = yaml.safe_load((ROOT / "cluster.yaml").read_text(encoding="utf-8"))
DOCUMENT = (ROOT / "docs/cluster.md").read_text(encoding="utf-8")
SCHEMA = json.loads((Path(ray.__file__).parent / "autoscaler/ray-schema.json").read_text(encoding="utf-8"))
VARIANTS = {variant["provider"]["type"]: variant for variant in map(
    yaml.safe_load, re.findall(r"```yaml\n(.*?)```", DOCUMENT, flags=re.DOTALL)
)}  # fmt: skip
JOB: dict[str, Any] = yaml.safe_load((ROOT / "docs/kuberay.yaml").read_text(encoding="utf-8"))

# https://ray-project.github.io/kuberay/reference/api/
JOB_FIELDS = {
    "entrypoint", "shutdownAfterJobFinishes", "backoffLimit", "rayClusterSpec", "clusterSelector",
    "submissionMode", "runtimeEnvYAML", "activeDeadlineSeconds", "ttlSecondsAfterFinished", "suspend",
}  # fmt: skip
CLUSTER_FIELDS = {
    "rayVersion", "enableInTreeAutoscaling", "autoscalerOptions", "authOptions", "headGroupSpec",
    "workerGroupSpecs", "gcsFaultToleranceOptions", "suspend",
}  # fmt: skip
HEAD_FIELDS = {"rayStartParams", "template", "serviceType", "headService"}
GROUP_FIELDS = {
    "groupName",
    "minReplicas",
    "replicas",
    "maxReplicas",
    "rayStartParams",
    "template",
    "numOfHosts",
}
POD_FIELDS = {
    "serviceAccountName", "containers", "volumes", "tolerations", "terminationGracePeriodSeconds",
}  # fmt: skip
CONTAINER_FIELDS = {"name", "image", "env", "resources", "volumeMounts"}


def on(provider: str) -> dict[str, Any]:
    """The cluster file with what the documentation changes for a provider."""
    if provider == "aws":
        return deepcopy(CLUSTER)
    changed = {**deepcopy(CLUSTER), **deepcopy(VARIANTS[provider])}
    if provider == "local":
        del changed["available_node_types"], changed["head_node_type"]
    return changed


def check(config: dict[str, Any]) -> None:
    """What `ray up` holds a file against before it asks a cloud."""
    jsonschema.validate(config, SCHEMA)
    validate_config(prepare_config(config))


@pytest.mark.parametrize("provider", ["aws", "gcp", "local"])
def test_a_cluster_file_is_one_of_rays(provider: str) -> None:
    check(on(provider))


@pytest.mark.parametrize(
    "broken", [{"min_workers": 1}, {"head_node_type": "hed"}, {"provider": {"region": "x"}}]
)
def test_ray_would_tell_a_mistake(broken: dict[str, Any]) -> None:
    with pytest.raises((jsonschema.ValidationError, ValueError)):
        check({**on("aws"), **broken})


def test_the_head_is_on_demand_and_trains_nothing_and_the_workers_are_spot() -> None:
    head, worker = CLUSTER["available_node_types"]["head"], CLUSTER["available_node_types"]["worker"]
    assert CLUSTER["head_node_type"] == "head"
    assert head["resources"] == {"CPU": 0}
    assert "InstanceMarketOptions" not in head["node_config"]
    assert worker["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}
    assert worker["resources"]["GPU"] == 1
    assert (worker["min_workers"], worker["max_workers"]) == (0, CLUSTER["max_workers"])
    for node in (head, worker):
        assert node["node_config"]["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] >= 100
    assert CLUSTER["idle_timeout_minutes"] <= 10


def test_the_nodes_install_the_tested_versions_from_the_mounted_checkout() -> None:
    mounted = {
        remote
        for remote, local in CLUSTER["file_mounts"].items()
        if (ROOT / local / "constraints.txt").exists()
    }
    assert mounted == {"/home/ubuntu/tuneoff"}
    assert any(
        "cd ~/tuneoff" in command and "constraints.txt" in command for command in CLUSTER["setup_commands"]
    )
    for commands in ("head_start_ray_commands", "worker_start_ray_commands"):
        start = CLUSTER[commands][-1]
        assert "RAY_AUTH_MODE=token" in start
        assert "RAY_memory_monitor_refresh_ms=0" in start
    assert "--dashboard-host=127.0.0.1" in CLUSTER["head_start_ray_commands"][-1]


def test_every_shell_command_parses() -> None:
    lists = [value for key, value in CLUSTER.items() if key.endswith("_commands")]
    scripts = [
        *re.findall(r"```bash\n(.*?)```", DOCUMENT, flags=re.DOTALL),
        *(one for many in lists for one in many),
    ]
    assert len(scripts) > 6
    for script in scripts:
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_the_kubernetes_manifest_has_the_structure_of_a_ray_job() -> None:
    assert (JOB["apiVersion"], JOB["kind"]) == ("ray.io/v1", "RayJob")
    cluster = JOB["spec"]["rayClusterSpec"]
    head, groups = cluster["headGroupSpec"], cluster["workerGroupSpecs"]
    assert set(JOB["spec"]) <= JOB_FIELDS
    assert set(cluster) <= CLUSTER_FIELDS
    assert set(head) <= HEAD_FIELDS
    assert all(set(group) <= GROUP_FIELDS for group in groups)
    assert all(group["minReplicas"] <= group["replicas"] <= group["maxReplicas"] for group in groups)
    for one in (head, *groups):
        pod = one["template"]["spec"]
        assert set(pod) <= POD_FIELDS
        assert all(set(container) <= CONTAINER_FIELDS for container in pod["containers"])
        assert all(isinstance(value, str) for value in one["rayStartParams"].values())
        for container in pod["containers"]:
            assert all(isinstance(entry.get("value", ""), str) for entry in container["env"])
            assert container["resources"]["requests"] == container["resources"]["limits"]
        mounted = {
            mount["name"] for container in pod["containers"] for mount in container.get("volumeMounts", [])
        }
        assert mounted == {volume["name"] for volume in pod.get("volumes", [])}
    assert head["rayStartParams"]["num-cpus"] == "0"
    assert groups[0]["template"]["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_the_manifest_names_the_tested_ray() -> None:
    pinned = dict(re.findall(r"^(\S+)==(\S+)$", (ROOT / "constraints.txt").read_text(), flags=re.M))
    assert JOB["spec"]["rayClusterSpec"]["rayVersion"] == pinned["ray"]


def test_no_secret_stands_in_a_file() -> None:
    for file in ("cluster.yaml", "docs/kuberay.yaml", "docs/cluster.md"):
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not re.search(r"hf_\w{10}|AKIA\w{8}|BEGIN [A-Z ]*PRIVATE KEY", text)
