"""What cannot work is refused: the message names environment, setting, value and remedy; nothing changes."""

from dataclasses import dataclass

import pytest

from tests.checkout import Checkout, Files, Outcome


@dataclass(frozen=True)
class Setting:
    """A setting as a message names it, and how to write another value for it."""

    path: str
    written: str
    """What stands in the environment's file now."""
    rewritten: str
    """What to write instead; {} is the value."""
    environment: str = "production"


SIZES = 'cpu="500m", cpu_limit="1", memory="768Mi", memory_limit="1Gi"'
CPU = Setting("api.resources.cpu", SIZES, SIZES.replace('"500m"', "{}"))
CPU_LIMIT = Setting("api.resources.cpu_limit", SIZES, SIZES.replace('"1"', "{}"))
MEMORY = Setting("api.resources.memory", SIZES, SIZES.replace('"768Mi"', "{}"))
MEMORY_LIMIT = Setting("api.resources.memory_limit", SIZES, SIZES.replace('"1Gi"', "{}"))
SURGE = Setting("api.surge", "surge=5", "surge={}")
GRACE = Setting("api.grace_seconds", "surge=5", "grace_seconds={}")
MINIMUM = Setting("api.replicas.minimum", "minimum=5", "minimum={}")
CPU_PERCENT = Setting("api.autoscaling.cpu_percent", "cpu_percent=60", "cpu_percent={}")
REPOSITORY = Setting("api.image.repository", '"registry.company.com/traversion/traversion"', "{}")
TAG = Setting("api.image.tag", '"1.1.0"', "{}")
STAGING_TAG = Setting("api.image.tag", '"1.1.0"', "{}", "staging")
CONNECTIONS = Setting("database.max_connections", "max_connections=400", "max_connections={}")
EVENTS = Setting("database.event_retention", 'event_retention="90d"', "event_retention={}")
SCHEDULE = Setting("database.backups.full", '"0 2 * * *"', "{}")
KEPT = Setting("database.backups.retention", 'retention="30d"', "retention={}")
ARCHIVED = Setting("database.backups.archive.retention", 'retention="1y"', "retention={}")
RECOVERY_POINT = Setting("database.backups.recovery_point", 'retention="30d"', "recovery_point={}")
BUCKET = Setting("database.backups.repository.bucket", '"company-traversion-production-backups"', "{}")
BACKUPS_TO = Setting(
    "database.backups.repository",
    'GcsRepository(bucket="company-traversion-production-backups")',
    "{}",
)
OFFSITE_TO = Setting(
    "database.backups.offsite.repository",
    'GcsRepository(bucket="company-traversion-production-offsite")',
    "{}",
)
HOURLY = Setting(
    "database.hourly_retention", 'event_retention="90d"', 'event_retention="90d", hourly_retention={}'
)
COMPRESS = Setting("database.compress_after", 'event_retention="90d"', "compress_after={}")
REDIS = Setting("redis.storage", 'storage="20Gi"', "storage={}")
METRICS = Setting("observability.prometheus.retention", '"7d", storage="20Gi"', "{}", "staging")
INTERVAL = Setting(
    "observability.prometheus.scrape_interval",
    'retention="7d", storage="20Gi"',
    "scrape_interval={}",
    "staging",
)
EMAIL = Setting("ingress.acme_email", '"sre@company.com"', "{}")
ISSUER = Setting("ingress.issuer", '"letsencrypt"', "{}")
ORIGIN = Setting("ingress.cors_origins.0", "issuer=", "cors_origins=({},), issuer=")
BODY = Setting("ingress.body_size", "issuer=", "body_size={}, issuer=")
DOMAIN = Setting("domain", '"dev.traversion.company.com"', "{}", "dev")
NAME = Setting("name", '"dev"', "{}", "dev")
NAMESPACE = Setting("namespace", '"traversion-dev"', "{}", "dev")
CRON = "five cron fields in UTC, as Kubernetes reads them"

REFUSED = [
    (Setting("redis.storag", 'storage="20Gi"', "storag={}"), "20Gi", "did you mean 'storage'?"),
    (Setting("api.replica_count", "surge=5", "replica_count={}"), 5, "did you mean 'replicas'?"),
    (
        Setting("tint", "priority=10_000", "tint={}", "staging"),
        "blue",
        "known are allow_mutable_tags, api, ",
    ),
    (DOMAIN, "https://dev.company.com", "without scheme"),
    (DOMAIN, "dev_company.com", "e.g. "),
    (DOMAIN, "localhost", "is not a DNS name"),
    (DOMAIN, "dev.company.com.", "is not a DNS name"),
    (DOMAIN, "Dev.Company.com", "lower-case"),
    (DOMAIN, "10.0.0.1", "is not a DNS name"),
    (DOMAIN, f"{'a' * 64}.com", "is not a DNS name"),
    (DOMAIN, "", "is not a DNS name"),
    (NAME, "Dev_1", "lower-case letters, digits and '-'"),
    (NAME, "-dev", "is not a DNS label"),
    (NAMESPACE, "n" * 64, "1 to 63"),
    (NAMESPACE, "kube-system", "traversion"),  # it would deny the cluster's own pods the network
    (MEMORY, "2G1", '"512Mi"'),
    (MEMORY, "768", "a number and a unit"),
    (MEMORY, "-1Gi", "a number and a unit"),
    (MEMORY, "768MB", "a number and a unit"),
    (MEMORY, "1Ki", '"1Mi"'),
    (MEMORY, 768, '"512Mi"'),
    (CPU, "1core", '"250m"'),
    (CPU, "0", '"1m"'),
    (CPU_LIMIT, "100m", "cpu = 500m"),
    (MEMORY_LIMIT, "512Mi", "memory = 768Mi"),
    (REDIS, "0", '"10Gi"'),
    (REDIS, "0Gi", '"1Gi"'),
    (REDIS, "500Mi", '"1Gi"'),
    (REDIS, "20", '"10Gi"'),
    (REDIS, "6Gi", "twice resources.memory_limit = 4Gi"),
    (CONNECTIONS, 4, "40"),
    (MINIMUM, 51, "maximum = 50"),
    (MINIMUM, 0, "1"),
    (MINIMUM, "five", "integer"),
    (CPU_PERCENT, 6000, "95"),
    (SURGE, 0, "1"),
    (GRACE, 10, "drain_seconds = 10"),
    (KEPT, "30", '"30d"'),
    (KEPT, 30, '"30d"'),
    (KEPT, "1h", 'write at least "1d"'),
    (ARCHIVED, "30d", 'write at least "31d"'),
    (RECOVERY_POINT, "10s", '"30s" to "1h"'),
    (RECOVERY_POINT, "1d", '"30s" to "1h"'),
    (BUCKET, "gs://company-backups", "without a scheme"),
    (BUCKET, "Company", "lower-case"),
    (BUCKET, "company..backups", 'no ".."'),
    (BUCKET, "192.168.0.1", "no address"),
    (BACKUPS_TO, "s3://company-backups", "S3Repository(bucket=..., region=...)"),
    (BACKUPS_TO, None, "is no repository"),
    (OFFSITE_TO, "far away", "is no repository"),
    (METRICS, "", '"30d"'),
    (METRICS, "0d", '"1s"'),
    (METRICS, "1000y", ""),  # Prometheus counts nanoseconds in 64 bits: "duration out of range"
    (INTERVAL, "5m", '"1m"'),
    (EVENTS, "5d", "compress_after = 7d"),
    (HOURLY, "89d", "event_retention = 90d"),
    (COMPRESS, "23h", "1d"),
    (SCHEDULE, "@daily", CRON),
    (SCHEDULE, "0 24 * * *", "hour"),
    (SCHEDULE, "0 2 * *", CRON),
    (SCHEDULE, "0 0 2 * * *", CRON),
    (SCHEDULE, "0 2 L * *", CRON),
    (SCHEDULE, "0 2 LW * *", CRON),
    (SCHEDULE, "0 2 * * MON#1", CRON),
    (SCHEDULE, "0 2 * * 7", CRON),  # Kubernetes knows Sunday as 0 only
    (SCHEDULE, "0 2 * * 0-7", CRON),
    (SCHEDULE, "0 2 31 2 *", "day-of-month"),
    (TAG, "latest", 'name one build, e.g. "1.1.0"'),
    (STAGING_TAG, "latest", 'name one build, e.g. "1.1.0"'),
    (TAG, "", "e.g. "),
    (STAGING_TAG, "", "e.g. "),
    (TAG, "1.1.0@sha256:abc", "@sha256:"),
    (REPOSITORY, "registry.company.com/traversion:1.1.0", "without a tag"),
    (REPOSITORY, "traversion:1", "without a tag"),
    (REPOSITORY, "https://registry.company.com/traversion", "e.g. "),
    (EMAIL, "sre", "e.g. "),
    (EMAIL, "sre@example.com", "e.g. "),  # Let's Encrypt refuses it
    (ISSUER, "lets-encrypt", "'letsencrypt'"),
    (ORIGIN, "*", "any site"),
    (ORIGIN, "http://app.company.com", "https"),
    (BODY, "0", '"50m"'),
    (BODY, "50MB", '"50m"'),
]


def assert_refused(outcome: Outcome, checkout: Checkout, before: Files, *said: str) -> None:
    assert outcome.code == 1
    assert outcome.output == ""
    assert "Traceback" not in outcome.errors
    for text in said:
        assert text in outcome.errors
    assert checkout.files() == before, "dist/ changed"


@pytest.mark.parametrize(
    ("setting", "value", "remedy"),
    REFUSED,
    ids=[f"{setting.environment}: {setting.path} = {value!r}" for setting, value, _ in REFUSED],
)
def test_a_setting_is_refused(checkout: Checkout, setting: Setting, value: object, remedy: str) -> None:
    before, name = checkout.files(), setting.environment
    checkout.edit(name, setting.written, setting.rewritten.replace("{}", repr(value)))
    outcome = checkout.synth()
    named = f"\n{name}: {setting.path} = {value!r}: "
    assert_refused(outcome, checkout, before, named, remedy, f"(environments/{name}.py:")


@pytest.mark.parametrize(
    ("name", "written", "message"),
    [
        ("dev", '    domain="dev.traversion.company.com",\n', "dev: domain: is required"),
        ("production", ', acme_email="sre@company.com"', "ingress.acme_email = None: is required for issuer"),
        (
            "staging",
            'repository="registry.company.com/traversion/traversion", ',
            "api.image.repository: is requ",
        ),
    ],
)
def test_a_missing_setting_is_named(checkout: Checkout, name: str, written: str, message: str) -> None:
    before = checkout.files()
    checkout.edit(name, written, "")
    assert_refused(checkout.synth(), checkout, before, message, f"(environments/{name}.py:")


def test_a_label_of_nodes_is_refused(checkout: Checkout) -> None:
    before = checkout.files()
    checkout.edit("dev", "PlacementSettings(spot=True)", 'PlacementSettings(node_labels={"a b": "c"})')
    assert_refused(checkout.synth(), checkout, before, "dev: placement.node_labels", "'a b'")


CLUSTERS = [
    ('cloud="generic"', "cluster.storage_class", "None", "name an existing SSD StorageClass"),
    ('storage_class="fast"', "cluster.storage_class", "'fast'", "remove the setting"),
    ('cloud="gcp"', "cluster.cloud", "'gcp'", "'gke'"),
    ('cloud="eks"', "database.zone_replicated", "True", "set it to False"),
    ('api_server_cidrs=("10.0.0.1/8",)', "cluster.api_server_cidrs.0", "'10.0.0.1/8'", "host bits"),
    ("api_server_cidrs=()", "cluster.api_server_cidrs", "()", "at least 1"),
    # These would open what no pod may reach: a metadata service, DNS anywhere.
    ('api_server_cidrs=("169.254.169.254/32",)', "cluster.api_server_cidrs.0", "'169.254.169.254/32'", ""),
    ('api_server_cidrs=("169.254.0.0/16",)', "cluster.api_server_cidrs.0", "'169.254.0.0/16'", ""),
    ('dns_cidrs=("169.254.169.254/32",)', "cluster.dns_cidrs.0", "'169.254.169.254/32'", ""),
    ('dns_cidrs=("0.0.0.0/0",)', "cluster.dns_cidrs.0", "'0.0.0.0/0'", ""),
    # A disk that is kept in two zones cannot be kept in one.
    ('zones=("europe-west1-b",)', "cluster.zones", "('europe-west1-b',)", "two"),
]


@pytest.mark.parametrize(
    ("cluster", "setting", "value", "remedy"), CLUSTERS, ids=[row[0] for row in CLUSTERS]
)
def test_a_cluster_is_refused(
    checkout: Checkout, cluster: str, setting: str, value: str, remedy: str
) -> None:
    before = checkout.files()
    checkout.edit("production", "ApiSettings,\n", "ApiSettings,\n    ClusterSettings,\n")
    checkout.edit("production", "    placement=", f"    cluster=ClusterSettings({cluster}),\n    placement=")
    assert_refused(checkout.synth(), checkout, before, f"production: {setting} = ", value, remedy)


OIDC = (
    "monitoring=settings.MonitoringAccess(oidc=settings.ProxyOidcSettings("
    'issuer_url="https://login.company.com", '
    'client_id="traversion", email_domains=("company.com",), '
    'client_secret=settings.SecretReference(name="oidc", key="secret")))'
)
REFERENCE = 'settings.SecretReference(name="dns", key="token")'
GATEWAY = 'mode="gateway", gateway=settings.GatewaySettings(implementation="{}")'
ENVOY, OTHER = GATEWAY.format("envoy-gateway"), GATEWAY.format("other")
WAYS_IN = [
    (
        "nginx=settings.NginxSettings(websocket_timeout_seconds=60)",
        "nginx.websocket_timeout_seconds",
        "60",
        "300",
    ),
    ("wildcard=True", "wildcard", "True", "set dns01"),
    ("acme_email=None", "acme_email", "None", "is required"),
    (
        f'issuer="self-signed", dns01=settings.Cloudflare(api_token={REFERENCE})',
        "dns01",
        "'Cloudflare'",
        "remove it",
    ),
    ('mode="gateway"', "gateway", "None", "is required"),
    ('gateway=settings.GatewaySettings(implementation="traefik")', "gateway", "traefik", "set the mode"),
    (f"{ENVOY}, nginx=settings.NginxSettings(), {OIDC}", "nginx", "NginxSettings", "only ingress-nginx"),
    (f"{ENVOY}", "monitoring.oidc", "None", "no basic authentication"),
    (f"{ENVOY}, {OIDC}", "limits", "ClientLimits", "set it to None once"),
    (f'{ENVOY}, {OIDC}, limits=None, allowlist=("192.0.2.0/24",)', "allowlist", "192.0.2.0/24", "remove it"),
    (
        f'{ENVOY}, {OIDC[:-1]}, allowlist=("192.0.2.0/24",)), limits=None',
        "monitoring.allowlist",
        "192.0.2.0/24",
        "remove it",
    ),
    (f"{OTHER}, {OIDC}, limits=None", "class_name", "None", "name the GatewayClass"),
    (f'{OTHER}, {OIDC}, limits=None, class_name="x"', "controller_namespace", "None", "or controller_cidrs"),
    (
        'controller_cidrs=("192.0.2.0/24",), controller_namespace="edge"',
        "controller_cidrs",
        "192.0.2.0/24",
        "remove it",
    ),
    ('allowlist=("everybody",)', "allowlist.0", "'everybody'", "10.0.0.0/8"),
    ('allowlist=("192.0.2.1/24",)', "allowlist.0", "'192.0.2.1/24'", "host bits"),
    ('cors_origins=("*",)', "cors_origins.0", "'*'", "any site"),
    (
        OIDC.replace('settings.SecretReference(name="oidc", key="secret")', "None"),
        "monitoring.oidc.client_secret",
        "None",
        "SecretReference(",
    ),
    (
        OIDC.replace("https://login", "http://login"),
        "monitoring.oidc.issuer_url",
        "'http://login.company.com'",
        "",
    ),
    (OIDC.replace('("company.com",)', "()"), "monitoring.oidc.email_domains", "()", "at least 1"),
    ("limits=settings.ClientLimits(burst=0)", "limits.burst", "0", "greater than or equal to 1"),
    ('controller_namespace="traversion-system"', "controller_namespace", "'traversion-system'", "its own"),
]


@pytest.mark.parametrize(
    ("written", "setting", "value", "remedy"), WAYS_IN, ids=[f"{row[1]} {row[2]}" for row in WAYS_IN]
)
def test_a_way_in_is_refused(checkout: Checkout, written: str, setting: str, value: str, remedy: str) -> None:
    before = checkout.files()
    imports = "from traversion.settings import ("
    checkout.edit("production", imports, f"from traversion import settings\n{imports}")
    usual = 'issuer="letsencrypt", acme_email="sre@company.com"'
    for name in ("issuer", "acme_email"):
        if f"{name}=" in written.replace("_issuer=", ""):
            usual = ", ".join(part for part in usual.split(", ") if not part.startswith(name))
    checkout.edit("production", 'issuer="letsencrypt", acme_email="sre@company.com"', f"{usual}, {written}")
    assert_refused(checkout.synth(), checkout, before, f"production: ingress.{setting} = ", value, remedy)


def test_a_store_without_a_name_is_refused(checkout: Checkout) -> None:
    before = checkout.files()
    checkout.edit("dev", "ApiSettings,\n", "ApiSettings,\n    CredentialSettings,\n")
    credentials = 'credentials=CredentialSettings(source="external-secrets")'
    checkout.edit("dev", "    placement=", f"    {credentials},\n    placement=")
    assert_refused(
        checkout.synth(), checkout, before, "dev: credentials.store = None: ", "name a ClusterSecretStore"
    )


TOGETHER = [
    (
        "dev",
        '"traversion-dev"',
        '"traversion-system"',
        "production: namespace = 'traversion-system': is taken by environment 'dev'",
    ),
    (
        "dev",
        '"dev.traversion.company.com"',
        '"traversion.company.com"',
        "production: domain = 'traversion.company.com': is taken by environment 'dev'",
    ),
    (
        "staging",
        "cpu_percent=70",
        "cpu_percent=70, requests_per_second=50",
        "staging: api.autoscaling.requests_per_second = ",
    ),
    ("dev", 'name="dev"', 'name="development"', "dev: name = 'development': must be 'dev' like its file"),
    # What only a construct knows: the connections of all pods, the memory of all connections.
    (
        "production",
        "max_connections=400",
        "max_connections=60",
        "production: database.max_connections = 60: must be at least ",
    ),
    (
        "production",
        "max_connections=400",
        "max_connections=2000",
        "production: database.max_connections = 2000: leaves ",
    ),
    # Backups that would not be there when they are needed.
    (
        "production",
        'repository=GcsRepository(bucket="company-traversion-production-backups"),',
        "",
        "production: database.backups.repository: is required",
    ),
    (
        "production",
        '"company-traversion-production-offsite"',
        '"company-traversion-production-backups"',
        "offsite.repository = 'gcs:company-traversion-production-backups': is the bucket of repository",
    ),
    (
        "production",
        'retention="30d",',
        'retention="30d", rehearsal=RehearsalSettings(schedule="0 6 1 * *"),',
        "production: database.backups.rehearsal.schedule = '0 6 1 * *': must be at least once a week",
    ),
    (
        "production",
        'GcsRepository(bucket="company-traversion-production-backups")',
        'S3Repository(bucket="backups")',
        "production: database.backups.repository.region: is required",
    ),
    (
        "production",
        'GcsRepository(bucket="company-traversion-production-offsite")',
        'PosixRepository(storage="1Gi")',
        "is in the same cluster",
    ),
    (
        "production",
        "priority=100_000,",
        'authority={"trusted": "-----BEGIN PRIVATE KEY-----"},',
        "production: authority.trusted = 'a private key': must be certificates in PEM and nothing else",
    ),
    (
        "production",
        "surge=5,",
        (
            'surge=5, tls_proxy={"resources":'
            ' Resources(cpu="10m", cpu_limit="1", memory="16Mi", memory_limit="32Mi")},'
        ),
        "production: api.tls_proxy.resources.memory_limit = '32Mi': must be at least 64Mi",
    ),
    (
        "production",
        "priority=100_000,",
        'authority={"trusted": "internal-ca.crt"},',
        "production: authority.trusted = 'internal-ca.crt': must be certificates in PEM",
    ),
    (
        "production",
        'GcsRepository(bucket="company-traversion-production-backups")',
        r'S3Repository(bucket="backups", region="eu-central-1", kms_key="k\nrepo1-s3-bucket=theirs")',
        "database.backups.repository.kms_key = 'k\\nrepo1-s3-bucket=theirs': is not one word",
    ),
    (
        "production",
        'GcsRepository(bucket="company-traversion-production-backups")',
        'S3Repository(bucket="company.backups", region="eu-central-1")',
        "database.backups.repository.bucket = 'company.backups': cannot stand in front of a host",
    ),
    (
        "production",
        'GcsRepository(bucket="company-traversion-production-backups")',
        'AzureRepository(account="company", container="company.backups")',
        "database.backups.repository.container = 'company.backups': is not a container of Azure",
    ),
    (
        "production",
        'repository=GcsRepository(bucket="company-traversion-production-archive"),',
        (
            'repository=GcsRepository(bucket="company-traversion-production-offsite", '
            'path="/traversion-production/offsite/archive"),'
        ),
        "backups.archive.repository.path = '/traversion-production/offsite/archive': shares gcs:company-trav",
    ),
    # A name that fits a label by itself, but not with what is put around it.
    ("dev", 'name="dev"', f'name="{"d" * 60}"', f"name = '{'d' * 60}'"),
]


@pytest.mark.parametrize(("name", "old", "new", "message"), TOGETHER, ids=[row[3][:60] for row in TOGETHER])
def test_what_does_not_fit_together_is_refused(
    checkout: Checkout, name: str, old: str, new: str, message: str
) -> None:
    before, beside = checkout.files(), checkout.entries()
    checkout.edit(name, old, new)
    for imported in ("AzureRepository", "PosixRepository", "RehearsalSettings", "S3Repository"):
        if f"{imported}(" in new:
            checkout.edit(name, "    GcsRepository,\n", f"    GcsRepository,\n    {imported},\n")
    if new.startswith('name="ddd'):
        checkout.environment(name).rename(checkout.environment("d" * 60))
    assert_refused(checkout.synth(), checkout, before, message)
    assert checkout.entries() == beside, "a scratch directory stays behind"


@pytest.mark.parametrize(
    ("old", "new", "setting"),
    [
        pytest.param(
            'redis=RedisSettings(storage="10Gi")',
            'redis=RedisSettings(image=Image(repository="redis", tag="7.4"), storage="0")',
            "redis.storage",
            id="around another group",
        ),
        pytest.param(
            'prometheus=PrometheusSettings(retention="7d", storage="20Gi"),\n        alertmanager=',
            'prometheus=PrometheusSettings(retention="7"), alertmanager=',
            "observability.prometheus.retention",
            id="beside another group",
        ),
    ],
)
def test_the_path_is_right_where_a_line_holds_several_groups(
    checkout: Checkout, old: str, new: str, setting: str
) -> None:
    before = checkout.files()
    checkout.edit("staging", old, new)
    assert_refused(checkout.synth(), checkout, before, f"staging: {setting} = ")


def test_every_refused_setting_of_a_group_is_told(checkout: Checkout) -> None:
    checkout.edit("production", "surge=5", 'surge=0,\n        log_level="loud"')
    lines = checkout.synth().errors.splitlines()
    assert lines[0] == "Nothing was synthesized."
    assert [line.split(" = ")[0] for line in lines[1:]] == [
        "production: api.surge",
        "production: api.log_level",
    ]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"TRAVERSION_ENV": "prod"}, ("'prod'", "dev, production, staging")),
        ({"TRAVERSION_IMAGE_TAG": "1.1:0"}, ("TRAVERSION_IMAGE_TAG = '1.1:0'", "is not an image tag")),
        (
            {"TRAVERSION_IMAGE_TAG": "latest"},
            ("TRAVERSION_IMAGE_TAG = 'latest'", "production: api.image.tag"),
        ),
    ],
)
def test_a_variable_is_refused(checkout: Checkout, variables: dict[str, str], said: tuple[str, ...]) -> None:
    before = checkout.files()
    assert_refused(checkout.synth(**variables), checkout, before, *said)


def test_an_environment_may_be_named_twice(checkout: Checkout) -> None:
    assert checkout.synth(TRAVERSION_ENV="dev,dev").code == 0


def test_a_file_without_an_environment_is_refused(checkout: Checkout) -> None:
    before = checkout.files()
    checkout.edit("dev", "environment = ", "enviroment = ")
    assert_refused(checkout.synth(), checkout, before, "dev", "environment", "environments/dev.py")


def test_no_environment_at_all_is_refused(checkout: Checkout) -> None:
    before = checkout.files()
    for name in ("dev", "staging", "production"):
        checkout.environment(name).unlink()
    assert_refused(checkout.synth(), checkout, before, "environments/")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            'storage="200Gi"', 'storage="0Gi"', "production: database.storage = '0Gi': ", id="setting"
        ),
        pytest.param(
            "max_connections=400", "max_connections=60", "production: database.max_conn", id="construct"
        ),
        pytest.param(
            '"traversion-system"', '"traversion-dev"', "is taken by environment 'dev'", id="together"
        ),
        pytest.param("environment =", "environment = undefined +", "'undefined' is not defined", id="Python"),
    ],
)
def test_the_program_leaves_everything_as_it_was(
    checkout: Checkout, old: str, new: str, message: str
) -> None:
    before, beside = checkout.files(), checkout.entries()
    checkout.edit("production", old, new)
    outcome = checkout.run_synth()
    assert (outcome.code, outcome.output) == (1, "")
    assert message in outcome.errors
    assert checkout.files() == before
    assert checkout.entries() - {"__pycache__"} == beside, "a scratch directory stays behind"
