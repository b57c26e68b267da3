"""What can be deployed, and which settings replicas share."""

import math

import pytest

from windrow.deployment.plan import Plan, shared_variables
from windrow.domain.errors import InvalidParameter
from windrow.settings import read_settings

STORE = "s3://bucket/prefix"


@pytest.mark.parametrize(
    ("plan", "parameter"),
    [
        (Plan(min_replicas=0), "min_replicas"),
        (Plan(min_replicas=3, max_replicas=2), "min_replicas"),
        (Plan(target_ongoing_requests=0), "target_ongoing_requests"),
        (Plan(cpus=-1), "cpus"),
        (Plan(cpus=math.nan), "cpus"),
        (Plan(upscale_delay_s=-1), "upscale_delay_s"),
        (Plan(name=" "), "name"),
        (Plan(name="a#b"), "name"),
    ],
)
def test_a_number_that_cannot_be_is_refused(plan: Plan, parameter: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        plan.check()
    assert refused.value.facts["parameter"] == parameter


def test_the_least_plan_is_allowed() -> None:
    Plan(min_replicas=1, max_replicas=1, cpus=0.5, downscale_delay_s=0).check()


def test_replicas_share_the_settings_of_whoever_deploys_but_no_key_and_nothing_that_is_no_setting() -> None:
    environment = {
        "WINDROW_DATA_DIR": "somewhere",
        "WINDROW_MAX_TEXTS": "7",
        "WINDROW_API_KEY": "wdr_secret",
        "WINDROW_API_KEY_FILE": "/key",
        "WINDROW_URL": "http://elsewhere",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    shared = shared_variables(environment, Plan(cpus=1.5), {"data_dir": STORE, "port": 8000})
    assert shared == {
        "WINDROW_DATA_DIR": STORE,
        "WINDROW_MAX_TEXTS": "7",
        "WINDROW_PORT": "8000",
        "WINDROW_ENCODER_THREADS": "2",
    }
    assert read_settings(shared).max_texts == 7


def test_threads_that_are_set_are_kept() -> None:
    environment = {"WINDROW_DATA_DIR": STORE, "WINDROW_ENCODER_THREADS": "5"}
    assert shared_variables(environment, Plan(cpus=1), {})["WINDROW_ENCODER_THREADS"] == "5"


def test_a_folder_is_refused_with_what_to_do_instead() -> None:
    with pytest.raises(InvalidParameter, match="nodes of a cluster do not share") as refused:
        shared_variables({}, Plan(), {"data_dir": "/srv/windrow"})
    assert "copy-store" in refused.value.detail
    assert "windrow serve" in refused.value.detail


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="WINDROW_DATADIR is no setting"):
        shared_variables({"WINDROW_DATADIR": STORE}, Plan(), {"data_dir": STORE})
