"""Certificates of the namespace, as cert-manager sees them: ready, and with time left.

The source is kube-state-metrics, which is told to read Certificates. cert-manager's own metrics are in its
namespace, which belongs to somebody else; and a prober would see only the servers that it may connect to.
"""

from traversion.observability.metrics import CERTIFICATE_EXPIRES, CERTIFICATE_READY, KUBERNETES
from traversion.observability.rules.rule import Alert, Group

# Certificates are renewed when a third of their 90 days is left. After ten days of vain attempts a person
# should look, with twenty left; public ones may become shorter, but not as short as three days.
SOON = 20 * 24 * 3600
"""Seconds."""
TOO_SOON = 3 * 24 * 3600
"""Seconds."""

GROUP = Group(
    "certificates",
    (
        Alert(
            "CertificateExpiresSoon",
            "certificates",
            f"{CERTIFICATE_EXPIRES} - time() < {SOON}",
            "A certificate is not renewed",
            "{{ $labels.certificate }} expires in {{ $value | humanizeDuration }}; "
            "cert-manager should have renewed it 30 days before its end.",
            lasting="1h",
        ),
        Alert(
            "CertificateAboutToExpire",
            "certificates",
            f"{CERTIFICATE_EXPIRES} - time() < {TOO_SOON}",
            "A certificate is about to expire",
            "{{ $labels.certificate }} expires in {{ $value | humanizeDuration }}; "
            "then every client that verifies it is cut off.",
            lasting="5m",
            severity="critical",
        ),
        Alert(
            "CertificateNotReady",
            "certificates",
            f"""{CERTIFICATE_READY.where('condition="Ready"')} == 0""",
            "A certificate is not ready",
            "{{ $labels.certificate }} has not been ready for 15 minutes: "
            "cert-manager could not issue or renew it, or it does not match its specification.",
            lasting="15m",
        ),
        Alert(
            "CertificatesUnwatched",
            "certificates",
            # Every environment has its own authority, and so a certificate.
            f"max({KUBERNETES.up}) == 1 unless on () {CERTIFICATE_EXPIRES}",
            "Nobody watches the certificates",
            "kube-state-metrics answers and knows no certificate; may it read them?",
            lasting="15m",
        ),
    ),
)
