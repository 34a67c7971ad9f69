"""What a block of PromQL asks, and what its numbers are held against."""

from __future__ import annotations

import pytest

from cockpit.adapters.prometheus.answer import number_text
from cockpit.adapters.prometheus.question import position_of, questions_of, unit_of
from cockpit.errors import UsageError
from cockpit.runbook.model import Expectation, ExpectationKind
from cockpit.runbook.reading import parse
from cockpit.session.filling.filling import fill
from cockpit.session.steps.checking import Result, check
from cockpit.sparkline import sparkline


def texts(body: str, **values: str) -> list[str]:
    return [question.text for question in questions_of(body, "promql", values)]


def test_each_statement_of_a_block_is_a_query() -> None:
    body = "rate(a[24h])\nincrease(b[24h])\n\n# the share\nrate(c[7d]) /\n(rate(c[7d]) + rate(d[7d]))"

    assert texts(body) == ["rate(a[24h])", "increase(b[24h])", "rate(c[7d]) /\n(rate(c[7d]) + rate(d[7d]))"]


def test_a_comment_names_the_range() -> None:
    first, second, third = questions_of("up\n# range: 6h, step: 5m\nup\n# 범위: 1시간\nup", "promql", {})

    assert (first.range_s, first.step_s) == (None, None)
    assert (second.range_s, second.step_s) == (21600.0, 300.0)
    assert (third.range_s, third.line) == (3600.0, 5)


@pytest.mark.parametrize("comment", ["# range: soon", "# step: -5m", "# at: yesterday", "# limit: many"])
def test_a_time_that_can_not_be_read_is_refused(comment: str) -> None:
    with pytest.raises(UsageError):
        questions_of(f"{comment}\nup", "promql", {})


def test_a_range_of_too_many_values_is_refused_before_the_server_is_asked() -> None:
    (question,) = questions_of("# range: 7d, step: 1s\nup", "promql", {})

    with pytest.raises(UsageError, match="too many"):
        question.every_s(60)


def test_a_block_without_a_query_is_refused() -> None:
    with pytest.raises(UsageError):
        questions_of("# nothing\n", "promql", {})


def test_an_input_never_leaves_its_quotes() -> None:
    awkward = 'a"} or vector(1) or x{y="\\'

    assert texts('up{job="$JOB"}', JOB=awkward) == ['up{job="a\\"} or vector(1) or x{y=\\"\\\\"}']
    assert texts("up{job='${JOB}'}", JOB="it's") == ["up{job='it\\'s'}"]


def test_outside_quotes_an_input_is_one_word() -> None:
    assert texts("rate(a[$RANGE])", RANGE="5m") == ["rate(a[5m])"]
    with pytest.raises(UsageError):
        texts("rate(a[$RANGE])", RANGE="5m]) or vector(1)")


def test_written_blanks_are_quoted_the_same_way() -> None:
    runbook = parse('# T\n\n```promql\nup{namespace="<namespace>"}\n```\n')
    (blank,) = runbook.inputs

    filled = fill('up{namespace="<namespace>"}', "promql", [blank], {blank.name: 'a"b'})

    assert filled.body == 'up{namespace="a\\"b"}'


def test_a_dollar_name_in_a_query_is_an_input_and_grafanas_own_are_not() -> None:
    runbook = parse('# T\n\n```promql\nrate(up{job="$job"}[$__rate_interval])\n```\n')

    assert [blank.name for blank in runbook.inputs] == ["job"]


@pytest.mark.parametrize(
    ("complaint", "position"),
    [
        ('invalid parameter "query": 1:5: parse error: unexpected end of input', (1, 5)),
        ("parse error at line 2, col 17: syntax error: unexpected $end", (2, 17)),
        ("query processing would load too many samples", None),
    ],
)
def test_the_place_of_a_mistake_is_found_in_the_servers_words(complaint: str, position: object) -> None:
    assert position_of(complaint) == position


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.2e-05, "0.000012"),
        (float("nan"), "NaN"),
        (float("inf"), "+Inf"),
        (1e20, "100000000000000000000"),
        (0.1, "0.1"),
    ],
)
def test_a_number_is_shown_as_a_check_can_read_it(value: float, shown: str) -> None:
    assert number_text(value) == shown


@pytest.mark.parametrize(
    ("query", "unit"),
    [
        ('100 * sum(rate(e[5m])) / sum(rate(t{le="1000"}[5m]))', "%"),
        ("histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))", "s"),
        ("1000 * histogram_quantile(0.95, rate(http_request_duration_seconds_bucket[5m]))", "ms"),
        ("rate(x_seconds_sum[5m]) / rate(x_seconds_count[5m])", "s"),
        ("rate(x_seconds_count[5m])", ""),
        ("sum(rate(e[5m])) / sum(rate(t[5m]))", ""),
        ("process_resident_memory_bytes", "bytes"),
        ("rate(sent_bytes[5m])", ""),
    ],
)
def test_a_querys_unit_is_what_its_text_tells(query: str, unit: str) -> None:
    assert unit_of(query) == unit


def held(output: str, operator: str, bound: float, unit: str = "", query: str = "up") -> bool | None:
    wanted = {"operator": operator, "bound": bound, "unit": unit, "label": ""}
    result = Result(0, (), output, query=query)
    return check([Expectation(ExpectationKind.NUMBER, wanted, text="it")], result)[-1].held


TABLE = 'value  series\n0.002  {instance="10.0.0.5:9090"}\n 0.03  {instance="10.0.0.6:9090"}\n'


def test_every_series_has_to_hold() -> None:
    assert held(TABLE, "<", 0.05) is True
    assert held(TABLE, "<", 0.01) is False


def test_no_value_is_left_to_a_person() -> None:
    assert held('value  series\n  NaN  {instance="10.0.0.5:9090"}\n', "<", 0.01) is None
    assert held("no series: nothing matches\n", "<", 0.01) is None
    assert held('from 2026-11-21T14:00:00Z to 2026-11-21T15:00:00Z\n> up{n="1"}\n', "<", 0.01) is None


def test_a_bad_series_beside_one_without_a_value_is_bad() -> None:
    assert held('NaN  {a="1"}\n0.5  {a="2"}\n', "<", 0.01) is False


def test_a_share_of_one_is_not_taken_for_percent() -> None:
    assert held("0.02\n", "<", 1, "%", "sum(rate(e[5m])) / sum(rate(t[5m]))") is None
    assert held("2\n", "<", 1, "%", "100 * sum(rate(e[5m])) / sum(rate(t[5m]))") is False


def test_seconds_are_held_against_milliseconds_as_such() -> None:
    quantile = "histogram_quantile(0.95, rate(http_request_duration_seconds_bucket[5m]))"

    assert held("0.8\n", "<", 500, "ms", quantile) is False
    assert held("0.3\n", "<", 500, "ms", quantile) is True


def test_a_line_of_blocks_keeps_peaks_and_gaps() -> None:
    assert sparkline([0, 0, None, 1], 4) == "▁▁ █"
    assert sparkline([0] * 50 + [9] + [0] * 49, 10) == "▁▁▁▁▁█▁▁▁▁"
    assert sparkline([float("nan"), float("inf")], 4) == ""
