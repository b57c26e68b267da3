"""What compose.yaml and the pages say of the image is what the Dockerfile makes."""

import re
import shlex

import yaml

from tests.deploy.dockerfile import read_dockerfile
from tests.source_tree import ROOT

FOLDER = ROOT / "deploy" / "container"
STAGES = read_dockerfile((FOLDER / "Dockerfile").read_text())
SERVICE = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]["windrow"]
PAGE = (ROOT / "docs" / "how-to" / "containers-and-kubernetes.md").read_text()


def stated(keyword: str) -> str:
    """Return what an instruction of the stage ``runtime`` says."""
    (found,) = [each.text for each in STAGES["runtime"].instructions if each.keyword == keyword]
    return found


def commands(program: str) -> list[list[str]]:
    """Return each command of the page that begins so, as words."""
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)).replace("\\\n", " ")
    return [shlex.split(line) for line in blocks.splitlines() if line.startswith(program)]


def test_what_is_built_without_a_name_is_the_full_image() -> None:
    assert list(STAGES)[-1] == SERVICE["build"]["target"] == "full"
    built = [
        dict(zip(words[2:-1:2], words[3:-1:2], strict=True)).get("--target", "full")
        for words in commands("docker build")
    ]
    assert built == ["full", "serving"]


def test_compose_builds_from_the_folder_that_the_dockerfile_copies_from() -> None:
    context = (FOLDER / SERVICE["build"]["context"]).resolve()
    assert context == ROOT
    assert (context / SERVICE["build"]["dockerfile"]).samefile(FOLDER / "Dockerfile")
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text()
    copied = [
        word
        for stage in STAGES.values()
        for each in stage.instructions
        if each.keyword == "COPY" and not each.flags
        for word in each.words[:-1]
    ]
    assert copied
    assert all(re.search(rf"^!{re.escape(word.rpartition('/')[0])}/\*", ignored, re.MULTILINE) for word in copied)


def test_both_run_it_as_its_user_with_a_closed_root_and_no_rights() -> None:
    (run,) = commands("docker run")
    assert SERVICE["user"] == stated("USER")
    assert SERVICE["read_only"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert {"--read-only", "--cap-drop", "no-new-privileges"} <= set(run)
    for ports in (SERVICE["ports"][0], run[run.index("--publish") + 1]):
        assert ports == f"127.0.0.1:{stated('EXPOSE')}:{stated('EXPOSE')}"
    for volume in (SERVICE["volumes"][0], run[run.index("--volume") + 1]):
        assert volume.partition(":")[2] == stated("VOLUME")


def test_both_hand_over_the_first_key_as_a_file_that_is_mounted() -> None:
    (run,) = commands("docker run")
    place = SERVICE["environment"]["WINDROW_FIRST_KEY_FILE"]
    assert place == f"/run/secrets/{SERVICE['secrets'][0]}"
    assert f"WINDROW_FIRST_KEY_FILE={place}" in run
    assert f"./first.key:{place}:ro" in run
