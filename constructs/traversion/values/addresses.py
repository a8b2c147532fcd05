"""Where something is: domains, networks and URLs."""

import ipaddress
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

from traversion.values.checking import matching, refusal, unlike


def _check_cidr(value: object) -> str:
    remedy = 'write a network address with its prefix length, e.g. "10.0.0.0/8"'
    if not isinstance(value, str):
        raise refusal("a CIDR", remedy)
    try:
        return str(ipaddress.ip_network(value))
    except ValueError as error:
        raise refusal("a CIDR", f"{remedy} ({error})") from error


def within(inner: str, outer: str) -> bool:
    """Tell whether one network, in CIDR notation, lies in another."""
    one, other = ipaddress.ip_network(inner), ipaddress.ip_network(outer)
    return one.version == other.version and one.subnet_of(other)  # type: ignore[arg-type] # versions are equal


def _check_not_metadata(cidr: str) -> str:
    if any(within(cidr, network) for network in _LINK_LOCAL):
        remedy = "link-local addresses are the clouds' metadata services, which no pod may reach"
        raise refusal("an address to open", remedy)
    return cidr


def _check_local(cidr: str) -> str:
    metadata = any(within(service, cidr) for service in _METADATA_SERVICES)
    if metadata or not any(within(cidr, network) for network in (*PRIVATE_NETWORKS, *_LINK_LOCAL)):
        remedy = 'name the private or link-local address of the resolver alone, e.g. "169.254.20.10/32"'
        raise refusal("a resolver inside the cluster", remedy)
    return cidr


def host_of(url: str) -> str:
    """Return the host of a URL, without the port."""
    return urlsplit(url).hostname or ""


def port_of(url: str) -> int:
    """Return the port of a URL, or the one that its scheme implies."""
    parts = urlsplit(url)
    return parts.port or {"http": 80, "https": 443}[parts.scheme]


LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
DOMAIN = rf"((?=[^.]{{1,63}}\.){LABEL}\.)+(?=[^.]{{2,63}}$)[a-z]([-a-z0-9]*[a-z0-9])?"
_PORT = r"([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])"
_HOST = DOMAIN.replace("$", "([:/]|$)")

PRIVATE_NETWORKS = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
"""Networks that are not the Internet (RFC 1918, RFC 6598, RFC 4193)."""
_METADATA_SERVICES = ("169.254.169.254/32", "168.63.129.16/32", "100.100.100.200/32", "fd00:ec2::254/128")
_LINK_LOCAL = ("169.254.0.0/16", "fe80::/10", "fd00:ec2::/32")  # the last is the metadata service of AWS

DomainName: TypeAlias = Annotated[
    str,
    matching(
        DOMAIN,
        "a DNS name",
        'write a lower-case domain without scheme, port or path, e.g. "traversion.company.com"',
        longest=240,  # "monitoring." is put in front of it, and a DNS name ends at 253 characters.
    ),
]
"""A fully qualified domain name without a trailing dot."""

EmailAddress: TypeAlias = Annotated[
    str,
    matching(
        r"[^@\s<>,;]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
        "an e-mail address",
        'write one address, e.g. "sre@company.com"',
    ),
    unlike(
        r".*@(.*\.)?example\.(com|net|org)",
        "an e-mail address",
        'certificate authorities refuse example domains; write one that is read, e.g. "sre@company.com"',
    ),
]
"""One mailbox."""

Cidr: TypeAlias = Annotated[str, BeforeValidator(_check_cidr), AfterValidator(_check_not_metadata)]
"""A network in CIDR notation, IPv4 or IPv6, that is no cloud's metadata service."""

ResolverCidr: TypeAlias = Annotated[str, BeforeValidator(_check_cidr), AfterValidator(_check_local)]
"""The network of a DNS resolver inside the cluster, in CIDR notation."""

HttpsOrigin: TypeAlias = Annotated[
    str,
    matching(
        rf"https://{DOMAIN.replace('$', '(:|$)')}(:{_PORT})?",
        "an https origin",
        'write scheme and host, e.g. "https://app.company.com"; "*" would let any site act as its visitor',
    ),
]
"""One web origin that may call the API from a browser."""

HttpsUrl: TypeAlias = Annotated[
    str,
    matching(
        rf"https://{DOMAIN.replace('$', '(:|/|$)')}(:\d{{1,5}})?(/[\w.~%-]+)*",
        "an https URL",
        'write scheme, host and path, without a slash at the end, e.g. "https://git.company.com/docs"',
        longest=2000,
    ),
]
"""A page on the web, to which paths are added."""

IssuerUrl: TypeAlias = Annotated[
    str,
    matching(
        rf"https://{DOMAIN.replace('$', '([:/]|$)')}(:[1-9]\d{{0,4}})?(/[A-Za-z0-9._~/-]*)?",
        "the URL of a provider",
        'write scheme, host and path without a query, e.g. "https://login.company.com/realms/sre"',
        longest=1000,
    ),
]
"""An OpenID Connect provider, exactly as it names itself."""

ServiceUrl: TypeAlias = Annotated[
    str,
    matching(
        rf"https://{_HOST}(:{_PORT})?(/[A-Za-z0-9._~/%-]*)?",
        "an https URL",
        'write scheme, host and path, without user and query, e.g. "https://sso.company.com/oauth2/token"',
    ),
    unlike(
        r"https://[^/]*:(22|25|53|80)(/.*)?",
        "a URL that may be called",
        "no pod may reach ports 22, 25, 53 and 80 outside: use another port",
    ),
]
"""Something to call over TLS; credentials never stand in it."""

HttpUrl: TypeAlias = Annotated[
    str,
    matching(
        rf"https?://{_HOST}(:{_PORT})?(/[A-Za-z0-9._~/%-]*)?",
        "a URL",
        'write scheme, host and port, without user and query, e.g. "http://loki.logging.svc:3100"',
    ),
]
"""Something to call inside the cluster."""

SmtpServer: TypeAlias = Annotated[
    str,
    matching(
        rf"{DOMAIN.replace('$', ':')}:{_PORT}",
        "a mail server",
        'write host and port, e.g. "smtp.company.com:587"',
    ),
    unlike(r".*:(22|25|53|80)", "a mail server for clients", "mail is submitted on port 587 or 465"),
]
"""Host and port that take mail from clients: STARTTLS, or TLS from the start on 465."""
