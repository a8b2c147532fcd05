"""One environment: which components it has, and who uses whom."""

import jsii
from cdk8s import ApiObject, Chart
from constructs import Construct, IValidation

from traversion.api import TraversionApi
from traversion.observability import ObservabilityStack
from traversion.platform import Platform
from traversion.redis_cache import RedisCache
from traversion.secure_ingress import SecureIngress
from traversion.settings import Environment
from traversion.timescaledb import TimescaleDb
from traversion.timescaledb.restore import Restore, restore_database
from traversion.verify import from_objects, verify


class TraversionChart(Chart):
    """Traversion in one namespace; synthesizes to ``<environment>.k8s.yaml``."""

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        *,
        validated: bool = True,
        restore: Restore | None = None,
    ) -> None:
        """Create everything that the environment's settings ask for.

        ``restore``: and what restores its database.
        ``validated``: refuse to synthesize what `traversion verify` calls an error.
        """
        super().__init__(scope, environment.name)
        self.environment = environment
        hosts = environment.hosts
        with Platform(
            self,
            name=environment.name,
            namespace=environment.namespace,
            cluster=environment.cluster,
            placement=environment.placement,
            credentials=environment.credentials,
            authority=environment.authority,
            priority=environment.priority,
            quota_headroom_percent=environment.quota_headroom_percent,
            vertical_pod_autoscaler=environment.vertical_pod_autoscaler,
        ) as platform:
            database = TimescaleDb(platform, environment.database)
            redis = RedisCache(platform, environment.redis)
            api = TraversionApi(
                platform,
                environment.api,
                database=database,
                redis=redis,
                public_url=f"https://{hosts.api}",
                cors_origins=environment.ingress.cors_origins,
                body_size=environment.ingress.body_size,
            )
            observability = ObservabilityStack(
                platform,
                environment.observability,
                hosts=hosts,
                api=api,
                database=database,
                redis=redis,
            )
            SecureIngress(platform, environment.ingress, hosts=hosts, api=api, observability=observability)
            if database.backups and restore:
                restore_database(platform, database, database.backups, restore)
        self.platform = platform
        if validated:
            self.node.add_validation(_SoundGraph(self))


@jsii.implements(IValidation)
class _SoundGraph:
    """Lets no chart be written whose objects do not fit together."""

    def __init__(self, chart: Chart) -> None:
        self._chart = chart

    def validate(self) -> list[str]:
        """Return what is wrong, as cdk8s wants it."""
        # The chart's own to_json would validate all charts again, and so without end.
        objects = [each.to_json() for each in self._chart.node.find_all() if isinstance(each, ApiObject)]
        return [str(finding) for finding in verify(from_objects(objects)) if finding.severity == "error"]
