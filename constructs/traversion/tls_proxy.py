"""TLS for a program that speaks none: an nginx beside it in the pod, on the way in and on the way out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from constructs import Construct

from traversion.platform.certificates import TLS_CIPHERS, TLS_PROTOCOLS, ServingCertificate
from traversion.platform.component import Component
from traversion.platform.pods import Container, http_probe, tcp_probe
from traversion.platform.volumes import ConfigFiles, Mount, Scratch
from traversion.settings import TlsProxySettings
from traversion.values import bytes_of, millicores_of

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
"""For every answer: browsers guess no types, show no page inside another site's, and tell nobody the path."""

_CONFIG, _CERTIFICATE, _TRUST = (
    "/etc/tls-proxy/config",
    "/etc/tls-proxy/certificate",
    "/etc/tls-proxy/trust",
)
_HEALTH_PORT = 8081
# A WebSocket is two connections and was measured at 75 KiB; nginx itself needs a few MiB.
_CONNECTION_BYTES, _OWN_BYTES = 40 * 2**10, 32 * 2**20

# nginx reads a certificate whose path holds a variable at each handshake: what the kubelet has replaced is
# served to the next connection. There is nothing to reload, and so no old worker that holds connections.
_SERVERS = f"""\
pid /tmp/nginx.pid;
daemon off;
worker_processes @workers@;
worker_rlimit_nofile 65536;
error_log stderr warn;
events {{
    worker_connections @connections@;
}}
http {{
    access_log off;  # the ingress controller writes one
    server_tokens off;
    client_body_temp_path /tmp/client;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;

    map $ssl_server_name $certificate_directory {{
        default {_CERTIFICATE};
    }}
    ssl_certificate $certificate_directory/tls.crt;
    ssl_certificate_key $certificate_directory/tls.key;
    ssl_protocols {TLS_PROTOCOLS};
    ssl_ciphers {TLS_CIPHERS};
    ssl_session_cache shared:tls:4m;
    ssl_session_tickets off;

    # Longer than callers keep an idle connection, so that they close it and not we, under their next request.
    keepalive_timeout 180s;
    keepalive_requests 100000;
    # What may pass and how slow, whoever is in front decides; only a body may be too large, for an inlet.
    large_client_header_buffers 4 32k;
    underscores_in_headers on;
    ignore_invalid_headers off;
    proxy_buffer_size 16k;
    proxy_buffers 4 16k;
    proxy_connect_timeout 5s;
    proxy_read_timeout 1d;
    proxy_send_timeout 1d;
    send_timeout 1d;
    # Bodies stream both ways, and the answer is the application's own.
    proxy_request_buffering off;
    proxy_buffering off;
    proxy_redirect off;
    proxy_next_upstream off;
    proxy_ignore_headers X-Accel-Buffering X-Accel-Charset X-Accel-Expires X-Accel-Limit-Rate;
    proxy_ignore_headers X-Accel-Redirect;
    proxy_pass_header X-Accel-Buffering;
    proxy_pass_header Server;
    proxy_pass_header Date;
    # X-Forwarded-* and X-Real-IP pass as the ingress controller wrote them: to the application there is
    # one proxy, as if this one were not there.
    map $http_upgrade $connection_header {{
        default upgrade;
        "" "";
    }}
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_header;
@inlets@
    server {{
        listen {_HEALTH_PORT} ssl;
        location / {{
            return 204;
        }}
    }}
}}
"""

# Node.js closes a connection that was idle for five seconds; the proxy has closed it before.
_INLET = """
    upstream @name@ {
        server 127.0.0.1:@target@ max_fails=0;
        keepalive 64;
        keepalive_timeout 4s;
    }
    server {
        listen @port@ ssl so_keepalive=5m:30s:4;
        client_max_body_size @largest_body@;
@headers@        location / {
            proxy_pass http://@name@;
        }
    }
"""

_OUTLETS = f"""\
stream {{
    proxy_connect_timeout 5s;
    proxy_timeout 1d;
    proxy_socket_keepalive on;
    proxy_ssl on;
    proxy_ssl_server_name on;
    proxy_ssl_verify on;
    proxy_ssl_verify_depth 2;
    proxy_ssl_protocols {TLS_PROTOCOLS};
    proxy_ssl_ciphers {TLS_CIPHERS};
@outlets@}}
"""

_OUTLET = f"""\
    server {{
        listen 127.0.0.1:@port@ so_keepalive=5m:30s:4;
        proxy_pass @host@:@host_port@;
        proxy_ssl_name @host@;
        proxy_ssl_trusted_certificate {_TRUST}/@name@/ca.crt;
    }}
"""

# All containers of a pod are stopped at once, and the application needs its connections to the end.
_DRAIN = """\
#!/bin/sh
# Wait until the application neither listens nor holds a connection: then it is gone, and so may the proxy.
# In the kernel's list of this pod's sockets, 01 is an established connection and 0A one that listens.
while grep -Eqs '@sockets@' \\
    /proc/net/tcp /proc/net/tcp6; do
    sleep 1
done
"""


@dataclass(frozen=True)
class Inlet:
    """A port of the pod where others get TLS, and the one of the program behind it."""

    port: int
    target: int
    largest_body: str = "0"
    """Of a request, in nginx notation; 0: any. Not everybody in front can refuse it."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    """What every answer carries, in place of what the program says."""

    @property
    def directives(self) -> str:
        """The headers, as nginx is told of them."""
        return "".join(
            f'        proxy_hide_header {name};\n        add_header {name} "{value}" always;\n'
            for name, value in self.headers.items()
        )


@dataclass(frozen=True)
class Outlet:
    """A port on loopback, and the TLS server that it leads to."""

    port: int
    host: str
    host_port: int
    certificate: ServingCertificate


@dataclass(frozen=True)
class TlsProxy:
    """A container that gives the others of its pod TLS: ``inlets`` and ``outlets`` by name.

    Whoever calls in can verify ``certificate``; the servers behind the outlets are verified by authority and
    name. A renewed certificate is served to the next connection after the kubelet has replaced the files,
    which takes up to two minutes; open connections go on. When the pod stops, it outlives the others.
    """

    name: ClassVar[str] = "tls-proxy"

    settings: TlsProxySettings
    certificate: ServingCertificate
    inlets: Mapping[str, Inlet]
    outlets: Mapping[str, Outlet]

    @property
    def ports(self) -> dict[str, int]:
        """The encrypted ports, by name."""
        return {name: inlet.port for name, inlet in self.inlets.items()}

    def create(self, scope: Construct, owner: Component) -> Container:
        """Create the configuration, and return the container."""
        config = ConfigFiles("tls-proxy", f"{owner.name}-tls-proxy", self._files()).create(scope, owner)
        trust = [
            Mount(outlet.certificate.trust_of(f"{name}-trust"), f"{_TRUST}/{name}")
            for name, outlet in self.outlets.items()
        ]
        return Container(
            name=self.name,
            image=self.settings.image,
            resources=self.settings.resources,
            # The image's entry point would edit its own configuration, on a disk that nobody may write.
            command=["nginx", "-e", "stderr", "-c", f"{_CONFIG}/nginx.conf"],
            ports={**self.ports, "health": _HEALTH_PORT},
            mounts=[
                Mount(config, _CONFIG),
                Mount(self.certificate.files, _CERTIFICATE),
                *trust,
                Mount(Scratch("tls-proxy-tmp", "16Mi"), "/tmp"),
            ],
            # A handshake with the certificate. Restarting would not mend that, so liveness asks for less.
            readiness=http_probe("/", "health", scheme="HTTPS"),
            liveness=tcp_probe("health", timeout=5, failures=6),
            pre_stop=["/bin/sh", f"{_CONFIG}/drain.sh"],
        )

    def _files(self) -> dict[str, str]:
        inlets = "".join(
            _filled(
                _INLET,
                name=name,
                port=inlet.port,
                target=inlet.target,
                largest_body=inlet.largest_body,
                headers=inlet.directives,
            )
            for name, inlet in self.inlets.items()
        )
        outlets = "".join(
            _filled(_OUTLET, name=name, port=each.port, host=each.host, host_port=each.host_port)
            for name, each in self.outlets.items()
        )
        # A worker is one thread: more than the CPU limit would only be throttled.
        workers = -(-millicores_of(self.settings.resources.cpu_limit) // 1000)
        memory = bytes_of(self.settings.resources.memory_limit) - _OWN_BYTES
        return {
            "nginx.conf": _filled(
                _SERVERS,
                inlets=inlets,
                workers=workers,
                # Rather one connection refused than the memory limit reached and all of them lost.
                connections=memory // _CONNECTION_BYTES // workers,
            )
            + (_filled(_OUTLETS, outlets=outlets) if outlets else ""),
            "drain.sh": _filled(_DRAIN, sockets="|".join(self._sockets())),
        }

    def _sockets(self) -> Iterator[str]:
        """Yield, as regular expressions, the sockets there are while others in the pod need the proxy."""
        yield _socket((inlet.target for inlet in self.inlets.values()), "(01|0A)")
        if self.outlets:
            yield _socket((outlet.port for outlet in self.outlets.values()), "01")


def _filled(template: str, **values: str | int) -> str:
    for name, value in values.items():
        template = template.replace(f"@{name}@", str(value))
    return template


def _socket(ports: Iterable[int], state: str) -> str:
    """Match this end at one of the ports, then the other end, then the state, as the kernel writes them."""
    own = "|".join(f"{port:04X}" for port in ports)
    return f":({own}) [0-9A-F]+:[0-9A-F]{{4}} {state} "
