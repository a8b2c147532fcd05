"""What Traefik adds to the Gateway API: limits for each client, allow-lists, and CORS in its own words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdk8s import ApiObject, JsonPatch
from constructs import Construct

from traversion.platform.component import Component
from traversion.secure_ingress.sites import CORS_HEADERS, CORS_METHODS, CORS_SECONDS, Limit, Site

_GROUP, _KIND = "traefik.io", "Middleware"
_BY_ADDRESS: Mapping[str, object] = {"ipStrategy": {"depth": 0}}
"""Whom a limit is for: the peer's address. For connections, Traefik's default is the host that is asked."""


@dataclass(frozen=True)
class Reference:
    """An object that a route's filter names."""

    name: str
    group: str = _GROUP
    kind: str = _KIND


class Middlewares:
    """Middlewares of Traefik, which its Gateway provider takes as filters of a route."""

    def __init__(self, scope: Construct, owner: Component) -> None:
        """Create them in ``scope``."""
        self._scope = scope
        self._owner = owner

    def of(self, site: Site) -> list[Reference]:
        """Create the Middlewares of a site; requests pass them in this order."""
        specs: dict[str, Mapping[str, object]] = {}
        if site.allowlist:
            specs["allowlist"] = {"ipAllowList": {"sourceRange": list(site.allowlist)}}
        if site.limit:
            specs["rate"] = {"rateLimit": _rate(site.limit)}
            specs["connections"] = {
                "inFlightReq": {"amount": site.limit.connections, "sourceCriterion": _BY_ADDRESS}
            }
        if site.origins:
            specs["cors"] = {"headers": _cors(site.origins)}
        return [self._create(f"traversion-{site.name}-{what}", spec) for what, spec in specs.items()]

    def _create(self, name: str, spec: Mapping[str, object]) -> Reference:
        created = ApiObject(
            self._scope,
            name,
            api_version=f"{_GROUP}/v1alpha1",
            kind=_KIND,
            metadata=self._owner.resource_metadata(name),
        )
        created.add_json_patch(JsonPatch.add("/spec", spec))
        return Reference(name)


def _rate(limit: Limit) -> Mapping[str, object]:
    return {
        "average": limit.requests,
        "period": f"1{limit.per[0]}",
        "burst": limit.requests * limit.burst,
        "sourceCriterion": _BY_ADDRESS,
    }


def _cors(origins: Sequence[str]) -> Mapping[str, object]:
    return {
        "accessControlAllowOriginList": list(origins),
        "accessControlAllowMethods": list(CORS_METHODS),
        "accessControlAllowHeaders": list(CORS_HEADERS),
        "accessControlAllowCredentials": True,
        "accessControlMaxAge": CORS_SECONDS,
        "addVaryHeader": True,
    }
