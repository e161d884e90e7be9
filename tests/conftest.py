"""Options and fixtures of all tests."""

import os

import pytest
from hypothesis import HealthCheck, settings

# A law is about results. A busy machine is no counterexample, and what CI judges must not depend on chance.
settings.register_profile(
    "lvsc",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("lvsc")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update", action="store_true", help="write generated and golden files anew instead of judging them"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--update") and os.environ.get("CI"):
        raise pytest.UsageError("--update would make every golden file right, so CI refuses it")


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written."""
    return bool(request.config.getoption("--update"))
