"""Whether the database takes the connections that all pods open."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from traversion.verify.check import Problem, Severity, check
from traversion.verify.demand import at_once, autoscaled
from traversion.verify.environment import variables
from traversion.verify.graph import Graph
from traversion.verify.model import Container, PodTemplate, Resource, dig, items, mapping, text

# How applications name the size of one process's pool: node-postgres, SQLAlchemy, HikariCP, Prisma, Go.
_POOL = re.compile(
    r"(?:(?:DB|DATABASE|PG|POSTGRES|POSTGRESQL|SQLALCHEMY|TYPEORM|KNEX|PRISMA|SEQUELIZE)_)"
    r"(?:\w+_)?(?:MAX_CONNECTIONS|MAX_CONNS|MAX_OPEN_CONNS|CONN_LIMIT|(?:MAX_)?POOL_?SIZE|POOL_MAX|MAX_POOL)"
    r"|PGPOOL_?MAX|PGPOOL_SIZE|PGPOOLSIZE|SPRING_DATASOURCE_HIKARI_MAXIMUM_?POOL_?SIZE|[A-Z0-9_]+_POOL_MAX"
)
_SETTING = re.compile(r"^[ \t]*max_connections[ \t]{0,20}=?[ \t]{0,20}'?(\d{1,7})'?", re.MULTILINE)
_ARGUMENT = re.compile(r"(?:-c\s*|--)max[_-]connections=(\d{1,7})")
# PostgreSQL keeps these for superusers: superuser_reserved_connections.
_RESERVED = 3
# Between pods and database these make few connections of many.
_POOLERS = ("pgbouncer", "pgpool", "pgcat", "odyssey", "supavisor")


@check(
    "db-connections",
    "error",
    what="All pods at their maximum open more database connections than max_connections allows.",
    why="At peak load the last pods are told 'sorry, too many clients already' and never become ready.",
    wrong="""
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: database}
spec:
  template:
    spec: {containers: [{name: postgres, image: "postgres:17.2", args: [-c, max_connections=50]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 5
  template:
    spec: {containers: [{name: api, image: "api:1.0.0", env: [{name: DB_POOL_SIZE, value: "10"}]}]}
""",
    right="""
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: database}
spec:
  template:
    spec: {containers: [{name: postgres, image: "postgres:17.2", args: [-c, max_connections=100]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 5
  template:
    spec: {containers: [{name: api, image: "api:1.0.0", env: [{name: DB_POOL_SIZE, value: "10"}]}]}
""",
)
def databases_take_all_connections(graph: Graph) -> Iterator[Problem]:
    """Judge namespaces with one database and no pooler: who connects to which of several cannot be read."""
    servers = _servers(graph)
    if not servers:
        return
    users = _users(graph)
    for namespace, found in servers.items():
        if len(found) != 1 or _has_pooler(graph, namespace):
            continue
        server = found[0]
        others = [user for user in users.get(namespace, ()) if user.container.pods is not server.pods]
        needed = sum(user.pods * user.pool for user in others)
        if needed <= server.most - _RESERVED:
            continue
        named = "; ".join(
            f"{user.container.owner.name} {user.pods} pods x {user.pool} ({user.name})" for user in others
        )
        severity: Severity = "error" if needed > server.most else "warning"
        reserved = "" if needed > server.most else f", of which {_RESERVED} are for superusers only"
        wrong = f"max_connections is {server.most}{reserved}; {needed} can be opened: {named}"
        remedy = f"allow {needed + _RESERVED} at least, make the pools smaller, or put a pooler between"
        yield Problem(server.resource, server.path, wrong, remedy, severity)


@dataclass(frozen=True)
class _Server:
    pods: PodTemplate | None
    resource: Resource
    path: str
    most: int


@dataclass(frozen=True)
class _User:
    container: Container
    name: str
    pool: int
    pods: int


def _servers(graph: Graph) -> Mapping[str, list[_Server]]:
    found: dict[str, list[_Server]] = defaultdict(list)
    for pods in graph.pod_templates:
        server = _by_arguments(pods) or _by_configuration(graph, pods)
        if server:
            found[pods.namespace].append(server)
    # CloudNativePG
    for cluster in graph.of_kind("Cluster"):
        stated = text(dig(cluster.spec, "postgresql", "parameters", "max_connections"))
        if stated.isdecimal():
            path = "spec.postgresql.parameters.max_connections"
            found[cluster.namespace].append(_Server(None, cluster, path, int(stated[:7])))
    return found


def _by_arguments(pods: PodTemplate) -> _Server | None:
    for container in pods.containers:
        for field in ("command", "args"):
            words = items(container.data.get(field))
            match = _ARGUMENT.search(" ".join(word for word in words if isinstance(word, str)))
            if match:
                return _Server(pods, pods.owner, container.path(field), int(match[1]))
    return None


def _by_configuration(graph: Graph, pods: PodTemplate) -> _Server | None:
    for volume in items(pods.spec.get("volumes")):
        sources = [volume, *items(dig(volume, "projected", "sources"))]
        for name in (text(dig(source, "configMap", "name")) for source in sources):
            config = graph.find("ConfigMap", pods.namespace, name) if name else None
            for key, value in mapping(config.data.get("data")).items() if config else ():
                match = _SETTING.search(text(value)) if str(key).endswith(".conf") else None
                if match and config:
                    return _Server(pods, config, f"data[{key}]", int(match[1]))
    return None


def _users(graph: Graph) -> Mapping[str, list[_User]]:
    scales = autoscaled(graph)
    found: dict[str, list[_User]] = defaultdict(list)
    for pods in graph.pod_templates:
        for container in pods.containers:
            if container.is_init and not container.is_sidecar:
                continue
            for name, value in variables(graph, container).items():
                if value is not None and value.isdecimal() and _POOL.fullmatch(name):
                    found[pods.namespace].append(
                        _User(container, name, int(value[:7]), sum(at_once(pods, scales)))
                    )
                    break
    return found


def _has_pooler(graph: Graph, namespace: str) -> bool:
    images = (
        text(container.data.get("image"))
        for pods in graph.pod_templates
        if pods.namespace == namespace
        for container in pods.containers
    )
    return any(pooler in image for image in images for pooler in _POOLERS)
