"""A stand-in OpenID Connect provider, over TLS on loopback: it logs in whom the test says."""

import base64
import hashlib
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

from tests.integration.authority import Authority
from tests.integration.processes import run

REALM = "/realms/sre"


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Key:
    """An RSA key that signs tokens."""

    def __init__(self, file: Path) -> None:
        self._file = file
        done = run(["openssl", "genrsa", "-out", str(file), "2048"])
        assert done.returncode == 0, done.stderr

    def public(self) -> dict[str, str]:
        """As a JSON Web Key; openssl's exponent is always 65537."""
        modulus = run(["openssl", "rsa", "-in", str(self._file), "-noout", "-modulus"]).stdout
        number = bytes.fromhex(modulus.strip().removeprefix("Modulus="))
        own = {"n": _encoded(number), "e": _encoded((65537).to_bytes(3, "big"))}
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "of the provider", **own}

    def signed(self, claims: dict[str, Any]) -> str:
        """Return a JSON Web Token."""
        head = {"alg": "RS256", "typ": "JWT", "kid": "of the provider"}
        text = ".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
        (self._file.parent / "text").write_text(text, encoding="ascii")
        signature = self._file.parent / "signature"
        command = ["openssl", "dgst", "-sha256", "-sign", str(self._file), "-out", str(signature)]
        done = run([*command, str(self._file.parent / "text")])
        assert done.returncode == 0, done.stderr
        return f"{text}.{_encoded(signature.read_bytes())}"


@dataclass
class Provider:
    """What it says of whoever logs in; tests change that."""

    port: int
    client: str
    secret: str
    key: Key
    signing: Key
    claims: dict[str, Any] = field(default_factory=dict)
    """Over those of somebody who may."""
    asked: list[dict[str, str]] = field(default_factory=list)
    """What log-ins were asked with."""
    granted: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"https://localhost:{self.port}{REALM}"

    def discovery(self) -> dict[str, Any]:
        own = {name: f"{self.issuer}/{name}" for name in ("authorize", "token", "keys")}
        return {
            "issuer": self.issuer,
            "authorization_endpoint": own["authorize"],
            "token_endpoint": own["token"],
            "jwks_uri": own["keys"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def authorize(self, query: dict[str, str]) -> str:
        """Log somebody in and return where the browser is sent."""
        self.asked.append(query)
        code = f"code-{len(self.asked)}"
        self.granted[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """Exchange a code, once, for the client that has the secret and began the log-in; None: refused."""
        # RFC 6749 has both written as in a form.
        pair = f"{quote_plus(self.client)}:{quote_plus(self.secret)}"
        if authorization != f"Basic {base64.b64encode(pair.encode()).decode()}":
            return None
        query = self.granted.pop(form.get("code", ""), None)
        if query is None:
            return None
        verifier = hashlib.sha256(form["code_verifier"].encode()).digest()
        if query["code_challenge_method"] != "S256" or _encoded(verifier) != query["code_challenge"]:
            return None
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.client,
            "sub": "4711",
            "iat": now,
            "exp": now + 3600,
            "nonce": query["nonce"],
            "email": "ada@company.com",
            "email_verified": True,
            "groups": ["sre"],
            **self.claims,
        }
        return {
            "token_type": "Bearer",
            "access_token": "opaque",
            "expires_in": 3600,
            "id_token": self.signing.signed(claims),
        }


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        provider: Provider = self.server.provider  # type: ignore[attr-defined]
        parts = urlsplit(self.path)
        match parts.path.removeprefix(REALM):
            case "/.well-known/openid-configuration":
                self._json(provider.discovery())
            case "/keys":
                self._json({"keys": [provider.key.public()]})
            case "/authorize":
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self.send_response(302)
                self.send_header("Location", provider.authorize(query))
                self.end_headers()
            case _:
                self.send_error(404)

    def do_POST(self) -> None:
        provider: Provider = self.server.provider  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        token = provider.token(form, self.headers.get("Authorization", ""))
        self._json(token or {"error": "invalid_grant"}, 200 if token else 400)

    def _json(self, value: object, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, *_: object, **__: object) -> None:
        """Say nothing."""


@contextmanager
def provider(home: Path, *, client: str, secret: str) -> Iterator[Provider]:
    """Serve one, with a certificate of ``home/authority.crt`` for the name localhost."""
    files = Authority(home).issue(["localhost"])
    for name, text in files.items():
        (home / name).write_text(text, encoding="utf-8")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(home / "tls.crt", home / "tls.key")
    key = Key(home / "key.pem")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        running = Provider(server.server_port, client, secret, key, key)
        server.provider = running  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()
