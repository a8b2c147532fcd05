-- Roles and the database. Run in any database of the server, as a superuser, as often as you like.
-- Passwords are set by 90-passwords.sql; no role can log in over the network before that.

DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['traversion_owner', 'traversion', 'grafana', 'postgres_exporter', 'backup'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', role_name);
        END IF;
    END LOOP;
END
$$;

-- Owns the database and everything the schema creates; for people who change it.
ALTER ROLE traversion_owner NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT @owner_connections@;

-- The API; reads and writes rows.
ALTER ROLE traversion NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT -1;

-- Grafana; reads, and gives up early.
ALTER ROLE grafana NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT @grafana_connections@;
ALTER ROLE grafana SET default_transaction_read_only = on;
ALTER ROLE grafana SET statement_timeout = '30s';

-- The metrics exporter; sees statistics, not data.
ALTER ROLE postgres_exporter NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT @exporter_connections@;
ALTER ROLE postgres_exporter SET search_path = pg_catalog;
GRANT pg_monitor TO postgres_exporter;

-- The backup jobs: over the network they dump, which reads everything and changes nothing; inside the pod
-- pgBackRest begins and ends backups. These functions are asked for in the database "postgres". "Everything"
-- includes the hashes of passwords, as the files do that pgBackRest copies.
ALTER ROLE backup NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT @backup_connections@;
ALTER ROLE backup SET default_transaction_read_only = on;
GRANT pg_read_all_data, pg_read_all_settings TO backup;
GRANT EXECUTE ON FUNCTION pg_backup_start(text, boolean), pg_backup_stop(boolean), pg_switch_wal(),
    pg_create_restore_point(text) TO backup;

SELECT 'CREATE DATABASE traversion OWNER traversion_owner'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'traversion') \gexec

ALTER DATABASE traversion OWNER TO traversion_owner;
REVOKE ALL ON DATABASE traversion FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE traversion TO traversion;
GRANT CONNECT ON DATABASE traversion TO grafana, postgres_exporter, backup;
