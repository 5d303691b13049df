"""What Dockerfile, compose.yaml and the manifests promise: no root, no secret, a graceful stop, only what is needed."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from audiocrawler import settings
from tests.crawling import REPOSITORY
from tests.scrapyd_server import LOGIN, ScrapydServer

OWN = {name for name in vars(settings) if name.startswith("AUDIO_")} | {"AUDIO_FRONTIER"}
MANIFESTS = sorted((REPOSITORY / "deploy").glob("*/*.yaml"))
SCRAPYD = REPOSITORY / "deploy/scrapyd"


def stages() -> dict[str, list[tuple[str, str]]]:
    """Return the instructions of each stage, those that it inherits first."""
    text = re.sub(r"\\\n", " ", (REPOSITORY / "Dockerfile").read_text(encoding="utf-8"))
    found: dict[str, list[tuple[str, str]]] = {}
    current: list[tuple[str, str]] = []
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if not word or word.startswith("#"):
            continue
        if word == "FROM":
            parent, _, name = rest.partition(" AS ")
            current = found[name] = list(found.get(parent, [("FROM", parent)]))
        else:
            current.append((word, " ".join(rest.split())))
    return found


def last(stage: str, word: str) -> str:
    return [rest for each, rest in stages()[stage] if each == word][-1]


def requirement_names(lines: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", line)[0] for line in lines if line and not line.startswith("#")}


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in MANIFESTS:
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            yield f"{path.parent.name}/{path.name}", document


def pods() -> list[Any]:
    """Return the specifications of all pods that run audiocrawler in Kubernetes."""

    def inside(value: Any) -> Iterator[Any]:
        if isinstance(value, dict):
            if "containers" in value:
                yield value
            for each in value.values():
                yield from inside(each)

    return [
        pytest.param(pod, id=f"{name}-{document['metadata']['name']}")
        for name, document in documents()
        for pod in inside(document)
        if "audiocrawler:" in pod["containers"][0]["image"] and document["apiVersion"].startswith("batch")
    ]


@pytest.mark.parametrize("stage", ["slim", "full"])
def test_the_images_run_as_nobody_in_particular_and_stop_gracefully(stage: str):
    assert last(stage, "USER") == "10001:10001"
    assert last(stage, "STOPSIGNAL") == "SIGINT"
    assert last(stage, "VOLUME") == "/data"
    assert re.fullmatch(r"python:\d+\.\d+\.\d+-slim-[a-z]+", stages()[stage][0][1])


def test_the_default_is_slim_and_only_full_has_browser_and_scrapyd():
    assert list(stages())[-1] == "slim"
    slim, full = (" ".join(rest for _, rest in stages()[stage]) for stage in ("slim", "full"))
    assert "chromium" not in slim
    assert "6800" not in slim
    assert "chromium" in full
    assert last("full", "EXPOSE") == "6800"
    assert last("full", "HEALTHCHECK").endswith('CMD ["check-scrapyd"]')
    assert ("COPY", "--from=code /opt/audiocrawler /opt/audiocrawler") in stages()["slim"]
    assert "browser,scrapyd" in " ".join(rest for _, rest in stages()["wheels-full"])
    assert "browser" not in " ".join(rest for _, rest in stages()["code"])


@pytest.mark.parametrize("stage", ["code", "code-full"])
def test_a_change_of_the_code_installs_no_wheel_again(stage: str):
    steps = stages()[stage]
    code = steps.index(("COPY", "audiocrawler audiocrawler"))
    installs = [number for number, step in enumerate(steps) if "pip install" in step[1] and "--no-deps" not in step[1]]
    assert installs
    assert max(installs) < code


def test_no_image_has_a_secret():
    secret = re.compile(r"KEY|SECRET|PASSWORD|TOKEN|CREDENTIAL", re.IGNORECASE)
    for steps in stages().values():
        assert [rest for word, rest in steps if word in {"ENV", "ARG"} and secret.search(rest)] == []
    (ignored, *needed) = [
        line for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line and line[0] != "#"
    ]
    assert ignored == "*"
    assert set(needed) == {"!pyproject.toml", "!requirements.txt", "!audiocrawler", "!deploy/scrapyd", "**/__pycache__"}


def test_the_package_asks_for_what_requirements_txt_pins():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert set(extras) == {"gcp", "redis", "browser", "export", "hub", "browse", "scrapyd"}
    optional = [each for extra in ("gcp", "redis", "browser", "export", "hub", "browse") for each in extras[extra]]
    wanted = [*project["dependencies"], *optional, "setuptools"]
    used = (REPOSITORY / "requirements.txt").read_text().partition("# --- What audiocrawler uses")[2]
    assert requirement_names(wanted) == requirement_names(used.partition("\n# ---")[0].splitlines()[1:])


def test_redis_of_the_compose_file_keeps_what_it_is_told():
    services = yaml.safe_load((REPOSITORY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert set(services) == {"redis", "worker-1", "worker-2", "scrapyd"}
    assert services["redis"]["command"][1:3] == ["--appendonly", "yes"]
    assert services["redis"]["volumes"] == ["redis:/data"]
    for name in ("worker-1", "worker-2", "scrapyd"):
        service = services[name]
        assert service["read_only"] is True
        assert service["environment"]["AUDIO_FRONTIER"].startswith("redis://redis:")
        assert {each for each in service["environment"] if each.startswith("AUDIO_")} <= OWN
        assert service["build"]["target"] == ("full" if name == "scrapyd" else "slim")
    workers = [services[f"worker-{number}"] for number in (1, 2)]
    for name in ("AUDIO_OUTBOX", "AUDIO_INCOMING"):
        assert len({worker["environment"][name] for worker in workers}) == 2
    assert services["scrapyd"]["environment"]["SCRAPYD_PASSWORD"] == "${SCRAPYD_PASSWORD:?}"
    assert services["scrapyd"]["ports"] == ["127.0.0.1:6800:6800"]


@pytest.mark.parametrize("pod", pods())
def test_pods_have_no_root_a_read_only_disk_and_time_to_end(pod: dict[str, Any]):
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/data", "/tmp"}
    assert pod["terminationGracePeriodSeconds"] >= 60
    assert {each["name"] for each in container["env"]} <= OWN | {"REDIS_PASSWORD"}
    assert [each for each in container["env"] if each["name"] == "REDIS_PASSWORD" and "value" in each] == []


def test_a_lost_node_is_no_failure():
    policies = [
        (document["spec"].get("jobTemplate") or document)["spec"]["podFailurePolicy"]["rules"]
        for name, document in documents()
        if document["kind"] in {"Job", "CronJob"} and name.startswith("kubernetes/")
    ]
    assert len(policies) == 4
    assert [rules[0] for rules in policies] == [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}
    ] * 4


def test_redis_of_the_manifests_is_as_confined_as_the_crawlers_and_open_to_them_alone():
    by_kind = {document["kind"]: document for name, document in documents() if name.endswith("workers.yaml")}
    worker, redis = (by_kind[kind]["spec"]["template"] for kind in ("Job", "StatefulSet"))
    (container,) = redis["spec"]["containers"]
    assert container["securityContext"] == worker["spec"]["containers"][0]["securityContext"]
    assert redis["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["args"][-2:] == ["--requirepass", "$(REDISCLI_AUTH)"]
    policy = by_kind["NetworkPolicy"]["spec"]
    assert policy["podSelector"]["matchLabels"] == redis["metadata"]["labels"]
    assert policy["ingress"][0]["from"] == [{"podSelector": {"matchLabels": worker["metadata"]["labels"]}}]
    secrets = [
        each["valueFrom"]["secretKeyRef"]
        for pod in (worker, redis)
        for each in pod["spec"]["containers"][0]["env"]
        if "valueFrom" in each
    ]
    assert secrets == [{"name": "audiocrawler-redis", "key": "password"}] * 2


def test_what_has_to_outlast_a_pod_is_mounted():
    by_name = {name: document for name, document in documents() if document["kind"] in {"Job", "CronJob"}}
    single = by_name["kubernetes/job.yaml"]["spec"]["template"]["spec"]
    nightly = by_name["kubernetes/cronjob.yaml"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert single == nightly
    assert single["volumes"][0] == {"name": "data", "persistentVolumeClaim": {"claimName": "audiocrawler"}}
    for name in ("kubernetes/workers.yaml", "cloud-run/job.yaml", "kubernetes/job.yaml"):
        has_redis = "'AUDIO_FRONTIER', 'value': 'redis://" in str(by_name[name])
        assert has_redis == (name != "kubernetes/job.yaml")
    assert by_name["kubernetes/cronjob.yaml"]["spec"]["concurrencyPolicy"] == "Forbid"


def test_scrapyd_does_not_start_without_a_password(tmp_path: Path):
    done = subprocess.run(
        ["sh", SCRAPYD / "start-scrapyd"], env={"SCRAPYD_USERNAME": "me"}, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "SCRAPYD_PASSWORD: set it" in done.stderr


def test_the_health_check_tells_whether_scrapyd_answers(tmp_path: Path):
    def check(port: str) -> int:
        env = {"SCRAPYD_USERNAME": LOGIN[0], "SCRAPYD_PASSWORD": LOGIN[1], "SCRAPYD_HTTP_PORT": port}
        python = [sys.executable, str(SCRAPYD / "check-scrapyd")]
        return subprocess.run(python, env=env, capture_output=True, check=False).returncode

    with ScrapydServer(tmp_path / "node") as server:
        port = server.url.rpartition(":")[2].strip("/")
        assert check(port) == 0
    assert check(port) != 0
