"""Basic authentication: one generated user, whose password is kept as a strong hash."""

from collections.abc import Mapping

from traversion.platform import Platform
from traversion.platform.component import Component
from traversion.platform.credentials import Derived, Fixed, Random


def basic_auth_users(platform: Platform, owner: Component) -> str:
    """Declare the one user with a random password; return the name of the Secret."""
    credential = platform.credentials.declare(
        owner,
        "monitoring-basic-auth",
        "log-in to Prometheus and Alertmanager",
        {"username": Fixed("admin"), "password": Random(), "auth": Derived(_htpasswd, _htpasswd_holds)},
    )
    return credential.secret


def _htpasswd(values: Mapping[str, str]) -> str:
    """Return the line of an htpasswd file, hashed with bcrypt."""
    import bcrypt  # noqa: PLC0415 # only generating secrets needs it, not every synthesis

    hashed = bcrypt.hashpw(values["password"].encode(), bcrypt.gensalt(rounds=10)).decode()
    return f"{values['username']}:{hashed}"


def _htpasswd_holds(values: Mapping[str, str], line: str) -> bool:
    """Tell whether a line of an htpasswd file is for this user and password."""
    import bcrypt  # noqa: PLC0415 # as above

    user, _, hashed = line.partition(":")
    try:
        return user == values["username"] and bcrypt.checkpw(values["password"].encode(), hashed.encode())
    except ValueError:  # hashed in another way
        return False
