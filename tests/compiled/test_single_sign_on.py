"""The real oauth2-proxy, as synthesized: who may sees Prometheus and Alertmanager, and nobody else does."""

import http.client
import json
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.compiled.compiling import compiled
from tests.compiled.provider import Key, Provider, provider
from tests.conftest import Program
from tests.integration.application import Application
from tests.integration.authority import Authority
from tests.integration.conftest import secrets_of
from tests.integration.edge import ProxiedPod
from tests.integration.kubelet import Files, Secrets
from tests.integration.processes import Daemon, daemon, eventually, free_port, public_directory
from tests.manifests import Synthesis, change, synthesize_environment
from tests.variants import OIDC
from traversion.secret_values import make_secrets
from traversion.settings import Environment, IngressSettings, MonitoringAccess

pytestmark = [pytest.mark.compiled, pytest.mark.daemon, pytest.mark.slow]

SECRET = "the client's secret"
HOST = "monitoring.traversion.company.com"
PROVIDER = OIDC.issuer_url


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    location: str
    body: bytes


@dataclass
class Browser:
    """Keeps cookies as RFC 6265 says of one host, and does not follow redirects by itself."""

    pod: ProxiedPod
    cookies: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, set[str]] = field(default_factory=dict)

    def get(self, target: str, headers: Mapping[str, str] | None = None) -> Answer:
        client = self.pod.client()
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        sent = {"Host": HOST, **(cookies if self.cookies else {}), **(headers or {})}
        client.request("GET", target, headers=sent)
        answer = client.getresponse()
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, value = line.split(";")[0].partition("=")
            self.attributes[name] = {part.strip().lower() for part in line.split(";")[1:]}
            self.cookies[name] = value
            if not value:
                del self.cookies[name]
        found = Answer(answer.status, answer.headers.get("Location", ""), answer.read())
        client.close()
        return found


@dataclass(frozen=True)
class LogIn:
    """The pod of oauth2-proxy, running, what it leads to and whom it asks."""

    pod: ProxiedPod
    provider: Provider
    trust: Path
    port: int
    server: Daemon

    def browser(self) -> Browser:
        return Browser(self.pod)

    def at_provider(self, location: str) -> str:
        """Log in at the provider; return where it sends the browser."""
        parts = urlsplit(location)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.provider.issuer}/authorize", location
        context = ssl.create_default_context(cafile=str(self.trust))
        client = http.client.HTTPSConnection("localhost", self.provider.port, context=context, timeout=10)
        client.request("GET", f"{parts.path}?{parts.query}")
        back = client.getresponse().headers["Location"]
        client.close()
        return back

    def log_in(self, browser: Browser, target: str = "/graph") -> Answer:
        """Go the whole way; return the answer to the last step, which sets the session's cookie."""
        answer = browser.get(target)
        assert answer.status == http.client.FOUND, answer.status
        back = urlsplit(self.at_provider(answer.location))
        assert f"{back.scheme}://{back.netloc}{back.path}" == f"https://{HOST}/oauth2/callback"
        return browser.get(f"{back.path}?{back.query}")

    def probed(self, path: str) -> int:
        """Ask the application itself, as the kubelet does."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with closing(client):
            client.request("GET", path)
            return client.getresponse().status


@pytest.fixture(scope="module")
def synthesis(environments: Mapping[str, Environment]) -> Synthesis:
    oidc = OIDC.model_copy(update={"groups": ("sre", "on-call")})
    ingress = IngressSettings(acme_email="sre@company.com", monitoring=MonitoringAccess(oidc=oidc))
    return synthesize_environment(change(environments["production"], {"ingress": ingress}))


@pytest.fixture(scope="module")
def made(synthesis: Synthesis, tmp_path_factory: pytest.TempPathFactory) -> Secrets:
    """Every Secret; those of the log-in as `traversion secrets` makes them."""
    supplied = {"monitoring-oidc": {"client-secret": SECRET}}
    declared = [
        each
        for each in synthesis.platform.credentials.declared
        if each.secret in {"monitoring-oidc", "oauth2-proxy"}
    ]
    manifests = make_secrets(declared, current={}, supplied=supplied).manifests
    assert len(manifests) == 2
    own: dict[str, Files] = {each["metadata"]["name"]: dict(each["stringData"]) for each in manifests}
    return {**secrets_of(synthesis, Authority(tmp_path_factory.mktemp("internal"))), **own}


@contextmanager
def running(
    program: Path, synthesis: Synthesis, secrets: Secrets, root: Path, *, trusted: bool = True
) -> Iterator[LogIn]:
    """Run the pod's two containers, what is behind them and a provider."""
    manifests, port = synthesis.manifests, free_port()
    for directory in ("provider", "stranger", "pod"):
        (root / directory).mkdir()
    with ExitStack() as stack:
        asked = stack.enter_context(provider(root / "provider", client=OIDC.client_id, secret=SECRET))
        watched = {
            name: stack.enter_context(behind(synthesis, name, local, root / name, secrets))
            for name, local in {"prometheus": 9090, "alertmanager": 9093}.items()
        }
        pod = ProxiedPod(
            manifests,
            "oauth2-proxy",
            root / "pod",
            secrets=secrets,
            application=port,
            behind={4180},
            outlets={
                ("prometheus-service", 8443, 9090): watched["prometheus"].port["https"],
                ("alertmanager-service", 8443, 9093): watched["alertmanager"].port["https"],
            },
            rewrites={
                r"0\.0\.0\.0:4180": f"127.0.0.1:{port}",
                re.escape(PROVIDER): asked.issuer,
            },
        )
        stack.enter_context(pod.running())
        own = pod.pod.command("oauth2-proxy")
        for name, local in {"prometheus": 9090, "alertmanager": 9093}.items():
            own = [word.replace(f"//127.0.0.1:{local}", f"//127.0.0.1:{pod.port[name]}") for word in own]
        trust = root / "provider" / "authority.crt"
        if not trusted:
            Authority(root / "stranger")
        believed = trust if trusted else root / "stranger" / "authority.crt"
        environment = {**pod.pod.environment("oauth2-proxy"), "SSL_CERT_FILE": str(believed)}
        log = root / "oauth2-proxy.log"
        server = stack.enter_context(daemon([str(program), *own], environment, log))
        yield LogIn(pod, asked, trust, port, server)


@contextmanager
def behind(synthesis: Synthesis, name: str, local: int, root: Path, secrets: Secrets) -> Iterator[ProxiedPod]:
    """Run the proxy of Prometheus or Alertmanager, before a stand-in."""
    root.mkdir()
    with Application().running() as application:
        pod = ProxiedPod(
            synthesis.manifests, name, root, secrets=secrets, application=application.port, behind={local}
        )
        with pod.running():
            yield pod


@pytest.fixture(scope="module")
def oauth2_proxy(program: Program) -> Path:
    return compiled(program("go"), "oauth2-proxy") / "oauth2-proxy"


@pytest.fixture(scope="module")
def started(nginx: str, oauth2_proxy: Path, synthesis: Synthesis, made: Secrets) -> Iterator[LogIn]:
    assert nginx
    with public_directory() as root, running(oauth2_proxy, synthesis, made, root) as log_in:
        probe = log_in.pod.pod.http_path("oauth2-proxy", "readinessProbe")

        def ready() -> bool:
            assert log_in.server.process.poll() is None, log_in.server.said()
            try:
                return log_in.probed(probe) == http.client.OK
            except OSError:
                return False

        eventually(ready, within=20)
        yield log_in


@pytest.fixture
def log_in(started: LogIn) -> Iterator[LogIn]:
    """The same for every test: who logs in is somebody who may."""
    yield started
    started.provider.claims.clear()
    started.provider.signing = started.provider.key


def test_both_probes_answer(log_in: LogIn) -> None:
    for probe in ("readinessProbe", "livenessProbe"):
        assert log_in.probed(log_in.pod.pod.http_path("oauth2-proxy", probe)) == http.client.OK


@pytest.mark.parametrize("target", ["/graph?g0.expr=up&g0.tab=0", "/alertmanager/#/silences", "/"])
def test_a_member_comes_back_to_where_they_wanted_to_go(log_in: LogIn, target: str) -> None:
    browser = log_in.browser()
    answer = log_in.log_in(browser, target.partition("#")[0])
    assert (answer.status, answer.location) == (http.client.FOUND, target.partition("#")[0])
    asked = log_in.provider.asked[-1]
    assert asked["scope"] == "openid email profile groups"
    assert browser.get(target.partition("#")[0]).status == http.client.OK


def test_nobody_without_a_session_sees_anything(log_in: LogIn) -> None:
    for path in (
        "/",
        "/graph",
        "/api/v1/query?query=up",
        "/metrics",
        "/alertmanager/api/v2/alerts",
        "/-/quit",
    ):
        answer = log_in.browser().get(path)
        assert answer.status == http.client.FOUND, path
        assert answer.location.startswith(log_in.provider.issuer), path
    forged = {"Cookie": "__Host-monitoring=djIuWDE5SWIzTjBMVzF2Ym1sMGIzSnBibWM=|1790000000|forged"}
    assert log_in.browser().get("/graph", forged).status == http.client.FOUND


def test_cookies_stay_with_the_host_and_away_from_scripts(log_in: LogIn) -> None:
    browser = log_in.browser()
    browser.get("/graph")
    log_in.log_in(browser)
    for name, attributes in browser.attributes.items():
        assert name.startswith("__Host-"), name
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= attributes, name
        assert not any(each.startswith("domain") for each in attributes), name
    assert max(len(name) + len(value) for name, value in browser.cookies.items()) < 4096
    assert SECRET not in json.dumps(browser.cookies)


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"email": "ada@company.com.example"}, id="another domain"),
        pytest.param({"email": "ada@sub.company.com"}, id="a subdomain"),
        pytest.param({"email_verified": False}, id="an address that nobody verified"),
        pytest.param({"groups": ["developers"]}, id="another group"),
        pytest.param({"groups": []}, id="no group"),
        pytest.param({"aud": "another-client"}, id="a token for another client"),
        pytest.param({"iss": "https://login.elsewhere.com"}, id="another provider"),
        pytest.param({"exp": 1_700_000_000}, id="a token of last year"),
        pytest.param({"nonce": "another"}, id="a token of another log-in"),
    ],
)
def test_who_may_not_is_refused(log_in: LogIn, claims: Mapping[str, object]) -> None:
    log_in.provider.claims.update(claims)
    browser = log_in.browser()
    assert log_in.log_in(browser).status >= http.client.BAD_REQUEST
    assert browser.get("/graph").status == http.client.FOUND


def test_a_token_that_somebody_else_signed_is_refused(log_in: LogIn, tmp_path: Path) -> None:
    log_in.provider.signing = Key(tmp_path / "another.pem")
    browser = log_in.browser()
    assert log_in.log_in(browser).status >= http.client.BAD_REQUEST
    assert browser.get("/graph").status == http.client.FOUND


def test_a_log_in_that_another_browser_began_is_refused(log_in: LogIn) -> None:
    """Whoever is made to follow a link must not be logged in as somebody else."""
    back = urlsplit(log_in.at_provider(log_in.browser().get("/graph").location))
    victim = log_in.browser()
    assert victim.get(f"{back.path}?{back.query}").status == http.client.FORBIDDEN
    assert victim.get("/graph").status == http.client.FOUND


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example/", "https:/evil.example"]
)
def test_a_log_in_leads_to_no_other_site(log_in: LogIn, elsewhere: str) -> None:
    browser = log_in.browser()
    answer = browser.get(f"/oauth2/start?rd={elsewhere}")
    back = urlsplit(log_in.at_provider(answer.location))
    answer = browser.get(f"{back.path}?{back.query}")
    assert (answer.status, answer.location) == (http.client.FOUND, "/")


def test_signing_out_ends_the_session(log_in: LogIn) -> None:
    browser = log_in.browser()
    log_in.log_in(browser)
    assert browser.get("/graph").status == http.client.OK
    browser.get("/oauth2/sign_out")
    assert browser.get("/graph").status == http.client.FOUND


def test_nobody_tells_what_is_behind_who_they_are(log_in: LogIn) -> None:
    browser = log_in.browser()
    log_in.log_in(browser)
    answer = browser.get("/headers", {"X-Forwarded-Host": "evil.example"})
    seen = {name.lower(): value for name, value in json.loads(answer.body).items()}
    assert not {"x-forwarded-user", "x-forwarded-email", "x-auth-request-user", "authorization"} & set(seen)
    start = browser.get("/oauth2/start?rd=/graph", {"X-Forwarded-Host": "evil.example"})
    query = parse_qs(urlsplit(start.location).query)
    assert query["redirect_uri"] == [f"https://{HOST}/oauth2/callback"]


def test_a_provider_of_another_authority_is_not_believed(
    nginx: str, oauth2_proxy: Path, synthesis: Synthesis, made: Secrets
) -> None:
    """It does not start, so the pod never becomes ready, and what runs stays."""
    assert nginx
    with (
        public_directory() as root,
        running(oauth2_proxy, synthesis, made, root, trusted=False) as log_in,
    ):
        assert log_in.server.process.wait(30) != 0
        assert "certificate" in log_in.server.said()
