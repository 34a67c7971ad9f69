"""Metrics of Cloud Monitoring as a probe, asked in PromQL as of a Prometheus.

[[probe]]
name = "canary"
kind = "cloud-monitoring"
project = "my-project"
interval_s = 60                     # Google takes a sample a minute of most metrics, and shows it minutes later
thresholds = ["error_percent > 1 % red", "error_percent > 0.5 % yellow"]
[probe.queries]                     # a metric a/b.com/c/d is a_b_com:c_d, and a distribution a histogram
error_percent = '''100 * sum(rate(run_googleapis_com:request_count{service_name="ion-api-canary",
    response_code_class="5xx"}[5m])) / sum(rate(run_googleapis_com:request_count{service_name="ion-api-canary"}[5m]))'''
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from cockpit.adapters.google.api import GoogleApi
from cockpit.adapters.google.options import GoogleOptions, check
from cockpit.adapters.prometheus.probe import Queries


class CloudMonitoringOptions(GoogleOptions, frozen=True, kw_only=True):
    """Keys of a probe of kind "cloud-monitoring". For `queries` see "prometheus"."""

    queries: dict[str, str]
    url: str = "https://monitoring.googleapis.com"


class CloudMonitoringProbe(Queries):
    """The queries of one project."""

    Options: ClassVar[type[Struct]] = CloudMonitoringOptions

    def __init__(self, options: CloudMonitoringOptions, deadline_s: float) -> None:
        check(options, options.url)
        url = f"{options.url.rstrip('/')}/v1/projects/{options.project}/location/global/prometheus"
        super().__init__(options.queries, url, deadline_s, lambda within_s: GoogleApi(options, url, within_s))
