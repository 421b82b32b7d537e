"""The picture of an upgrade shows what was measured, says the steps readably and is well-formed whatever the names."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import combinations
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from pydantic import ValidationError

from tasks.timeline import Moment, Share, draw

START = datetime(2026, 11, 22, 17, 40, 5, tzinfo=UTC)


def moment(seconds: float, step: str, **versions: tuple[int, int, int]) -> Moment:
    shares = {name: Share(healthy=share[0], desired=share[1], traffic=share[2]) for name, share in versions.items()}
    return Moment(at=START + timedelta(seconds=seconds), step=step, versions=shares)


UPGRADE = (
    moment(0, "deploy", old=(4, 4, 100)),
    moment(20, "deploy", old=(4, 4, 100), new=(0, 4, 0)),
    moment(60, "switch", old=(4, 4, 0), new=(4, 4, 100)),
    moment(90, "retire", new=(4, 4, 100)),
)


def picture(moments: tuple[Moment, ...], title: str = "Upgrade") -> Element:
    return ElementTree.fromstring(draw(title, moments))  # noqa: S314  our own text


def by_class(image: Element, name: str) -> list[Element]:
    return [each for each in image.iter() if each.get("class") == name]


def path(image: Element, quantity: str, version: int) -> str:
    """The path of a quantity of the version that appeared as number `version`, from 0."""
    found = [each for each in by_class(image, quantity) if each.get("d")]
    return found[version].attrib["d"]


def heights(path: str) -> list[float]:
    """The y of each level line."""
    return [float(y) for y in re.findall(r"(?:M[\d.]+ |V)([\d.]+)", path)]


def labels(image: Element) -> list[Element]:
    (steps,) = by_class(image, "steps")
    return list(steps)


def axis_texts(image: Element, name: str) -> list[str]:
    group = next(each for each in by_class(image, name) if each.tag.endswith("}g"))
    return ["".join(each.itertext()) for each in group if each.tag.endswith("}text")]


def test_the_lines_step_where_the_values_change() -> None:
    image = picture(UPGRADE)
    old, new = heights(path(image, "traffic", 0)), heights(path(image, "traffic", 1))
    assert old[0] == old[1] < old[2], "100 % lies above 0 %"
    assert new[0] > new[1] == new[2]
    healthy, desired = heights(path(image, "healthy", 1)), heights(path(image, "desired", 1))
    assert healthy[0] > desired[0]
    assert healthy[1:] == desired[1:]


def test_a_version_is_drawn_only_while_it_exists() -> None:
    image = picture(UPGRADE)
    old, new = path(image, "traffic", 0), path(image, "traffic", 1)
    end_of_old, begin_of_new, end = old.rsplit("H")[-1], new[1:].split()[0], new.rsplit("H")[-1]
    assert float(begin_of_new) < float(end_of_old) < float(end)


def test_a_version_that_was_away_meanwhile_has_a_gap() -> None:
    image = picture((moment(0, "a", v=(1, 1, 0)), moment(5, "b", w=(1, 1, 0)), moment(9, "c", v=(1, 1, 0))))
    assert path(image, "traffic", 0).count("M") == 2
    assert path(picture(UPGRADE), "traffic", 0).count("M") == 1


def test_equal_values_of_two_versions_do_not_hide_each_other() -> None:
    image = picture((moment(0, "both", one=(4, 4, 50), two=(4, 4, 50)),))
    assert path(image, "traffic", 0) != path(image, "traffic", 1)
    assert path(image, "healthy", 0) != path(image, "healthy", 1)


def test_versions_are_named_in_the_order_in_which_they_appear() -> None:
    legend = next(each for each in picture(UPGRADE).iter() if each.get("id") == "legend")
    assert "".join(legend.itertext()).split() == ["■", "old", "■", "new"]


def test_a_repeated_step_is_named_once() -> None:
    assert sorted("".join(each.itertext()) for each in labels(picture(UPGRADE))) == ["deploy", "retire", "switch"]


@pytest.mark.parametrize("apart", [0.1, 3, 20])
def test_names_of_steps_stay_in_the_picture_and_do_not_touch(apart: float) -> None:
    moments = tuple(moment(number * apart, f"step {'long ' * number}", v=(1, 1, 100)) for number in range(9))
    boxes = [
        (float(each.attrib["x"]), float(each.attrib["x"]) + 6.5 * len(each.text or ""), float(each.attrib["y"]))
        for each in labels(picture(moments))
    ]
    assert len(boxes) == 9
    assert all(begin > 0 and end < 900 and y > 60 for begin, end, y in boxes)
    for (begin, end, y), (other_begin, other_end, other_y) in combinations(boxes, 2):
        assert abs(y - other_y) >= 12 or end <= other_begin or other_end <= begin


@pytest.mark.parametrize(
    ("seconds", "some", "last"),
    [(9, "1 s", "9 s"), (200, "30 s", "180 s"), (1500, "5 min", "25 min"), (40_000, "120 min", "600 min")],
)
def test_ticks_of_time_have_a_unit_that_suits_the_length(seconds: int, some: str, last: str) -> None:
    texts = axis_texts(picture((moment(0, "first", v=(1, 1, 0)), moment(seconds, "last", v=(1, 1, 0)))), "time")
    *ticks, since = texts
    assert some in ticks
    assert ticks[-1] == last
    assert len(ticks) <= 11
    assert since == "since 2026-11-22 17:40:05 UTC"


def test_ticks_of_members_reach_what_was_desired() -> None:
    assert axis_texts(picture((moment(0, "grow", v=(1, 40, 0)),)), "members") == [
        "0",
        "10",
        "20",
        "30",
        "40",
        "members",
    ]


def test_names_cannot_break_the_picture() -> None:
    image = picture((moment(0, '<script>"&', v=(0, 0, 0)),), title="a <b> & c")
    assert image.findtext("{http://www.w3.org/2000/svg}title") == "a <b> & c"
    assert labels(image)[0].text == '<script>"&'


def test_a_stack_without_any_version_can_be_drawn() -> None:
    assert "nothing yet" in draw("Upgrade", (moment(0, "nothing yet"),))


def test_no_moment_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="timeline 'Upgrade' has no moments"):
        draw("Upgrade", ())


def test_more_than_all_traffic_is_refused() -> None:
    with pytest.raises(ValidationError, match="less than or equal to 100"):
        Share(healthy=1, desired=1, traffic=101)
