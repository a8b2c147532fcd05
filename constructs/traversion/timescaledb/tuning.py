"""PostgreSQL parameters derived from the container: memory, CPUs, volume and connections.

The rules are those of PostgreSQL's documentation (chapter "Resource Consumption") and of timescaledb-tune:
a quarter of the memory for shared buffers, three quarters counted as cache, a sixteenth for each
maintenance worker. What is left after the backends themselves is divided into ``work_mem``, so that
the sum of everything in its usual worst case stays below the limit at which the kernel kills.
"""

from collections.abc import Mapping

from traversion.settings import TimescaleDbSettings, refuse
from traversion.values import bytes_of, millicores_of

SHARED_MEMORY_FRACTION = 16
"""Shared memory for parallel queries is this fraction of the memory limit."""

_MEBIBYTE = 2**20
_BACKEND = 5 * _MEBIBYTE  # One connection before it sorts anything: caches of catalog and plans.
_AUTOVACUUM_WORKERS = 3
_MAINTENANCE_AT_MOST = 2048 * _MEBIBYTE
_WORK_AT_LEAST = 2 * _MEBIBYTE  # Below it, sorts of a few thousand rows go to disk.
_BACKGROUND_WORKERS = 8  # TimescaleDB's jobs: compression, retention, aggregates.

Parameters = Mapping[str, str | int]


def tuned_parameters(settings: TimescaleDbSettings) -> Parameters:
    """Return the parameters for a server of this size; raises where memory and connections do not fit."""
    memory = bytes_of(settings.resources.memory_limit)
    cpus = max(1, millicores_of(settings.resources.cpu_limit) // 1000)
    shared_buffers = memory // 4
    maintenance = min(memory // 16, _MAINTENANCE_AT_MOST)
    taken = _BACKEND * settings.max_connections
    left = (
        memory - shared_buffers - memory // SHARED_MEMORY_FRACTION - maintenance * _AUTOVACUUM_WORKERS - taken
    )
    work = left // settings.max_connections
    if work < _WORK_AT_LEAST:
        most = max(0, left + taken) // (_BACKEND + _WORK_AT_LEAST)
        raise refuse(
            "database.max_connections",
            settings.max_connections,
            f"leaves {max(0, work) // 1024}kB of work_mem each in {settings.resources.memory_limit}: "
            f"write at most {most}, or raise database.resources.memory_limit",
        )
    workers = _BACKGROUND_WORKERS + cpus + 3
    volume = bytes_of(settings.storage)
    return {
        "max_connections": settings.max_connections,
        "superuser_reserved_connections": 3,
        "shared_buffers": _megabytes(shared_buffers),
        "effective_cache_size": _megabytes(memory * 3 // 4),
        "maintenance_work_mem": _megabytes(maintenance),
        "autovacuum_max_workers": _AUTOVACUUM_WORKERS,
        "work_mem": f"{work // 1024}kB",
        "max_worker_processes": workers,
        "max_parallel_workers": cpus,
        "max_parallel_workers_per_gather": max(1, cpus // 2),
        "timescaledb.max_background_workers": _BACKGROUND_WORKERS,
        # SSDs seek as cheaply as they read on.
        "random_page_cost": "1.1",
        "effective_io_concurrency": 200,
        # WAL may take a tenth of the volume before a checkpoint is forced.
        "min_wal_size": _megabytes(max(volume // 40, 80 * _MEBIBYTE)),
        "max_wal_size": _megabytes(volume // 10),
        "checkpoint_completion_target": "0.9",
        "wal_compression": "on",
    }


def _megabytes(number: int) -> str:
    return f"{number // _MEBIBYTE}MB"
