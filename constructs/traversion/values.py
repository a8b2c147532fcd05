"""The kinds of value a setting can take: each is checked, and each refusal says what to write instead.

Every kind is a plain ``str`` in the notation that the field knows ("512Mi", "30d", "0 2 * * *"),
so an environment file reads like the manifest it becomes. The functions turn a checked value into
a number that can be added up, and a number back into the notation.
"""

import ipaddress
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice, pairwise
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

_BYTES = {
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_SMALLEST_VOLUME = 2**30  # Cloud disks start at 1 GiB; smaller claims are rounded up or refused.


def bytes_of(size: str) -> int:
    """Return the number of bytes of a memory or storage size such as "512Mi"."""
    number, unit = re.fullmatch(r"([\d.]+)([A-Za-z]+)", size).groups()  # type: ignore[union-attr] # checked values only
    return int(Decimal(number) * _BYTES[unit])


def millicores_of(cpu: str) -> int:
    """Return the thousandths of a CPU of an amount such as "250m" or "1.5"."""
    return int(cpu[:-1]) if cpu.endswith("m") else int(Decimal(cpu) * 1000)


def seconds_of(period: str) -> int:
    """Return the seconds of a period such as "30d"."""
    return int(period[:-1]) * _SECONDS[period[-1]]


def longest_gap(schedule: str) -> int:
    """Return the seconds that pass at most between two turns of a cron schedule.

    Judged by its next sixty turns, which is more than a week of working hours and five years of months.
    """
    turns = [turn.timestamp() for turn in islice(CronSim(schedule, datetime(2026, 1, 1, tzinfo=UTC)), 60)]
    return int(max(later - earlier for earlier, later in pairwise(turns)))


def format_bytes(number: int) -> str:
    """Write bytes in the largest binary unit that loses nothing, as the API server would."""
    for unit in ("Ti", "Gi", "Mi", "Ki"):
        if number and number % _BYTES[unit] == 0:
            return f"{number // _BYTES[unit]}{unit}"
    return str(number)


def format_millicores(number: int) -> str:
    """Write thousandths of a CPU as the API server would: "1500m", but "2" for whole ones."""
    return str(number // 1000) if number % 1000 == 0 else f"{number}m"


def _refuse(kind: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError("traversion", "is not {kind}: {remedy}", {"kind": kind, "remedy": remedy})


def _matching(pattern: str, kind: str, remedy: str, *, longest: int = 253) -> BeforeValidator:
    """Refuse what is no text, too long, or of another form."""

    def check(value: object) -> str:
        if not isinstance(value, str) or len(value) > longest or not re.fullmatch(pattern, value, re.ASCII):
            raise _refuse(kind, remedy)
        return value

    return BeforeValidator(check)


def _at_least(smallest: int, measure: Callable[[str], int], remedy: str) -> AfterValidator:
    def check(text: str) -> str:
        if measure(text) < smallest:
            raise _refuse("enough", remedy)
        return text

    return AfterValidator(check)


def _at_most(largest: int, measure: Callable[[str], int], remedy: str) -> AfterValidator:
    def check(text: str) -> str:
        if measure(text) > largest:
            raise _refuse("within reason", remedy)
        return text

    return AfterValidator(check)


def _not(unwanted: str, kind: str, remedy: str) -> AfterValidator:
    """Refuse what has the right form and is still of no use."""

    def check(text: str) -> str:
        if re.fullmatch(unwanted, text, re.ASCII):
            raise _refuse(kind, remedy)
        return text

    return AfterValidator(check)


def _check_schedule(value: object) -> str:
    remedy = 'write five cron fields in UTC, as Kubernetes reads them, e.g. "0 2 * * *" (daily at 02:00)'
    if not isinstance(value, str) or not _CRON.fullmatch(value):
        raise _refuse("a cron schedule", remedy)
    try:
        CronSim(value, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise _refuse("a cron schedule", f"{remedy} ({error})") from error
    return value


def _check_expression(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise _refuse("a pattern of metric names", f"correct the regular expression ({error})") from error
    return pattern


def _check_cidr(value: object) -> str:
    remedy = 'write a network address with its prefix length, e.g. "10.0.0.0/8"'
    if not isinstance(value, str):
        raise _refuse("a CIDR", remedy)
    try:
        return str(ipaddress.ip_network(value))
    except ValueError as error:
        raise _refuse("a CIDR", f"{remedy} ({error})") from error


def within(inner: str, outer: str) -> bool:
    """Tell whether one network, in CIDR notation, lies in another."""
    one, other = ipaddress.ip_network(inner), ipaddress.ip_network(outer)
    return one.version == other.version and one.subnet_of(other)  # type: ignore[arg-type] # versions are equal


def _check_not_metadata(cidr: str) -> str:
    if any(within(cidr, network) for network in _LINK_LOCAL):
        remedy = "link-local addresses are the clouds' metadata services, which no pod may reach"
        raise _refuse("an address to open", remedy)
    return cidr


def _check_local(cidr: str) -> str:
    metadata = any(within(service, cidr) for service in _METADATA_SERVICES)
    if metadata or not any(within(cidr, network) for network in (*PRIVATE_NETWORKS, *_LINK_LOCAL)):
        remedy = 'name the private or link-local address of the resolver alone, e.g. "169.254.20.10/32"'
        raise _refuse("a resolver inside the cluster", remedy)
    return cidr


def host_of(url: str) -> str:
    """Return the host of a URL, without the port."""
    return urlsplit(url).hostname or ""


def port_of(url: str) -> int:
    """Return the port of a URL, or the one that its scheme implies."""
    parts = urlsplit(url)
    return parts.port or {"http": 80, "https": 443}[parts.scheme]


_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DOMAIN = rf"((?=[^.]{{1,63}}\.){_LABEL}\.)+(?=[^.]{{2,63}}$)[a-z]([-a-z0-9]*[a-z0-9])?"
_PORT = r"([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])"
_HOST = _DOMAIN.replace("$", "([:/]|$)")
_BINARY = r"\d+(\.\d+)?(Ki|Mi|Gi|Ti|k|M|G|T)"
# Day of week ends at 6: Kubernetes does not know 7. Names stand for months and days only.
_NUMBERS = r"(\*|\d+(-\d+)?)(/\d+)?(,(\*|\d+(-\d+)?)(/\d+)?)*"
_MONTHS = _NUMBERS.replace(r"\d+(-\d+)?", r"(\d+|[A-Za-z]{3})(-(\d+|[A-Za-z]{3}))?")
_DAYS = _NUMBERS.replace(r"\d+(-\d+)?", r"([0-6]|[A-Za-z]{3})(-([0-6]|[A-Za-z]{3}))?")
_CRON = re.compile(rf"{_NUMBERS} +{_NUMBERS} +{_NUMBERS} +{_MONTHS} +{_DAYS}", re.ASCII)

PRIVATE_NETWORKS = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
"""Networks that are not the Internet (RFC 1918, RFC 6598, RFC 4193)."""
_METADATA_SERVICES = ("169.254.169.254/32", "168.63.129.16/32", "100.100.100.200/32", "fd00:ec2::254/128")
_LINK_LOCAL = ("169.254.0.0/16", "fe80::/10", "fd00:ec2::/32")  # the last is the metadata service of AWS

DnsLabel: TypeAlias = Annotated[
    str,
    _matching(
        _LABEL, "a DNS label", "use 1 to 63 lower-case letters, digits and '-', e.g. \"staging\"", longest=63
    ),
]
"""A Kubernetes object name (RFC 1123 label)."""

EnvironmentName: TypeAlias = Annotated[
    str,
    _matching(
        _LABEL, "a DNS label", "use 1 to 40 lower-case letters, digits and '-', e.g. \"staging\"", longest=40
    ),
]
"""A name short enough for the labels and the cluster-scoped names that are made of it."""

NamespaceName: TypeAlias = Annotated[
    str,
    _matching(
        _LABEL, "a DNS label", "use 1 to 63 lower-case letters, digits and '-', e.g. \"staging\"", longest=63
    ),
    _not(
        "default|kube-.*",
        "a namespace of its own",
        'Kubernetes keeps this one for itself; name another, e.g. "traversion-dev"',
    ),
]
"""A namespace that may be made and limited (RFC 1123 label)."""

DomainName: TypeAlias = Annotated[
    str,
    _matching(
        _DOMAIN,
        "a DNS name",
        'write a lower-case domain without scheme, port or path, e.g. "traversion.company.com"',
        longest=240,  # "monitoring." is put in front of it, and a DNS name ends at 253 characters.
    ),
]
"""A fully qualified domain name without a trailing dot."""

EmailAddress: TypeAlias = Annotated[
    str,
    _matching(
        r"[^@\s<>,;]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
        "an e-mail address",
        'write one address, e.g. "sre@company.com"',
    ),
    _not(
        r".*@(.*\.)?example\.(com|net|org)",
        "an e-mail address",
        'certificate authorities refuse example domains; write one that is read, e.g. "sre@company.com"',
    ),
]
"""One mailbox."""

MemorySize: TypeAlias = Annotated[
    str,
    _matching(_BINARY, "a memory size", 'write a number and a unit, e.g. "512Mi" or "2Gi"'),
    _at_least(2**20, bytes_of, 'write at least "1Mi"'),
]
"""Memory in Kubernetes notation, with a unit."""

StorageSize: TypeAlias = Annotated[
    str,
    _matching(_BINARY, "a storage size", 'write a number and a unit, e.g. "10Gi"'),
    _at_least(_SMALLEST_VOLUME, bytes_of, 'volumes start at "1Gi"'),
]
"""The size of a volume in Kubernetes notation, with a unit; at least 1Gi."""

CpuAmount: TypeAlias = Annotated[
    str,
    _matching(r"\d+m|\d+(\.\d{1,3})?", "an amount of CPU", 'write cores or thousandths, e.g. "2" or "250m"'),
    _at_least(1, millicores_of, 'write at least "1m"'),
]
"""CPU in Kubernetes notation: cores or thousandths ("m")."""

Period: TypeAlias = Annotated[
    str,
    _matching(r"\d+[smhdwy]", "a period", 'write a whole number and a unit (s, m, h, d, w, y), e.g. "30d"'),
    _at_least(1, seconds_of, 'write at least "1s"'),
    _at_most(seconds_of("100y"), seconds_of, 'write at most "100y"'),
]
"""A length of time in Prometheus notation, with a unit."""

CronSchedule: TypeAlias = Annotated[str, BeforeValidator(_check_schedule)]
"""Five cron fields, read in UTC."""

Cidr: TypeAlias = Annotated[str, BeforeValidator(_check_cidr), AfterValidator(_check_not_metadata)]
"""A network in CIDR notation, IPv4 or IPv6, that is no cloud's metadata service."""

ResolverCidr: TypeAlias = Annotated[str, BeforeValidator(_check_cidr), AfterValidator(_check_local)]
"""The network of a DNS resolver inside the cluster, in CIDR notation."""

HttpsOrigin: TypeAlias = Annotated[
    str,
    _matching(
        rf"https://{_DOMAIN.replace('$', '(:|$)')}(:{_PORT})?",
        "an https origin",
        'write scheme and host, e.g. "https://app.company.com"; "*" would let any site act as its visitor',
    ),
]
"""One web origin that may call the API from a browser."""

HttpsUrl: TypeAlias = Annotated[
    str,
    _matching(
        rf"https://{_DOMAIN.replace('$', '(:|/|$)')}(:\d{{1,5}})?(/[\w.~%-]+)*",
        "an https URL",
        'write scheme, host and path, without a slash at the end, e.g. "https://git.company.com/docs"',
        longest=2000,
    ),
]
"""A page on the web, to which paths are added."""

IssuerUrl: TypeAlias = Annotated[
    str,
    _matching(
        rf"https://{_DOMAIN.replace('$', '([:/]|$)')}(:[1-9]\d{{0,4}})?(/[A-Za-z0-9._~/-]*)?",
        "the URL of a provider",
        'write scheme, host and path without a query, e.g. "https://login.company.com/realms/sre"',
        longest=1000,
    ),
]
"""An OpenID Connect provider, exactly as it names itself."""

ObjectName: TypeAlias = Annotated[
    str,
    _matching(
        rf"{_LABEL}(\.{_LABEL})*",
        "the name of an object",
        "use lower-case letters, digits, '-' and '.', e.g. \"monitoring-oidc\"",
    ),
]
"""The name of a Kubernetes object such as a Secret (RFC 1123 subdomain)."""

SecretKeyName: TypeAlias = Annotated[
    str,
    _matching(
        r"[A-Za-z0-9._-]+", "a key of a Secret", "use letters, digits, '-', '_' and '.', e.g. \"api-token\""
    ),
]
"""The name of a key in a Secret."""

OneWord: TypeAlias = Annotated[
    str,
    _matching(
        r"[A-Za-z0-9][A-Za-z0-9._:/@-]*",
        "one word",
        "use letters, digits and any of . _ : / @ - without spaces",
    ),
]
"""An identifier that somebody else gave: a region, a project, a client."""

AzureId: TypeAlias = Annotated[
    str,
    _matching(
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "an identifier of Azure",
        'write the lower-case UUID, e.g. "0f8fad5b-d9cb-469f-a165-70867728950e"',
    ),
]
"""A UUID."""

SlackChannel: TypeAlias = Annotated[
    str,
    _matching(
        r"#[a-z0-9_-]{1,80}", "a Slack channel", 'write its name with the #, e.g. "#traversion-alerts"'
    ),
]
"""The name of a Slack channel."""

BucketName: TypeAlias = Annotated[
    str,
    _matching(
        r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]",
        "a bucket name",
        'write 3 to 63 lower-case letters, digits, ".", "_" and "-" without a scheme or path, '
        'e.g. "company-traversion-backups"',
    ),
]
"""The name of a bucket of S3 or Google Cloud Storage, or of a container of Azure Blob Storage."""

CloudRegion: TypeAlias = Annotated[
    str, _matching(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", "a region", 'write its name, e.g. "eu-central-1"')
]
"""A region of S3, as its API names it."""

StorageAccount: TypeAlias = Annotated[
    str,
    _matching(
        r"[a-z0-9]{3,24}",
        "a storage account",
        'write 3 to 24 lower-case letters and digits, e.g. "companybackups"',
    ),
]
"""The name of an Azure storage account."""

StoragePath: TypeAlias = Annotated[
    str,
    _matching(
        r"(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+",
        "a path",
        'write it from the root on, e.g. "/traversion/production"',
    ),
]
"""A path inside a bucket."""

RoleArn: TypeAlias = Annotated[
    str,
    _matching(
        r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+",
        "an IAM role",
        'write its ARN, e.g. "arn:aws:iam::123456789012:role/traversion-backup"',
    ),
]
"""The ARN of a role of AWS."""

PemCertificate: TypeAlias = Annotated[
    str,
    _matching(
        r"(\s*-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+",
        "a certificate",
        'paste the PEM of the authority, from "-----BEGIN CERTIFICATE-----" to "-----END CERTIFICATE-----"',
        longest=100_000,
    ),
]
"""One or more certificates in PEM. They are public: no key belongs here."""

KeyPrefix: TypeAlias = Annotated[
    str, _matching(r"[A-Za-z0-9/_.-]*", "a key prefix", 'write a path, e.g. "traversion/production/"')
]
"""What keys in a secret store begin with."""

BodySize: TypeAlias = Annotated[
    str, _matching(r"[1-9]\d{0,5}[km]", "a body size", 'write a number and k or m, e.g. "50m" for 50 MiB')
]
"""The size of a request body in nginx notation."""

ServiceUrl: TypeAlias = Annotated[
    str,
    _matching(
        rf"https://{_HOST}(:{_PORT})?(/[A-Za-z0-9._~/%-]*)?",
        "an https URL",
        'write scheme, host and path, without user and query, e.g. "https://sso.company.com/oauth2/token"',
    ),
    _not(
        r"https://[^/]*:(22|25|53|80)(/.*)?",
        "a URL that may be called",
        "no pod may reach ports 22, 25, 53 and 80 outside: use another port",
    ),
]
"""Something to call over TLS; credentials never stand in it."""

HttpUrl: TypeAlias = Annotated[
    str,
    _matching(
        rf"https?://{_HOST}(:{_PORT})?(/[A-Za-z0-9._~/%-]*)?",
        "a URL",
        'write scheme, host and port, without user and query, e.g. "http://loki.logging.svc:3100"',
    ),
]
"""Something to call inside the cluster."""

SmtpServer: TypeAlias = Annotated[
    str,
    _matching(
        rf"{_DOMAIN.replace('$', ':')}:{_PORT}",
        "a mail server",
        'write host and port, e.g. "smtp.company.com:587"',
    ),
    _not(r".*:(22|25|53|80)", "a mail server for clients", "mail is submitted on port 587 or 465"),
]
"""Host and port that take mail from clients: STARTTLS, or TLS from the start on 465."""

TimeOfDay: TypeAlias = Annotated[
    str,
    _matching(
        r"([01]\d|2[0-3]):[0-5]\d|24:00", "a time of day", 'write hours and minutes in UTC, e.g. "02:30"'
    ),
]
"""A time of day in UTC; "24:00" is the end of the day."""

MetricLabel: TypeAlias = Annotated[
    str,
    _matching(
        r"[A-Za-z_][A-Za-z0-9_]*",
        "a label of metrics",
        'use letters, digits and "_", e.g. "cluster"',
        longest=63,
    ),
    _not("__.*", "a label to set", "Prometheus keeps names that begin with two underscores for itself"),
]
"""The name of a label in Prometheus."""

PlainText: TypeAlias = Annotated[
    str,
    _matching(
        r"[A-Za-z0-9 ._:/@+=-]+",
        "plain text",
        "use letters, digits, spaces and . _ : / @ + = - only",
        longest=128,
    ),
]
"""A short text that no configuration file, template or shell misreads."""

MetricPattern: TypeAlias = Annotated[
    str,
    _matching(
        r"[A-Za-z0-9_:.*+?|()\[\]-]+",
        "a pattern of metric names",
        'write a regular expression of whole names, e.g. "traversion_.*|up"',
        longest=1000,
    ),
    AfterValidator(_check_expression),
]
"""A regular expression that the whole name of a metric matches."""

HeaderName: TypeAlias = Annotated[
    str,
    _matching(r"[A-Za-z][A-Za-z0-9-]*", "an HTTP header", 'write its name, e.g. "X-Scope-OrgID"'),
    _not(
        "(?i)authorization|cookie|host|content-.*|x-prometheus-remote-write-version|user-agent",
        "a header to set",
        "Prometheus sets it; credentials come from the Secret",
    ),
]
"""The name of an HTTP header that may be added."""

LabelKey: TypeAlias = Annotated[
    str,
    _matching(
        rf"({_DOMAIN}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{{0,61}}[A-Za-z0-9])?".replace("$", "/"),
        "a label key",
        'write a Kubernetes label key, e.g. "node.kubernetes.io/instance-type"',
    ),
]
"""The key of a Kubernetes label."""

LabelValue: TypeAlias = Annotated[
    str,
    _matching(
        r"([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?",
        "a label value",
        "use at most 63 letters, digits, '-', '_' and '.'",
        longest=63,
    ),
]
"""The value of a Kubernetes label."""

ImageTag: TypeAlias = Annotated[
    str,
    _matching(
        r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(@sha256:[0-9a-f]{64})?",
        "an image tag",
        'write the tag of one build, e.g. "1.1.0", with or without "@sha256:..."',
    ),
]
"""A container image tag, optionally pinned to a digest."""

ImageRepository: TypeAlias = Annotated[
    str,
    _matching(
        r"([a-z0-9]+([.-][a-z0-9]+)*(:\d{1,5})?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*",
        "an image repository",
        'write registry and path without a tag, e.g. "registry.company.com/traversion"',
    ),
]
"""A container image repository without a tag."""
