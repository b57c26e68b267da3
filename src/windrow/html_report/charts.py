"""Pictures of a report, as SVG that stands in the page. Each says in words what it shows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from windrow.domain.figures import percent
from windrow.domain.interval import Interval, wilson_interval
from windrow.domain.report import Calibration, CoveragePoint, ReliabilityBin
from windrow.html_report.elements import Html, element, joined

# Both charts have the same ground, so that they stand side by side; in units of the drawing.
_LEFT, _RIGHT, _WIDTH, _HEIGHT = 48.0, 412.0, 420, 372
# The highest error that the axis shows is one of these, so that its marks are round numbers.
_NICE: Final = (0.02, 0.04, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
# Where every row is answered up to here, the axis is finer.
_FINE_FROM: Final = 0.5
# Where fewer rows are answered, the interval says nothing, and is as high as the chart.
_TELLING_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Axis:
    """Where values lie in a drawing."""

    low: float
    """The lowest value."""
    high: float
    """The highest value; what is above lies there, too."""
    start: float
    """Where the lowest value lies."""
    end: float
    """Where the highest one lies."""

    def at(self, value: float) -> float:
        """Return where a value lies."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def share_bar(share: float) -> Html:
    """Return a bar for beside a number, which says the same.

    Args:
        share: Its length, from 0 to 1.
    """
    parts = (_rect(0, 0, 100, 8, "track"), _rect(0, 0, 100 * share, 8, "f-bar"))
    return element("svg", *parts, viewBox="0 0 100 8", preserveAspectRatio="none", role="presentation")


def accuracy_range(accuracy: float, interval: Interval, baseline: float) -> Html:
    """Return a scale from 0 to 100 % with an accuracy, its interval and what it is to be compared with."""
    low, high = 100 * interval.low, 100 * interval.high
    parts = (
        _rect(0, 6, 100, 8, "track"),
        _rect(low, 6, high - low, 8, "f-range"),
        _rect(min(100 * baseline, 99.6), 2, 0.4, 16, "f-ink"),
        _rect(min(100 * accuracy, 99.2), 1, 0.8, 18, "f-bar"),
    )
    said = (
        f"Accuracy {percent(accuracy)}, between {percent(interval.low)} and {percent(interval.high)} with 95 % "
        f"confidence; always giving the most frequent label: {percent(baseline)}."
    )
    how = {"viewBox": "0 0 100 20", "preserveAspectRatio": "none", "role": "img"}
    return element("svg", *parts, class_="range", aria_label=said, **how)


def reliability_chart(calibration: Calibration, counted: str = "rows", true: str = "right") -> Html:
    """Return the reliability diagram: how often something is true, by score; below it, how often that was counted.

    Args:
        calibration: The bins.
        counted: What was counted.
        true: What is true of a share of it.
    """
    across, up = Axis(0, 1, _LEFT, _RIGHT), Axis(0, 1, 268, 14)
    most = max(each.rows for each in calibration.bins)
    rows = Axis(0, most, 336, 290)
    words = [f"{_bin_in_words(each, counted, true)}." for each in calibration.bins]
    return _chart(
        f"Share of {counted} that is {true}, by score. {' '.join(words)}",
        *_grid(up, (0, 0.25, 0.5, 0.75, 1)),
        _line("dashed", (across.at(0), up.at(0)), (across.at(1), up.at(1))),
        *(_reliability_bin(each, said, (across, up, rows)) for each, said in zip(calibration.bins, words, strict=True)),
        _line("axis", (_LEFT, 336), (_RIGHT, 336)),
        _text(_LEFT - 6, 318, counted, anchor="end"),
        *_ticks(across, (0, 0.2, 0.4, 0.6, 0.8, 1), 352),
        _text((_LEFT + _RIGHT) / 2, 369, "score", anchor="middle"),
    )


def coverage_chart(points: Sequence[CoveragePoint], marks: Sequence[tuple[str, float]] = ()) -> Html:
    """Return two curves by threshold: the share that is answered; below it the error with its interval.

    Args:
        points: The points, ascending; the first one answers everything.
        marks: Thresholds to mark, with what they are called.
    """
    answering = [point for point in points if point.error_interval is not None]
    # Below, everything is answered whatever the threshold is.
    first = max(point.threshold for point in points if point.answered == points[0].answered)
    tenths = range(0, 11, 2) if first < _FINE_FROM else range(5, 11)
    ticks = [each / 10 for each in tenths if each >= min(int(first * 10), 8) - (2 if first < _FINE_FROM else 0)]
    start = ticks[0]
    across, share = Axis(start, 1, _LEFT, _RIGHT), Axis(0, 1, 156, 26)
    highest = _highest_error(answering)
    error = Axis(0, highest, 336, 212)
    shown = [point for point in points if point.threshold >= start]
    return _chart(
        _coverage_in_words(points),
        _text(_LEFT, 14, "share answered", "strong"),
        *_grid(share, (0, 0.5, 1)),
        _text(_LEFT, 200, "error of the answers", "strong"),
        *_grid(error, (0, highest / 2, highest)),
        *(part for name, at in marks if at >= start for part in _mark(name, across.at(at))),
        _error_band([point for point in answering if point.threshold >= start], across, error),
        _line("s-bad", *((across.at(each.threshold), error.at(each.error or 0)) for each in shown if each.answered)),
        _line("s-bar", *((across.at(each.threshold), share.at(each.share)) for each in shown)),
        *_ticks(across, ticks, 352),
        _text((_LEFT + _RIGHT) / 2, 369, "threshold: no label below this score", anchor="middle"),
    )


def _highest_error(answering: Sequence[CoveragePoint]) -> float:
    telling = [point for point in answering if point.share >= _TELLING_SHARE]
    highest = max((each.error_interval.high for each in telling if each.error_interval is not None), default=0.0)
    return next(nice for nice in _NICE if nice >= min(highest, 1))


def _coverage_in_words(points: Sequence[CoveragePoint]) -> str:
    tenths = [point for point in points if point.threshold in (0, 0.5, 0.8, 0.9, 0.95)]
    said = "; ".join(
        f"below {point.threshold:g}: {percent(point.share)} answered, {percent(point.error)} of that wrong"
        for point in tenths
    )
    return f"Share answered and error, if no label is given below a threshold. {said}."


def _error_band(points: Sequence[CoveragePoint], across: Axis, up: Axis) -> Html:
    ends = [(across.at(point.threshold), point.error_interval) for point in points]
    corners = [(x, up.at(interval.high)) for x, interval in ends if interval is not None]
    corners += [(x, up.at(interval.low)) for x, interval in reversed(ends) if interval is not None]
    return element("polygon", points=_points(corners), class_="f-band")


def _reliability_bin(each: ReliabilityBin, said: str, axes: tuple[Axis, Axis, Axis]) -> Html:
    across, up, rows = axes
    left, right = across.at(each.low) + 1, across.at(each.high) - 1
    mean = across.at(each.mean_score)
    likely = wilson_interval(round(each.accuracy * each.rows), each.rows)
    return element(
        "g",
        element("title", said),
        _rect(left, up.at(each.accuracy), right - left, up.start - up.at(each.accuracy), "f-soft"),
        _line("thin", (mean, up.at(likely.low)), (mean, up.at(likely.high))),
        _circle(mean, up.at(each.accuracy)),
        _rect(left, rows.at(each.rows), right - left, rows.start - rows.at(each.rows), "f-range"),
    )


def _bin_in_words(each: ReliabilityBin, counted: str, true: str) -> str:
    return (
        f"scores {each.low:.2f} to {each.high:.2f}: {each.rows} {counted}, {each.mean_score:.2f} on average, "
        f"{percent(each.accuracy)} {true}"
    )


def _grid(axis: Axis, values: Sequence[float]) -> Iterator[Html]:
    for value in values:
        at = axis.at(value)
        yield _line("grid" if value else "axis", (_LEFT, at), (_RIGHT, at))
        yield _text(_LEFT - 6, at + 4, f"{100 * value:.3g} %", anchor="end")


def _ticks(axis: Axis, values: Sequence[float], below: float) -> Iterator[Html]:
    for value in values:
        anchor = "end" if value == axis.high else "middle"
        yield _text(axis.at(value), below, f"{value:.3g}", anchor=anchor)


def _mark(name: str, at: float) -> Iterator[Html]:
    yield _line("mark", (at, 26), (at, 336))
    is_left = at > (_LEFT + _RIGHT) / 2
    yield _text(at - 5 if is_left else at + 5, 178, name, anchor="end" if is_left else "start")


def _chart(said: str, *parts: Html) -> Html:
    return element("svg", *parts, class_="chart", viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=said)


def _line(style: str, *points: tuple[float, float]) -> Html:
    return element("polyline", points=_points(points), class_=style) if points else joined(())


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _rect(x: float, y: float, width: float, height: float, style: str) -> Html:
    place = {"x": f"{x:.2f}", "y": f"{y:.2f}", "width": f"{max(0.0, width):.2f}", "height": f"{max(0.0, height):.2f}"}
    return element("rect", class_=style, **place)


def _circle(x: float, y: float) -> Html:
    return element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="2.6", class_="f-ink")


def _text(x: float, y: float, text: str, style: str = "", anchor: str = "") -> Html:
    return element("text", text, x=f"{x:.1f}", y=f"{y:.1f}", class_=style, text_anchor=anchor)
