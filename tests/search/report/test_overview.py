"""The page's first screen: a headline as strong as the verdict, names apart, colours that stand out."""

from dataclasses import replace
from itertools import combinations

import pytest

from search.records.results import load_results
from search.report import palette
from search.report.forest import noise_floor
from search.report.headline import headline
from search.report.labels import Point, placed
from search.verdict import verdict
from trainables.amounts import within


def test_a_method_is_named_to_be_used_only_where_it_is_shown(finished):
    found = verdict(load_results(finished.root))
    best = found.methods[0].method
    surely = [replace(one, method=best, is_shown=True, is_cheapest=True) for one in found.recommendations]
    cheaper = [replace(one, method="prompt_tuning", best=best, shortfall=0.5) for one in surely]
    shown, open_ = (replace(found.lead, significant=s, tied=t) for s, t in ((True, []), (False, ["full"])))
    said = [
        headline(replace(found, lead=lead, recommendations=advised)).sentence
        for lead, advised in (
            (shown, surely),
            (open_, surely),
            (open_, cheaper),
            (open_, [replace(one, is_shown=False) for one in surely]),
        )
    ]
    assert said[0].startswith(f"Use {best}: better than every other method")
    assert said[1].startswith(f"Use {best}: the cheapest, and within 1 point")
    assert said[2].startswith(f"Use prompt_tuning: within 1 point of {best} (")
    assert said[3].startswith("No single best method")


def test_one_seed_and_no_final_name_no_method_to_use(one_seed):
    found = verdict(load_results(one_seed.root))
    assert not headline(found).sentence.startswith("Use")
    assert headline(found).not_found == ["which method is best: one seed cannot tell methods apart"]
    nothing = replace(found, methods=[], summary="No method has been scored on test yet. On validation")
    assert headline(nothing).sentence == "No method has been scored on test yet"


def test_the_noise_floor_is_students_of_the_pooled_seeds(finished):
    """Standard deviations 1, 1 and 0 of three seeds each; t at 0.975 of 6 degrees of freedom is 2.4469."""
    found = verdict(load_results(finished.root))
    sds = {"lora": 1.0, "full": 1.0, "prompt_tuning": 0.0}
    methods = [
        replace(m, score=replace(m.score, seed_sd=sds.get(m.method, float("nan")))) for m in found.methods
    ]
    floor = noise_floor(replace(found, methods=methods))
    assert floor == pytest.approx(2.4469 * (2 * (2 / 3) / 3) ** 0.5, rel=1e-4)


def test_names_cover_neither_points_nor_one_another():
    points = [Point(x, y, y - 20, y + 20) for x, y in ((100, 100), (104, 108), (130, 102), (280, 20))]
    names = ["lora", "dora", "adalora", "full"]
    boxes = []
    for name, point, label in zip(names, points, placed(names, points, width=300, height=300), strict=True):
        length = 6.6 * len(name)
        left = point.x + label.dx - {"left": 0, "center": length / 2, "right": length}[label.align]
        boxes.append((left, point.y + label.dy - 6, left + length, point.y + label.dy + 6))
    for a, b in combinations(boxes, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    assert all(box[0] >= 0 and box[2] <= 300 for box in boxes)


@pytest.mark.parametrize(
    ("value", "low", "high", "form", "expected"),
    [
        (39.243, 38.79, 39.70, "", "39.2 [38.8, 39.7]"),
        (4.1, 3.95, 4.25, "", "4.10 [3.95, 4.25]"),
        (-0.19, -0.56, 0.18, "+", "\u22120.2 [\u22120.6, +0.2]"),
        (39.0, 33.0, 45.0, "", "39 [33, 45]"),
        (-0.001, -0.9, 0.9, "+", "0.0 [\u22120.9, +0.9]"),
        (3.123, float("nan"), float("nan"), "", "3.12"),
    ],
)
def test_digits_go_as_far_as_the_interval(value, low, high, form, expected):
    assert within(value, low, high, form) == expected


def luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(colour: str, other: str) -> float:
    light, dark = sorted((luminance(colour), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_what_is_drawn_stands_out_from_its_ground(dark):
    ground = palette.TOKENS["ground"][dark]
    look = palette.look(dark=dark)
    assert min(contrast(colour, ground) for colour in [*look["range"]["category"], palette.REST]) >= 3
    words = [look["text"]["color"], look["axis"]["labelColor"], look["header"]["labelColor"]]
    assert min(contrast(colour, ground) for colour in words) >= 4.5
