"""Whatever settings are accepted synthesize to manifests in which nothing is wrong."""

import os
from typing import Literal

import pytest
from cdk8s import App
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.variants import OIDC
from traversion.chart import TraversionChart
from traversion.contract import TRAVERSION, UPSTREAM_1_0_0
from traversion.settings import (
    AlertmanagerSettings,
    AlertReceivers,
    ApiSettings,
    AutoscalingTargets,
    AzureDns,
    BackupSettings,
    ClientLimits,
    CloudDns,
    Cloudflare,
    ClusterSettings,
    CredentialSettings,
    EmailReceiver,
    Environment,
    GatewaySettings,
    GrafanaSettings,
    Image,
    IngressSettings,
    LokiSettings,
    MonitoringAccess,
    NginxSettings,
    ObservabilitySettings,
    OidcSettings,
    OperatorSettings,
    PlacementSettings,
    PosixRepository,
    PrometheusSettings,
    RedisSettings,
    RemoteWrite,
    Replicas,
    Resources,
    Route53,
    SecretReference,
    TimescaleDbSettings,
    WebhookReceiver,
)
from traversion.verify import from_objects, verify

# In CI as many as are promised; at a desk, enough to be warned.
EXAMPLES, SHARES = (300, 4) if os.environ.get("CI") else (5, 1)

CLOUDS: tuple[Literal["gke", "eks", "aks", "generic"], ...] = ("gke", "eks", "aks", "generic")
ISSUERS: tuple[Literal["self-signed", "letsencrypt-staging", "letsencrypt"], ...] = (
    "self-signed",
    "letsencrypt-staging",
    "letsencrypt",
)
ONE_OR_TWO: tuple[Literal[1, 2], ...] = (1, 2)
ONE_TO_THREE: tuple[Literal[1, 2, 3], ...] = (1, 2, 3)
GRAFANAS: tuple[Literal["sidecar", "own"], ...] = ("sidecar", "own")


KEY = SecretReference(name="dns", key="key")
DNS_PROVIDERS = (
    Route53(region="eu-central-1", access_key_id="AKIAIOSFODNN7EXAMPLE", secret_access_key=KEY),
    CloudDns(project="company", service_account=KEY),
    AzureDns(
        subscription_id="0f8fad5b-d9cb-469f-a165-70867728950e",
        tenant_id="0f8fad5b-d9cb-469f-a165-70867728950e",
        client_id="0f8fad5b-d9cb-469f-a165-70867728950e",
        client_secret=KEY,
        resource_group="dns",
        hosted_zone="company.com",
    ),
    Cloudflare(api_token=KEY),
)
GATEWAYS = (
    GatewaySettings(implementation="envoy-gateway"),
    GatewaySettings(implementation="traefik"),
    GatewaySettings(implementation="other"),
)


@st.composite
def resources(draw: st.DrawFn, smallest_mib: int = 64) -> Resources:
    cpu = draw(st.integers(10, 4000))
    memory = draw(st.integers(smallest_mib, 16384))
    return Resources(
        cpu=f"{cpu}m",
        cpu_limit=f"{cpu + draw(st.integers(0, 4000))}m",
        memory=f"{memory}Mi",
        memory_limit=f"{memory + draw(st.integers(0, 8192))}Mi",
    )


@st.composite
def clusters(draw: st.DrawFn) -> ClusterSettings:
    cloud = draw(st.sampled_from(CLOUDS))
    return ClusterSettings(
        cloud=cloud,
        storage_class="fast-ssd" if cloud == "generic" else None,
        zones=draw(st.sampled_from([(), ("zone-a", "zone-b")])),
        api_server_cidrs=draw(st.sampled_from([("0.0.0.0/0",), ("10.0.0.1/32", "10.0.0.2/32")])),
        dns_cidrs=draw(st.sampled_from([(), ("169.254.20.10/32",)])),
    )


@st.composite
def apis(draw: st.DrawFn) -> ApiSettings:
    fewest = draw(st.integers(1, 20))
    drain = draw(st.integers(5, 60))
    return ApiSettings(
        image=Image(
            repository="registry.company.com/traversion/traversion",
            tag=draw(st.from_regex(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True)),
            pull_secret=draw(st.sampled_from([None, "registry"])),
        ),
        contract=draw(st.sampled_from([TRAVERSION, UPSTREAM_1_0_0])),
        replicas=Replicas(minimum=fewest, maximum=fewest + draw(st.integers(1, 40))),
        surge=draw(st.integers(1, 10)),
        autoscaling=AutoscalingTargets(
            cpu_percent=draw(st.integers(10, 95)),
            memory_percent=draw(st.none() | st.integers(10, 95)),
            requests_per_second=draw(st.none() | st.integers(1, 1000)),
        ),
        resources=draw(resources()),
        drain_seconds=drain,
        grace_seconds=drain + draw(st.integers(5, 60)),
    )


@st.composite
def ways_in(draw: st.DrawFn) -> IngressSettings:
    issuer = draw(st.sampled_from(ISSUERS))
    public = issuer != "self-signed"
    dns01 = draw(st.sampled_from([None, *DNS_PROVIDERS])) if public else None
    gateway = draw(st.sampled_from([None, *GATEWAYS]))
    extended = gateway is None or gateway.implementation == "traefik"
    other = gateway is not None and gateway.implementation == "other"
    cidrs = ("35.191.0.0/16", "130.211.0.0/22") if other and draw(st.booleans()) else ()
    networks: st.SearchStrategy[tuple[str, ...]] = st.sampled_from([(), ("192.0.2.0/24", "2001:db8::/32")])
    oidc = OIDC.model_copy(update={"groups": draw(st.sampled_from([(), ("sre",)]))})
    return IngressSettings(
        mode="gateway" if gateway else "nginx",
        class_name="edge" if other else draw(st.sampled_from([None, "public"])),
        controller_namespace="envoy-gateway-system" if other and not cidrs else None,
        controller_labels={"app": "edge"} if other and not cidrs else {},
        controller_cidrs=cidrs,
        gateway=gateway,
        nginx=None if gateway else NginxSettings(security_headers=draw(st.booleans())),
        issuer=issuer,
        acme_email="sre@company.com" if public else None,
        dns01=dns01,
        wildcard=(dns01 is not None or not public) and draw(st.booleans()),
        cors_origins=draw(st.sampled_from([(), ("https://app.company.com",)])),
        limits=draw(st.sampled_from([None, ClientLimits(connections=7)])) if extended else None,
        allowlist=draw(networks) if extended else (),
        monitoring=MonitoringAccess(
            allowlist=draw(networks) if extended else (),
            oidc=oidc if gateway or draw(st.booleans()) else None,
        ),
    )


@st.composite
def monitoring(draw: st.DrawFn) -> ObservabilitySettings:
    own_grafana = GrafanaSettings(
        oidc=draw(st.none() | st.just(_LOG_IN)),
        loki=draw(st.none() | st.just(LokiSettings(url="https://loki.logging.svc:3100"))),
    )
    if draw(st.booleans()):
        grafana = draw(st.sampled_from(GRAFANAS))
        return ObservabilitySettings(
            mode="operator",
            operator=OperatorSettings(grafana=grafana),
            grafana=own_grafana if grafana == "own" else GrafanaSettings(),
        )
    webhooks = st.none() | st.just(WebhookReceiver()) | st.just(WebhookReceiver(cidrs=("10.1.0.0/16",)))
    return ObservabilitySettings(
        prometheus=PrometheusSettings(
            replicas=draw(st.sampled_from(ONE_OR_TWO)),
            retention=draw(st.sampled_from(["12h", "2d", "5w", "1y"])),
            storage="200Gi",
            scrape_interval="30s",
            remote_write=draw(st.sampled_from([(), _STORES])),
        ),
        alertmanager=AlertmanagerSettings(
            replicas=draw(st.sampled_from(ONE_TO_THREE)),
            receivers=AlertReceivers(
                pagerduty=draw(st.booleans()),
                slack_channel=draw(st.sampled_from([None, "#alerts"])),
                email=draw(st.none() | st.just(_MAIL)),
                webhook=draw(webhooks),
                heartbeat=draw(webhooks),
            ),
        ),
        grafana=own_grafana,
    )


_LOG_IN = OidcSettings(
    client_id="grafana",
    auth_url="https://sso.company.com/authorize",
    token_url="https://sso.company.com/token",
    api_url="https://sso.company.com/userinfo",
    allowed_groups=("sre",),
)
_MAIL = EmailReceiver(smarthost="smtp.company.com:465", sender="a@company.com", to=("b@company.com",))
_STORES = (
    RemoteWrite(name="here", url="https://mimir.company.com/push", cidrs=("10.2.0.0/16",)),
    RemoteWrite(name="there", url="https://metrics.company.io:8443/push", authentication="none"),
)


@st.composite
def environments(draw: st.DrawFn) -> Environment:
    cluster = draw(clusters())
    api = draw(apis())
    # The promise that needs memory: a connection for each pod and the others.
    connections = max(40, api.most_pods * draw(st.integers(1, 8)) + 30)
    memory = f"{connections * 14 + 1024}Mi"
    external = draw(st.booleans())
    ingress = draw(ways_in())
    return Environment(
        name=draw(st.from_regex(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", fullmatch=True)),
        namespace=draw(st.from_regex(r"t[a-z]([-a-z0-9]{0,50}[a-z0-9])?", fullmatch=True)),
        domain=draw(st.from_regex(r"([a-z]{1,20}\.){1,3}com", fullmatch=True)),
        cluster=cluster,
        placement=PlacementSettings(
            spot=cluster.cloud != "generic" and draw(st.booleans()),
            spread_zones=draw(st.booleans()),
            node_labels=draw(st.sampled_from([{}, {"workload": "traversion"}])),
        ),
        credentials=CredentialSettings(source="external-secrets", store="vault")
        if external
        else CredentialSettings(),
        quota_headroom_percent=draw(st.integers(0, 100)),
        vertical_pod_autoscaler=draw(st.booleans()),
        api=api,
        database=TimescaleDbSettings(
            storage=f"{draw(st.integers(1, 4096))}Gi",
            zone_replicated=cluster.cloud in {"gke", "aks"} and draw(st.booleans()),
            resources=Resources(cpu="500m", cpu_limit="2", memory=memory, memory_limit=memory),
            max_connections=connections,
            backups=draw(
                st.none()
                | st.just(
                    BackupSettings(
                        repository=PosixRepository(storage="30Gi"), full="30 3 * * 0", retention="8w"
                    )
                )
            ),
        ),
        redis=RedisSettings(storage="80Gi", resources=draw(resources())),
        observability=draw(monitoring()),
        ingress=ingress,
    )


@pytest.mark.parametrize("share", range(SHARES))
def test_no_accepted_environment_has_a_fault(share: int) -> None:
    """In shares, which workers take at the same time."""

    @seed(share)
    @settings(
        max_examples=EXAMPLES // SHARES,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(environments())
    def has_no_fault(environment: Environment) -> None:
        chart = TraversionChart(App(), environment, validated=False)
        findings = verify(from_objects(chart.to_json()))
        # What the cluster brings along is not in the set; nothing else is left to explain.
        expected = set()
        if environment.cluster.cloud == "generic":
            expected.add("storage-class-missing")
        if environment.credentials.source == "external-secrets":
            expected.add("secret-store-missing")
        unexplained = [finding for finding in findings if finding.check.id not in expected]
        assert not unexplained, "\n".join(map(str, unexplained))

    has_no_fault()
