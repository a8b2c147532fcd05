"""Which program exports which metrics, and which ports speak something else than HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Exporter:
    """A family of metrics and how one sees that something exports them."""

    name: str
    images: tuple[str, ...]
    """Parts of image names."""


EXPORTERS: Mapping[str, Exporter] = {
    "pg_": Exporter("postgres_exporter", ("postgres-exporter", "postgres_exporter", "postgresql-exporter")),
    "redis_": Exporter("redis_exporter", ("redis_exporter", "redis-exporter")),
    "mysql_": Exporter("mysqld_exporter", ("mysqld-exporter", "mysqld_exporter")),
    "mongodb_": Exporter("mongodb_exporter", ("mongodb_exporter", "mongodb-exporter")),
    "node_": Exporter("node_exporter", ("node-exporter", "node_exporter")),
    "kube_": Exporter("kube-state-metrics", ("kube-state-metrics",)),
    "probe_": Exporter("blackbox_exporter", ("blackbox-exporter", "blackbox_exporter")),
    "memcached_": Exporter("memcached_exporter", ("memcached-exporter", "memcached_exporter")),
    "elasticsearch_": Exporter(
        "elasticsearch_exporter", ("elasticsearch-exporter", "elasticsearch_exporter")
    ),
}
"""By the beginning of the metric's name; sources: the README of each exporter."""

CADVISOR_PREFIX = "container_"
"""The kubelet serves these at /metrics/cadvisor, not at /metrics."""

NOT_HTTP: Mapping[int, str] = {
    22: "SSH",
    25: "SMTP",
    53: "DNS",
    389: "LDAP",
    1433: "SQL Server",
    1521: "Oracle",
    2181: "ZooKeeper",
    3306: "MySQL",
    5432: "PostgreSQL",
    5672: "AMQP",
    6379: "Redis",
    6432: "PgBouncer",
    9042: "Cassandra",
    9092: "Kafka",
    11211: "memcached",
    26379: "Redis Sentinel",
    27017: "MongoDB",
}
"""Ports of other protocols, by the IANA register or the project's default."""
