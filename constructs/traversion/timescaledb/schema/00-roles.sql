-- Roles and the database. Run in any database of the server, as a superuser, as often as you like.
-- Passwords are set by 90-passwords.sql; no role can log in over the network before that.

DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['traversion', 'grafana', 'postgres_exporter', 'backup'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', role_name);
        END IF;
    END LOOP;
END
$$;

-- The API; owns the database and everything the schema creates.
ALTER ROLE traversion NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT -1;

-- Grafana; reads, and gives up early.
ALTER ROLE grafana NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT @grafana_connections@;
ALTER ROLE grafana SET default_transaction_read_only = on;
ALTER ROLE grafana SET statement_timeout = '30s';

-- The metrics exporter; sees statistics, not data.
ALTER ROLE postgres_exporter NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT @exporter_connections@;
ALTER ROLE postgres_exporter SET search_path = pg_catalog;
GRANT pg_monitor TO postgres_exporter;

-- The dump job; reads everything, the password hashes too, and changes nothing.
ALTER ROLE backup NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT @backup_connections@;
ALTER ROLE backup SET default_transaction_read_only = on;
GRANT pg_read_all_data TO backup;

SELECT 'CREATE DATABASE traversion OWNER traversion'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'traversion') \gexec

ALTER DATABASE traversion OWNER TO traversion;
REVOKE ALL ON DATABASE traversion FROM PUBLIC;
GRANT CONNECT ON DATABASE traversion TO grafana, postgres_exporter, backup;
