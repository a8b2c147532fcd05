"""What cannot work about metrics, alerts and dashboards is refused, before anything is written."""

import pytest

from tests.checkout import Checkout
from tests.test_bad_input import assert_refused

STAGINGS_MONITORING = """\
observability=ObservabilitySettings(
        prometheus=PrometheusSettings(retention="7d", storage="20Gi"),
        alertmanager=AlertmanagerSettings(receivers=AlertReceivers(slack_channel="#traversion-staging")),
    ),
    ingress="""
URL = 'URL = "https://mimir.company.com/push"\n'
STORE = 'prometheus=PrometheusSettings(remote_write=(RemoteWrite(name="a", {}),))'
TWICE = 'RemoteWrite(name="a", url=URL), RemoteWrite(name="a", url=URL)'
STORES = "prometheus.remote_write"
MAIL = (
    "alertmanager=AlertmanagerSettings(receivers=AlertReceivers(email=EmailReceiver("
    'sender="alerts@company.com", {})))'
)
MAILS = "alertmanager.receivers.email"
MUTE = 'alertmanager=AlertmanagerSettings(mute_times=(MuteTime(name="night", {}),))'
MUTES = "alertmanager.mute_times"
LOG_IN = (
    "grafana=GrafanaSettings(oidc=OidcSettings("
    'client_id="grafana", auth_url=URL, token_url=URL, api_url=URL, {}))'
)
# What is written for staging, the setting that is named, and the remedy.
MONITORING = [
    ("prometheus=PrometheusSettings(replicas=3)", "prometheus.replicas = 3", "1 or 2"),
    ('prometheus=PrometheusSettings(storage="5Gi")', "prometheus.retention = '30d'", "storage = '5Gi'"),
    ('prometheus=PrometheusSettings(retention="50y")', "prometheus.retention = '50y'", "enlarge"),
    ("prometheus=PrometheusSettings(out_of_order_window=10)", "prometheus.out_of_order_window = 10", '"30d"'),
    (
        'prometheus=PrometheusSettings(external_labels={"replica": "a"})',
        "prometheus.external_labels = 'replica'",
        "name another label",
    ),
    (
        'prometheus=PrometheusSettings(external_labels={"a-b": "c"})',
        "prometheus.external_labels.a-b = 'a-b'",
        '"cluster"',
    ),
    (
        'prometheus=PrometheusSettings(external_labels={"cluster": "$HOME"})',
        "prometheus.external_labels.cluster = '$HOME'",  # Prometheus would put a variable in
        "letters, digits, spaces",
    ),
    (
        STORE.format('url="http://mimir.company.com/push"'),
        f"{STORES}.url = 'http://",
        "scheme, host and path",
    ),
    (STORE.format('url="https://user:pass@mimir.company.com/push"'), f"{STORES}.url", "without user"),
    (STORE.format('url="https://mimir.company.com:25/push"'), f"{STORES}.url", "use another port"),
    (STORE.format('url=URL, authentication="basic"'), f"{STORES}.username = None", "set both"),
    (STORE.format('url=URL, username="me"'), f"{STORES}.username = 'me'", "set both"),
    (STORE.format('url=URL, keep="up("'), f"{STORES}.keep = 'up('", "correct the regular expression"),
    (STORE.format("url=URL, max_shards=0"), f"{STORES}.max_shards = 0", "1"),
    (STORE.format('url=URL, cidrs=("169.254.169.254/32",)'), f"{STORES}.cidrs.0 = ", "metadata"),
    (
        STORE.format('url=URL, headers={"Authorization": "x"}'),
        f"{STORES}.headers.Authorization = ",
        "credentials come from the Secret",
    ),
    (
        f"prometheus=PrometheusSettings(remote_write=({TWICE}))",
        "prometheus.remote_write = 'a'",
        "give each its own",
    ),
    ("alertmanager=AlertmanagerSettings(replicas=4)", "alertmanager.replicas = 4", "1, 2 or 3"),
    (
        MAIL.format('smarthost="smtp.company.com", to=("sre@company.com",)'),
        f"{MAILS}.smarthost = 'smtp.company.com'",
        ":587",
    ),
    (
        MAIL.format('smarthost="smtp.company.com:25", to=("sre@company.com",)'),
        f"{MAILS}.smarthost",
        "port 587 or 465",
    ),
    (MAIL.format('smarthost="smtp.company.com:587", to=()'), f"{MAILS}.to = ()", "at least 1"),
    (MUTE.format('start="25:00", end="03:00"'), f"{MUTES}.start = '25:00'", '"02:30"'),
    (MUTE.format('start="22:00", end="02:00"'), f"{MUTES}.end = '02:00'", "write two around midnight"),
    (MUTE.format('start="01:00", end="02:00", weekdays=("Monday",)'), f"{MUTES}.weekdays.0", "'monday'"),
    (LOG_IN.format(""), "grafana.oidc.allowed_domains = ()", "at a public provider it is everyone"),
    (
        LOG_IN.format('allowed_domains=("company.com",), admin_groups=("the admins",)'),
        "grafana.oidc.admin_groups = 'the admins'",
        "use another name",
    ),
    (
        LOG_IN.format('allowed_domains=("company.com",), admin_groups=("a\' || \'b",)'),
        "grafana.oidc.admin_groups.0 = ",
        "letters, digits, spaces",
    ),
    (
        'grafana=GrafanaSettings(loki=LokiSettings(url="loki.logging.svc:3100"))',
        "grafana.loki.url = 'loki.logging.svc:3100'",
        '"http://loki.logging.svc:3100"',
    ),
    ('mode="federated"', "mode = 'federated'", "'operator'"),
    (
        'operator=OperatorSettings(namespace="observability")',
        "operator.namespace = 'observability'",
        'no effect with mode = "standalone": remove the setting',
    ),
    (
        'mode="operator", tls_proxy=TlsProxySettings(image=Image(repository="nginx", tag="1"))',
        "tls_proxy.image = ",
        'no effect with mode = "operator": remove the setting',
    ),
    (
        'mode="operator", prometheus=PrometheusSettings(retention="7d")',
        "prometheus.retention = '7d'",
        'no effect with mode = "operator": remove the setting',
    ),
    (
        'mode="operator", alertmanager=AlertmanagerSettings(receivers=AlertReceivers(pagerduty=True))',
        "alertmanager.receivers = ",
        'no effect with mode = "operator"',
    ),
    (
        'mode="operator", grafana=GrafanaSettings(storage="2Gi")',
        "grafana.storage = '2Gi'",
        'no effect with mode = "operator"',
    ),
    (
        'mode="operator", operator=OperatorSettings(grafana="own", grafana_url="https://grafana.company.com")',
        "operator.grafana_url = ",
        'no effect with grafana = "own"',
    ),
    (
        'mode="operator", operator=OperatorSettings(prometheus_labels={})',
        "operator.prometheus_labels = {}",
        "1",
    ),
]


@pytest.mark.parametrize(("written", "setting", "remedy"), MONITORING, ids=[row[0] for row in MONITORING])
def test_monitoring_is_refused(checkout: Checkout, written: str, setting: str, remedy: str) -> None:
    before = checkout.files()
    imports = "from traversion.settings import ("
    checkout.edit("staging", imports, f"{URL}from traversion.settings import *\n{imports}")
    monitoring = f"observability=ObservabilitySettings({written}),\n    ingress="
    checkout.edit("staging", STAGINGS_MONITORING, monitoring)
    assert_refused(checkout.synth(), checkout, before, f"\nstaging: observability.{setting}", remedy)
