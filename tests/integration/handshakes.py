"""What a TLS server on this machine offers to whoever connects."""

import re

from tests.integration.processes import run


def served_certificate(port: int) -> str:
    """Return the certificate that a new connection gets."""
    handshake = run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}"])
    return run(["openssl", "x509"], text=handshake.stdout).stdout


def offered(sslscan: str, port: int) -> tuple[set[str], list[str]]:
    """Scan a server; return the protocols that it speaks, and its ciphers for TLS 1.2."""
    scan = run([sslscan, "--no-colour", f"127.0.0.1:{port}"]).stdout
    protocols = dict(re.findall(r"(?m)^((?:SSL|TLS)v[\d.]+)\s+(enabled|disabled)$", scan))
    assert {"SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"} <= protocols.keys(), scan
    ciphers = re.findall(r"(?m)^(?:Preferred|Accepted)\s+TLSv1\.2\s+\d+ bits\s+(\S+)", scan)
    return {name for name, state in protocols.items() if state == "enabled"}, ciphers


def is_modern(cipher: str) -> bool:
    """Tell whether a cipher has forward secrecy and authenticated encryption."""
    return bool(re.fullmatch(r"ECDHE-ECDSA-.*(GCM-SHA\d+|POLY1305)", cipher))
