"""The deployment files, checked against the code and the packages that they name: no Docker engine is needed."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from veil.cli import veil
from veil.cli.secrets import draw
from veil.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::([-?])([^}]*))?\}")
ADDRESS = re.compile(r"[a-z]+://(?:[^@/\s]*@)?([a-z-]+):(\d+)")
VEIL_PATH = re.compile(r"(?<![\w./:])/(?:opt/veil|var/lib/veil|etc/veil|lake|scratch)[\w./-]*")
ONE_SHOT = {"airflow-init"}
Compose = dict[str, Any]
Check = Callable[[Compose], Iterator[str]]


def packages(name: str) -> Path:
    """Find a package's folder without importing it."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


@cache
def airflow_options() -> dict[str, Any]:
    options: dict[str, Any] = yaml.safe_load((packages("airflow") / "config_templates" / "config.yml").read_text())
    return options


@cache
def spark_classes() -> frozenset[str]:
    (jar,) = (packages("pyspark") / "jars").glob("spark-core_*.jar")
    return frozenset(zipfile.ZipFile(jar).namelist())


@cache
def variables_read() -> frozenset[str]:
    """Every variable of Veil's that some code reads."""
    sources = [*(ROOT / "jobs").rglob("*.py"), *(ROOT / "plugins").glob("*.py"), *(ROOT / "dags").glob("*.py")]
    named = {name for path in sources for name in re.findall(r"environ\.get\(\"(VEIL_\w+)\"", path.read_text())}
    return frozenset(named | Settings.from_env({}).to_env().keys())


def resolved(value: str) -> str:
    """Interpolate as compose does; a secret becomes a word."""
    return VARIABLE.sub(lambda match: match[3] if match[2] == "-" else "drawn", value).replace("$$", "$")


def words(service: Compose) -> list[str]:
    return [resolved(str(word)) for word in service.get("command", ())]


def environment(service: Compose) -> dict[str, str]:
    return {name: resolved(str(value)) for name, value in service.get("environment", {}).items()}


def after(flag: str, service: Compose) -> str | None:
    line = words(service)
    return line[line.index(flag) + 1] if flag in line else None


def ports(name: str, service: Compose) -> set[str]:
    """On which ports a service listens, by what it is told and by the defaults of what it runs."""
    listens = {after("--port", service), after("--webui-port", service)}
    if name == "postgres":
        listens.add("5432")
    if name == "airflow-apiserver":
        listens.add(environment(service).get("AIRFLOW__API__PORT"))
    if name == "airflow-scheduler" and environment(service).get("AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK") == "True":
        listens.add(airflow_options()["scheduler"]["options"]["scheduler_health_check_server_port"]["default"])
    return {port for port in listens if port}


def mounts(service: Compose) -> list[tuple[str, str]]:
    pairs = [tuple(volume.split(":")[:2]) for volume in service.get("volumes", ())]
    return [*pairs, *((config["source"], config["target"]) for config in service.get("configs", ()))]


def wrong_shape(compose: Compose) -> Iterator[str]:
    services = compose["services"]
    for name, service in services.items():
        if "image" not in service or ("build" in service and not (ROOT / service["build"] / "Dockerfile").exists()):
            yield f"{name}: no image"
        if name not in ONE_SHOT and not (service.get("healthcheck", {}).get("test") and "restart" in service):
            yield f"{name}: long-running without health check and restart policy"
        if service.get("privileged") or service.get("user") in (None, "root", "0"):
            yield f"{name}: too many rights"
        if service.get("cap_drop") != ["ALL"] or "no-new-privileges:true" not in service.get("security_opt", ()):
            yield f"{name}: capabilities are kept"
        for other, how in service.get("depends_on", {}).items():
            finishes = how["condition"] == "service_completed_successfully"
            if other not in services or finishes != (other in ONE_SHOT):
                yield f"{name}: waits for {other} in vain"
        for network in service.get("networks", ["default"]):
            if network not in compose["networks"]:
                yield f"{name}: network {network} is not declared"
        if name != "airflow-apiserver" and ("ports" in service or service["networks"] != ["inside"]):
            yield f"{name}: can be reached from outside"
        for port in service.get("ports", ()):
            if not resolved(port).startswith("127.0.0.1:") or port.rsplit(":", 1)[1] not in ports(name, service):
                yield f"{name}: port {port}"
    if compose["networks"]["inside"] != {"internal": True}:
        yield "the inner network has a route outside"


def wrong_secrets(compose: Compose) -> Iterator[str]:
    used = VARIABLE.findall(json.dumps(compose))
    for name, kind, rest in used:
        if name in draw() and (kind != "?" or "veil secrets" not in rest):
            yield f"{name}: compose starts without it"
        if name not in draw() and kind != "-":
            yield f"{name}: nobody sets it"
    yield from (f"{name}: drawn, not used" for name in draw().keys() - {name for name, _, _ in used})
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"(PASSWORD|SECRET|FERNET_KEY|JWT_SECRET)$", name) and not VARIABLE.fullmatch(value):
                yield f"{name}: written down"


def wrong_paths(compose: Compose) -> Iterator[str]:
    for name, service in compose["services"].items():
        targets = [Path(target) for _, target in mounts(service)]
        for source, _ in mounts(service):
            declared = source in compose["volumes"] or source in compose["configs"]
            if not ((ROOT / source).exists() if source.startswith(".") else declared):
                yield f"{name}: {source} does not exist"
        told = [*environment(service).values(), *words(service)]
        told += [compose["configs"][config["source"]]["content"] for config in service.get("configs", ())]
        for path in map(Path, VEIL_PATH.findall(" ".join(told))):
            if path.is_relative_to("/opt/veil"):
                exists = (ROOT / path.relative_to("/opt/veil")).exists()
            else:
                exists = any(target.is_relative_to(path) or path.is_relative_to(target) for target in targets)
            if not exists:
                yield f"{name}: {path} does not exist"


def wrong_commands(compose: Compose) -> Iterator[str]:
    cli = (packages("airflow") / "cli" / "cli_config.py").read_text()
    for name, service in compose["services"].items():
        test = service.get("healthcheck", {}).get("test", [])[1:]
        script = words(service)[2].splitlines() if words(service)[:1] == ["bash"] else []
        for line in [words(service), test, *(line.split() for line in script)]:
            known = not line or line[0] in ("bash", "printf", "umask", "pg_isready") or (BIN / line[0]).exists()
            if line[:1] == ["airflow"]:
                known &= f'name="{line[1]}"' in cli
            if line[:1] == ["veil"]:
                known &= line[1] in veil.commands
            if line[:1] == ["spark-class"]:
                known &= f"{line[1].replace('.', '/')}.class" in spark_classes()
            if not known:
                yield f"{name}: there is no {' '.join(line[:2])}"
            job = line[line.index("--job-type") + 1] if "--job-type" in line else None
            runners = (path.read_text() for path in (packages("airflow") / "jobs").glob("*_job_runner.py"))
            if job and not any(f'job_type = "{job}"' in text for text in runners):
                yield f"{name}: there is no job {job}"


def wrong_variables(compose: Compose) -> Iterator[str]:
    for name, service in compose["services"].items():
        for variable in service.get("environment", {}):
            if match := re.fullmatch(r"AIRFLOW__([A-Z_]+?)__(\w+)", variable):
                section = airflow_options().get(match[1].lower(), {"options": {}})
                if match[2].lower() not in section["options"]:
                    yield f"{name}: Airflow has no option {variable}"
            if variable.startswith("VEIL_") and variable not in variables_read():
                yield f"{name}: nothing reads {variable}"


def wrong_addresses(compose: Compose) -> Iterator[str]:
    services = compose["services"]
    for name, service in services.items():
        told = {**environment(service), "command": " ".join(words(service))}
        told["test"] = " ".join(service.get("healthcheck", {}).get("test", ()))
        told.pop("AIRFLOW__API__BASE_URL", None)  # as a browser sees it
        if "AIRFLOW_CONN_VEIL_SPARK" in told:
            connection = json.loads(told.pop("AIRFLOW_CONN_VEIL_SPARK"))
            told["connection"] = f"{connection['host']}:{connection['port']}"
            if connection["extra"]["conf"]["spark.driver.host"] != name:
                yield f"{name}: the driver is not found"
        for host, port in ADDRESS.findall(" ".join(told.values())):
            target = name if host == "localhost" else host
            if target not in services or port not in ports(target, services[target]):
                yield f"{name}: nothing listens on {host}:{port}"


CHECKS = (wrong_shape, wrong_secrets, wrong_paths, wrong_commands, wrong_variables, wrong_addresses)


@pytest.fixture(scope="module")
def compose() -> Compose:
    loaded: Compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def test_everything_that_the_compose_file_names_exists(compose: Compose) -> None:
    assert [problem for check in CHECKS for problem in check(compose)] == []


MISTAKES = [
    (wrong_paths, "/opt/veil/dags", "/opt/veil/dag"),
    (wrong_paths, "./dags/config:", "./config:"),
    (wrong_paths, "keys:/var", "key:/var"),
    (wrong_paths, '--work-dir", "/lake', '--work-dir", "/scratch2/lake'),
    (wrong_paths, "/lake/restricted/logs", "/lakes/restricted/logs"),
    (wrong_commands, 'dag-processor"]', 'dag_processor"]'),
    (wrong_commands, "master.Master", "Master"),
    (wrong_commands, "veil init", "veil initialise"),
    (wrong_commands, "TriggererJob", "TriggerJob"),
    (wrong_variables, "VEIL_CONTROL", "VEIL_STORE"),
    (wrong_variables, "SQL_ALCHEMY_CONN_ASYNC", "SQL_ALCHEMY_ASYNC"),
    (wrong_addresses, "@postgres:5432/veil", "@database:5432/veil"),
    (wrong_addresses, '"port\\": 7077', '"port\\": 7078'),
    (wrong_addresses, "localhost:8974", "localhost:8973"),
    (wrong_addresses, 'driver.host\\": \\"airflow-scheduler', 'driver.host\\": \\"scheduler'),
    (wrong_secrets, "${AIRFLOW_JWT_SECRET:?run veil secrets}", "${AIRFLOW_JWT_SECRET:-secret}"),
    (wrong_secrets, "${SPARK_AUTH_SECRET:?run veil secrets}", "none"),
    (wrong_secrets, '"POSTGRES_PASSWORD": "${POSTGRES_PASSWORD:?run veil secrets}', '"POSTGRES_PASSWORD": "postgres'),
    (wrong_secrets, "${SPARK_JOB_CORES:-2}", "${SPARK_JOB_CORES}"),
    (wrong_shape, "${AIRFLOW_PORT:-8080}:8080", "${AIRFLOW_PORT:-8080}:8081"),
    (wrong_shape, "${AIRFLOW_BIND:-127.0.0.1}:", ""),
    (wrong_shape, '"user": "postgres"', '"user": "root"'),
    (wrong_shape, '"user": "postgres"', '"user": "postgres", "privileged": true'),
    (wrong_shape, '"user": "postgres"', '"user": "postgres", "ports": ["127.0.0.1:5432:5432"]'),
    (wrong_shape, "service_completed_successfully", "service_started"),
    (wrong_shape, '"restart": "unless-stopped"', '"labels": []'),
    (wrong_shape, '{"internal": true}', "{}"),
]


@pytest.mark.parametrize(("check", "old", "new"), MISTAKES)
def test_a_mistake_is_found(compose: Compose, check: Check, old: str, new: str) -> None:
    text = json.dumps(compose)
    assert old in text
    assert list(check(json.loads(text.replace(old, new))))


def test_the_image_is_made_of_what_the_project_pins() -> None:
    dockerfile, makefile = (ROOT / "Dockerfile").read_text(), (ROOT / "Makefile").read_text()
    assert re.findall(r"uv==([\d.]+)", dockerfile) == re.findall(r"UV_VERSION := ([\d.]+)", makefile)
    assert "uv sync --frozen --no-dev" in dockerfile
    assert set(re.findall(r"(VEIL_\w+)=", dockerfile)) <= variables_read()
    (home,) = re.findall(r"SPARK_HOME=/opt/veil/\.venv/(\S+)", dockerfile)
    assert packages("pyspark").as_posix().endswith(home)
    assert (packages("pyspark") / "bin" / "spark-class").exists()
    assert re.findall(r"^USER (\w+)", dockerfile, re.MULTILINE) == ["veil"]


def test_nothing_but_the_project_enters_the_image() -> None:
    first, *kept = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] != "#"]
    assert first == "*"
    assert all((ROOT / line[1:]).exists() for line in kept if line.startswith("!"))
    assert not any(line.startswith("!.") for line in kept)


def test_the_secrets_command_prints_lines_for_an_env_file() -> None:
    lines = CliRunner().invoke(veil, ["secrets"]).output.splitlines()
    assert {line.split("=", 1)[0] for line in lines} == draw().keys()
    assert all(re.fullmatch(r"[A-Z_]+=[\w-]{32,}=?", line) for line in lines)


def test_no_secret_is_drawn_twice() -> None:
    drawn = [*draw().values(), *draw().values()]
    assert len(set(drawn)) == len(drawn)
