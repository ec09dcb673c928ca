"""What docs/cluster.md says and its files hold, as far as can be checked without a cluster."""

import json
import re
import shlex
import subprocess
from configparser import ConfigParser
from importlib.util import find_spec
from pathlib import Path

import jsonschema
import pytest
import typer
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from soberlook.benchmark import cli

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "docs" / "cluster").iterdir())
TEXTS = {path.name: path.read_text() for path in [ROOT / "docs" / "cluster.md", *FILES]}
JOBS = [name for name in TEXTS if name.startswith("rayjob")]

SETUP = ConfigParser()
SETUP.read(ROOT / "setup.cfg")
OPTIONS, EXTRAS = SETUP["options"], SETUP["options.extras_require"]


def exactly(required, **others):
    """The schema of an object with these fields, all of `required`, and no others."""
    properties = required | others
    return {
        "type": "object",
        "properties": properties,
        "required": [*required],
        "additionalProperties": False,
    }


# Of KubeRay's definition (ray.io/v1) the fields that are used here.
TEXT, COUNT = {"type": "string"}, {"type": "integer", "minimum": 0}
WORDS = {"type": "object", "additionalProperties": TEXT}
AMOUNTS = {
    "type": "object",
    "additionalProperties": {"anyOf": [COUNT, {"type": "string", "pattern": r"^\d+(Gi|Mi|m)?$"}]},
}
NAME = exactly({"name": TEXT})
CONTAINER = exactly(
    {"name": TEXT, "image": TEXT, "resources": exactly({"limits": AMOUNTS}, requests=AMOUNTS)},
    env={"type": "array", "items": exactly({"name": TEXT, "value": TEXT})},
    envFrom={"type": "array", "items": exactly({"secretRef": NAME})},
)
POD = exactly(
    {"containers": {"type": "array", "items": CONTAINER, "minItems": 1}},
    serviceAccountName=TEXT,
    nodeSelector=WORDS,
)
HEAD = {"rayStartParams": WORDS, "template": exactly({"spec": POD})}
WORKERS = HEAD | {"groupName": TEXT}
SIZES = {name: COUNT for name in ("replicas", "minReplicas", "maxReplicas")}
HOSTS = {"type": "integer", "minimum": 1}
JOB = exactly(
    {
        "apiVersion": {"const": "ray.io/v1"},
        "kind": {"const": "RayJob"},
        "metadata": NAME,
        "spec": exactly(
            {
                "entrypoint": TEXT,
                "backoffLimit": COUNT,
                "shutdownAfterJobFinishes": {"const": True},
                "rayClusterSpec": exactly(
                    {
                        "rayVersion": TEXT,
                        "authOptions": exactly({"mode": {"const": "token"}}),
                        "headGroupSpec": exactly(HEAD),
                        "workerGroupSpecs": {
                            "type": "array",
                            "items": exactly(WORKERS | SIZES, numOfHosts=HOSTS),
                        },
                    }
                ),
            }
        ),
    }
)


def test_the_cluster_file_is_one_that_ray_takes():
    schema = Path(find_spec("ray").submodule_search_locations[0], "autoscaler", "ray-schema.json")
    cluster = yaml.safe_load(TEXTS["aws.yaml"])
    jsonschema.validate(cluster, json.loads(schema.read_text()))
    assert cluster["head_node_type"] in cluster["available_node_types"]
    mounted = [*cluster["file_mounts"]]
    assert any(path.endswith("/.ray/auth_token") for path in mounted)
    assert "--env RAY_AUTH_MODE=token" in cluster["docker"]["run_options"]
    (command,) = cluster["setup_commands"]
    assert re.search(r"'(.*)\[", command)[1] in mounted


@pytest.mark.parametrize("name", JOBS)
def test_the_jobs_are_what_kuberay_takes(name):
    job = yaml.safe_load(TEXTS[name])
    jsonschema.validate(job, JOB)
    cluster = job["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    images = {c["image"] for group in groups for c in group["template"]["spec"]["containers"]}
    (image,) = images  # Ray wants one version everywhere
    assert image.split(":")[1] in EXTRAS
    for group in cluster["workerGroupSpecs"]:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
        for container in group["template"]["spec"]["containers"]:
            limits = container["resources"]["limits"]
            assert {"gpu": "nvidia.com/gpu", "tpu": "google.com/tpu"}[group["groupName"]] in limits
            assert container["resources"].get("requests", limits) == limits


def test_the_script_is_one():
    checked = subprocess.run(["bash", "-n", ROOT / "docs/cluster/slurm.sh"], capture_output=True)
    assert checked.returncode == 0 and checked.stderr == b""


def test_there_is_one_version_of_ray_and_python_and_it_is_one_of_ours():
    found = {}
    for name, text in TEXTS.items():
        images = re.findall(r"rayproject/ray:([\w.-]+)", text)
        for tag in images:
            ray, python = re.fullmatch(r"([\d.]+)-py(\d+)", tag).groups()
            found.setdefault("ray", set()).add(ray)
            found.setdefault("python", set()).add(f"{python[0]}.{python[1:]}")
        if name in JOBS:
            cluster = yaml.safe_load(text)["spec"]["rayClusterSpec"]
            found["ray"].add(cluster["rayVersion"])
    assert {kind: len(versions) for kind, versions in found.items()} == {"ray": 1, "python": 1}
    requirements = map(Requirement, filter(None, OPTIONS["install_requires"].splitlines()))
    (pin,) = [requirement.specifier for requirement in requirements if requirement.name == "ray"]
    assert found["ray"].pop() in pin & SpecifierSet(">=2.52")  # which brought tokens
    assert found["python"].pop() in SpecifierSet(OPTIONS["python_requires"])


def test_every_extra_that_is_asked_for_is_there():
    asked = [
        extra
        for text in TEXTS.values()
        for found in re.findall(r"(?:EXTRAS=|checkout\[|\.\[)([a-z][a-z,0-9]*)", text)
        for extra in found.split(",")
    ]
    assert {"s3", "gcs", "cuda", "tpu"} == set(asked) <= set(EXTRAS)


def commands():
    """Every command of ours, wherever it stands: in a line of its own, or handed to another."""
    for name, text in TEXTS.items():
        text = re.sub(r"\\\n\s*", "", text)
        if name.endswith(".md"):
            text = "\n".join(re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL))
        for command in re.findall(r"(?<![\w/.])soberlook [a-z][^'\n#]*", text):
            yield pytest.param(command.strip(), id=f"{name}: {command.strip()}")


@pytest.mark.parametrize("command", [*commands()])
def test_every_command_is_one_that_the_command_line_takes(command):
    name, *rest = cli.arguments_of(shlex.split(command.replace("$SCRATCH", "scratch")))
    with typer.main.get_command(cli.app).commands[name].make_context(name, rest):
        pass


def test_commands_are_found_in_every_kind_of_file():
    found = [param.id.split(":")[0] for param in commands()]
    assert {"cluster.md", "slurm.sh", *JOBS} == set(found) and found.count("cluster.md") > 6


@pytest.mark.parametrize("wrong", ["soberlook run q --resourcs cpu=1", "soberlook comp x"])
def test_a_command_that_is_none_is_noticed(wrong):
    with pytest.raises(Exception, match="No such option|'comp'"):
        test_every_command_is_one_that_the_command_line_takes(wrong)


def test_the_page_shows_every_file():
    page = TEXTS["cluster.md"]
    assert {path.name for path in FILES} == set(re.findall(r"\]\(cluster/([\w.-]+)\)", page))
