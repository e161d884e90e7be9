"""Options and fixtures of all tests."""

import os
from collections.abc import Iterator
from functools import wraps
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from lvsc.diagnostics import Code, Diagnostic
from lvsc.laboratory.kernels import Kernel, why_not
from support.leaks import leaks
from support.tell import Tell

_UNJUDGED = pytest.StashKey[str]()

# A law is about results. A busy machine is no counterexample, and what CI judges must not depend on chance.
settings.register_profile(
    "lvsc",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
# For a search of some minutes, by `--hypothesis-profile thorough`: other examples each time, and many of them.
settings.register_profile("thorough", settings.get_profile("lvsc"), max_examples=2000, derandomize=False)
settings.load_profile("lvsc")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update", action="store_true", help="write generated and golden files anew instead of judging them"
    )
    parser.addoption(
        "--full", action="store_true", help="run also the kernel tests that say the same once more, slowly"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--update") and os.environ.get("CI"):
        raise pytest.UsageError("--update would make every golden file right, so CI refuses it")
    coverage = config.pluginmanager.getplugin("_cov")
    why = why_not(Kernel.UML)
    if why is not None and coverage is not None and coverage.options.cov_fail_under:
        # A tenth of the code runs only where a guest does.
        coverage.options.cov_fail_under = 0
        config.stash[_UNJUDGED] = f"the share of lines and branches that ran is not judged: {why}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--full"):
        for item in items:
            if item.get_closest_marker("full"):
                item.add_marker(pytest.mark.skip(reason="only in the full set: --full"))


@pytest.fixture(autouse=True, scope="session")
def told() -> Iterator[list[Diagnostic]]:
    """Every diagnostic that is made, as the tests go on."""
    made: list[Diagnostic] = []
    at = Code.at

    @wraps(at)
    def noted(*args: Any, **words: Any) -> Diagnostic:  # noqa: ANN401 - whatever `at` takes
        made.append(at(*args, **words))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Code, "at", noted)
        yield made


@pytest.fixture(autouse=True)
def messages_are_no_python(told: list[Diagnostic], request: pytest.FixtureRequest) -> Iterator[None]:
    """No message that a test brings about shows an enumeration's member, None or a tuple as Python writes it."""
    told.clear()
    yield
    if request.node.get_closest_marker("odd_texts") is None:
        assert [text for diagnostic in told for text in leaks(diagnostic)] == []


#: The name of the property in which a test's lines travel, from another process too.
_TOLD = "told"


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """Has the end of the run say a line."""
    return lambda line: request.node.user_properties.append((_TOLD, line))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if _UNJUDGED in config.stash:
        terminalreporter.write_line(config.stash[_UNJUDGED])
    reports = (report for kind in terminalreporter.stats.values() for report in kind)
    told = {
        line for report in reports for name, line in getattr(report, "user_properties", ()) if name == _TOLD
    }
    if told:
        terminalreporter.section("how emitted files were judged")
        for line in sorted(told):
            terminalreporter.write_line(line)


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written."""
    return bool(request.config.getoption("--update"))
