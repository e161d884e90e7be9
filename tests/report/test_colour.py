"""Who decides about colour, and in which order."""

import pytest

from lvsc.report.colour import ColourChoice, use_colour

AUTO, ALWAYS, NEVER = ColourChoice.AUTO, ColourChoice.ALWAYS, ColourChoice.NEVER


@pytest.mark.parametrize(
    ("choice", "environment", "terminal", "coloured"),
    [
        pytest.param(AUTO, {}, True, True, id="terminal"),
        pytest.param(AUTO, {}, False, False, id="pipe"),
        pytest.param(AUTO, {"TERM": "dumb"}, True, False, id="dumb terminal"),
        pytest.param(AUTO, {"NO_COLOR": "1"}, True, False, id="NO_COLOR"),
        pytest.param(AUTO, {"NO_COLOR": "0"}, True, False, id="NO_COLOR of any value"),
        pytest.param(AUTO, {"NO_COLOR": ""}, True, True, id="empty NO_COLOR"),
        pytest.param(AUTO, {"FORCE_COLOR": "1"}, False, True, id="FORCE_COLOR"),
        pytest.param(
            AUTO, {"FORCE_COLOR": "1", "TERM": "dumb"}, False, True, id="FORCE_COLOR on a dumb terminal"
        ),
        pytest.param(AUTO, {"FORCE_COLOR": ""}, False, False, id="empty FORCE_COLOR"),
        pytest.param(AUTO, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False, id="both"),
        pytest.param(ALWAYS, {"NO_COLOR": "1"}, False, True, id="always"),
        pytest.param(NEVER, {"FORCE_COLOR": "1"}, True, False, id="never"),
    ],
)
def test_colour_is_decided(
    choice: ColourChoice, environment: dict[str, str], terminal: bool, coloured: bool
) -> None:
    assert use_colour(choice, environment, terminal=terminal) is coloured
