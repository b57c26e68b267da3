"""The steps of the Dockerfile build images that answer, as a user without rights, with no network, from a closed root.

No daemon is needed: tests/deploy/debian_root.py does the steps. ``pytest -s`` shows what each takes, and the sizes.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.debian_root import Builder, Container, Image
from tests.deploy.dockerfile import read_dockerfile
from tests.packages import leave_out
from tests.readme_tour import differences, steps
from tests.source_tree import ROOT

pytestmark = pytest.mark.slow

DOCKERFILE = read_dockerfile((ROOT / "deploy" / "container" / "Dockerfile").read_text())
PAGE = (ROOT / "docs" / "how-to" / "containers-and-kubernetes.md").read_text()
MIRROR = "http://deb.debian.org/debian/dists/bookworm/InRelease"
PYTHON = (3, 11)  # of Debian bookworm, which the images begin with
START_TIMEOUT_S = 300
USER = 10001
TEXTS = {
    "billing": ["I was charged twice this month", "Please refund my last invoice", "My card was billed"],
    "technical": ["The app crashes when I open it", "I get error 500 on the upload page", "It does not start"],
}
ROWS = [{"text": text, "label": label} for label, texts in TEXTS.items() for text in texts]
KEY_PLACE = "/run/secrets/first_key"


@pytest.fixture(scope="module")
def builder(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    """What builds the images, with every package that pip will ask for."""
    _need_a_debian_root()
    context = tmp_path_factory.mktemp("context")
    shutil.copytree(ROOT / "requirements", context / "requirements")
    (context / "dist").mkdir()
    shutil.copy(wheel, context / "dist")
    roots = tmp_path_factory.mktemp("roots")
    yield Builder(DOCKERFILE, context, download(tmp_path_factory.mktemp("wheels")), roots)
    shutil.rmtree(roots)


@pytest.fixture(scope="module")
def images(builder: Builder) -> dict[str, Image]:
    """Both images."""
    images = {name: builder.build(name) for name in ("serving", "full")}
    print({name: f"{seconds:.0f} s" for name, seconds in builder.seconds.items()})
    return images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of an operator, with a key that the page's commands made, and an empty volume."""
    (commands,) = re.findall(r"^\(umask.*first\.key\)$", PAGE, re.MULTILINE)
    subprocess.run(["bash", "-euc", commands], cwd=tmp_path, check=True)
    (tmp_path / "volume").mkdir(mode=0o700)
    os.chown(tmp_path / "first.key", USER, USER)
    os.chown(tmp_path / "volume", USER, USER)
    return tmp_path


@pytest.fixture
def started() -> Iterator[list[Container]]:
    """What a test starts; whatever happens, it is gone after the test."""
    started: list[Container] = []
    yield started
    for container in started:
        if container.is_running:
            container.kill()


def _need_a_debian_root() -> None:
    missing = [tool for tool in ("mmdebstrap", "unshare", "nsenter", "ip") if shutil.which(tool) is None]
    if missing:
        leave_out(f"needs {', '.join(missing)}: apt-get install mmdebstrap util-linux iproute2")
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount and to change roots")
    if subprocess.run(["unshare", "--mount", "--pid", "--net", "--fork", "true"], capture_output=True).returncode:
        pytest.skip("needs the right to make namespaces, which this container has not")
    if sys.version_info[:2] != PYTHON:
        pytest.skip(f"needs Python {PYTHON[0]}.{PYTHON[1]}, for which packages are downloaded, as in the images")
    try:
        urllib.request.urlopen(MIRROR, timeout=10).close()
    except OSError:
        pytest.skip("needs a mirror of Debian, which cannot be reached from here")


def download(folder: Path) -> Path:
    """Download each package of the images by what pip is configured with on this machine."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    locks = {"serve.txt": ["--require-hashes"], "container.txt": ["--require-hashes"], "torch.txt": []}
    for lock, options in locks.items():
        command = [*pip, *options, "--dest", str(folder), "--requirement", str(ROOT / "requirements" / lock)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            leave_out(f"needs the packages of {lock}: {done.stderr[-500:]}")
    return folder


def start(image: Image, folder: Path, started: list[Container]) -> Container:
    """Start an image as the page says, and wait until its health check says that it answers."""
    mounts = {folder / "volume": image.volumes[0], folder / "first.key": KEY_PLACE}
    log = folder / f"log-{len(started)}"
    container = Container(image, mounts, {"WINDROW_FIRST_KEY_FILE": KEY_PLACE}, log)
    started.append(container)
    deadline = time.monotonic() + START_TIMEOUT_S
    while not (container.is_running and container.is_healthy()):
        assert container.is_running, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    return container


def take(container: Container, folder: Path) -> None:
    """Do what the page says up to the first answer, and compare what comes back with what it shows."""
    variables: list[str] = []
    for step in steps(PAGE, "## Get a first answer"):
        done = container.from_outside("\n".join([*variables, step.commands]), folder)
        assert done.returncode == 0, done.stdout + done.stderr
        assert step.shown is not None
        assert list(differences(json.loads(step.shown), json.loads(done.stdout))) == [], done.stdout
        variables += re.findall(r"^[A-Z]+=\S.*$", step.commands, re.MULTILINE)


def ask(container: Container, folder: Path, verb: str, **body: object) -> dict[str, object]:
    """Send a request as a client does, and return the reply."""
    (folder / "body.json").write_text(json.dumps(body))
    script = (
        f'curl -s http://127.0.0.1:14345/v1/classifier/{verb} -H "Authorization: Bearer $(cat first.key)" '
        "-H 'Content-Type: application/json' --data-binary @body.json"
    )
    reply: dict[str, object] = json.loads(container.from_outside(script, folder).stdout)
    return reply


def run_commands(container: Container) -> None:
    """Run what the page runs in a container beside its server; no key is created twice."""
    commands = re.findall(r"^docker exec windrow (windrow [^>\n]*)", PAGE, re.MULTILINE)
    assert {"keys", "doctor", "fsck"} == {command.split()[1] for command in commands}
    for command in commands:
        done = container.execute(*command.replace("create shop", f"create shop-{container.pid}").split())
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_full_image_trains_and_answers_and_the_one_for_serving_answers_by_that(
    images: dict[str, Image], folder: Path, started: list[Container]
) -> None:
    began = time.monotonic()
    full = start(images["full"], folder, started)
    take(full, folder)
    print(f"first answer after {time.monotonic() - began:.1f} s; { ({n: i.size_mb for n, i in images.items()}) } MB")
    trained = ask(full, folder, "fit", model_name="adapted_v1", training_data=ROWS, num_iterations=2)
    assert trained["status"] == "trained"
    run_commands(full)
    assert full.stop() == 0, (folder / "log-0").read_text()
    serving = start(images["serving"], folder, started)
    for name in ("tickets_v1", "adapted_v1"):
        assert (
            ask(serving, folder, "predict", model_name=name, text="My card was billed two times")["label"] == "billing"
        )
    assert serving.execute("python3", "-c", "import torch").returncode == 1
    refused = ask(serving, folder, "fit", model_name="adapted_v2", training_data=ROWS, num_iterations=2)
    assert refused["code"] == "training_failed"
    assert "torch is not installed" in str(refused["detail"])
    head = ask(serving, folder, "fit", model_name="head_v1", training_data=ROWS, num_iterations=0)
    assert head["status"] == "trained"
    run_commands(serving)
    assert serving.stop() == 0, (folder / "log-1").read_text()


def test_it_runs_without_rights_in_a_root_that_it_cannot_write_and_reaches_no_other_host(
    images: dict[str, Image], folder: Path, started: list[Container]
) -> None:
    container = start(images["serving"], folder, started)
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{container.pid}/status").read_text().splitlines() if ":\t" in line
    )
    assert set(status["Uid"].split()) == set(status["Gid"].split()) == {str(USER)}
    assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == "1"
    for place in ("/usr/local/lib/windrow/x", "/etc/x", "/x"):
        assert "Read-only file system" in container.execute("touch", place).stderr
    assert container.execute("touch", "/data/x", "/tmp/x").returncode == 0
    # ONNX Runtime would keep reports to its maker in the home of its user.
    assert [*(folder / "volume").rglob("onnxruntime.db*")] == []
    links = container.from_outside("ip -oneline link", folder).stdout
    assert [line.split(": ")[1] for line in links.splitlines()] == ["lo"]


def test_neither_image_holds_what_installs_packages(images: dict[str, Image]) -> None:
    for image in images.values():
        assert [*image.root.glob("usr/local/lib/*/lib/python3.*/site-packages/pip")] == []
        assert not (image.root / "build").exists()
