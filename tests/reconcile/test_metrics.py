from __future__ import annotations

from vistterstream.base.errors import PermanentError, TemporaryError, VistterError
from vistterstream.base.metrics import Metrics


def test_attempts_are_counted_and_waiting_at_a_known_time_is_no_error() -> None:
    metrics = Metrics()
    for error in (
        None,
        TemporaryError("later", delay=1),
        PermanentError("no", reason="Invalid"),
        VistterError("fault", reason="InternalError"),
    ):
        metrics.reconciled("Camera", 0.3, error)
    text = metrics.render().decode()
    assert 'vistter_reconcile_total{kind="Camera"} 4.0' in text
    assert 'vistter_reconcile_duration_seconds_count{kind="Camera"} 4.0' in text
    assert 'vistter_reconcile_duration_seconds_bucket{kind="Camera",le="0.5"} 4.0' in text
    errors = [line for line in text.splitlines() if line.startswith("vistter_reconcile_errors_total{")]
    assert errors == [
        'vistter_reconcile_errors_total{kind="Camera",reason="Invalid"} 1.0',
        'vistter_reconcile_errors_total{kind="Camera",reason="InternalError"} 1.0',
    ]
    assert "_created" not in text


def test_two_controllers_do_not_share_figures() -> None:
    one, other = Metrics(), Metrics()
    one.reconciled("Camera", 0.1, None)
    assert b'kind="Camera"' not in other.render()


def test_the_series_of_expected_kinds_begin_at_zero() -> None:
    metrics = Metrics()
    metrics.expect(["Camera", "Output"])
    text = metrics.render().decode()
    for kind in ("Camera", "Output"):
        assert f'vistter_reconcile_total{{kind="{kind}"}} 0.0' in text
        assert f'vistter_reconcile_errors_total{{kind="{kind}",reason="InternalError"}} 0.0' in text
