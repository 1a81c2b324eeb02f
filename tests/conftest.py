"""What the tests of the whole house share: one tiny region and one finished run of it."""

import pytest
from places import TINY

from silian import pipeline
from silian.pipeline import Run


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory) -> Run:
    """The main job on the checked-in example, done once."""
    plan = pipeline.Plan.read(TINY / "plan.toml")
    return pipeline.run(TINY, tmp_path_factory.mktemp("tiny") / "run", plan=plan)
