"""TimescaleDB: the server, its schema, its roles and its backups."""

from traversion.timescaledb.database import TimescaleDb

__all__ = ["TimescaleDb"]
