import pytest

from tests.verify.cases import errors, found
from tests.verify.pods import autoscaler, config, container, document, workload

ID = "db-connections"


def server(most: int) -> str:
    return workload("StatefulSet", container(args=["-c", f"max_connections={most}"]), name="database")


def client(pool: str, name: str = "DB_POOL_SIZE", replicas: int = 1) -> str:
    variable = {"name": name, "value": pool}
    surge = {"rollingUpdate": {"maxSurge": 1}}
    return workload("Deployment", container(env=[variable]), name="api", replicas=replicas, strategy=surge)


@pytest.mark.parametrize(
    ("most", "level"),
    [(100, ""), (63, ""), (62, "warning"), (60, "warning"), (59, "error")],  # 5 + 1 pods x 10, 3 are reserved
)
def test_pods_times_pool(most: int, level: str) -> None:
    manifests = server(most) + client("10", replicas=5)
    assert (ID in errors(manifests)) is (level == "error")
    assert (ID in found(manifests)) is bool(level)


def test_the_autoscaler_s_maximum_counts() -> None:
    assert ID in errors(server(100) + client("10") + autoscaler(1, 10, name="api"))


@pytest.mark.parametrize(
    "name",
    ["DB_MAX_CONNECTIONS", "DATABASE_POOL_SIZE", "PGPOOL_MAX", "SPRING_DATASOURCE_HIKARI_MAXIMUM_POOL_SIZE"],
)
def test_names_of_pools(name: str) -> None:
    assert ID in found(server(50) + client("60", name))


@pytest.mark.parametrize("name", ["REDIS_POOL_SIZE", "HTTP_MAX_CONNECTIONS", "THREAD_POOL_SIZE", "DB_PORT"])
def test_other_names(name: str) -> None:
    assert ID not in found(server(50) + client("60", name))


@pytest.mark.parametrize("pool", ["many", "", "$(OTHER)", "10.5"])
def test_a_pool_that_cannot_be_read(pool: str) -> None:
    assert ID not in found(server(5) + client(pool))


def test_both_numbers_from_config_maps() -> None:
    volume = {"volumes": [{"name": "config", "configMap": {"name": "postgres"}}]}
    manifests = (
        config("postgres", **{"postgresql.conf": "port = 5432\nmax_connections = 20 # few\n"})
        + config("settings", DB_MAX_CONNECTIONS="30")
        + workload("StatefulSet", name="database", spec=volume)
        + workload("Deployment", container(envFrom=[{"configMapRef": {"name": "settings"}}]), name="api")
    )
    assert ID in errors(manifests)
    assert ID not in found(manifests.replace("max_connections = 20", "max_connections = 200"))
    assert ID not in found(manifests.replace("max_connections = 20", "# max_connections = 20"))


def test_a_pooler_or_a_second_database_may_change_everything() -> None:
    manifests = server(5) + client("10")
    assert ID in found(manifests)
    pooler = workload("Deployment", container(image="pgbouncer/pgbouncer:1.24.0"), name="pooler")
    assert ID not in found(manifests + pooler)
    second = workload("StatefulSet", container(args=["-c", "max_connections=7"]), name="second")
    assert ID not in found(manifests + second)


def test_cloud_native_pg() -> None:
    parameters = {"postgresql": {"parameters": {"max_connections": "5"}}}
    cluster = document("Cluster", "database", "postgresql.cnpg.io/v1", spec=parameters)
    assert ID in errors(cluster + client("10"))
