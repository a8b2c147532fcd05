-- Passwords from the environment, so that they stand in no file and no command line. A variable that is not
-- set leaves its role as it is.

SET password_encryption = 'scram-sha-256';
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';

\getenv traversion_owner TRAVERSION_OWNER_PASSWORD
\getenv traversion TRAVERSION_PASSWORD
\getenv grafana GRAFANA_PASSWORD
\getenv postgres_exporter POSTGRES_EXPORTER_PASSWORD
\getenv backup BACKUP_PASSWORD

\if :{?traversion_owner}
ALTER ROLE traversion_owner PASSWORD :'traversion_owner';
\endif
\if :{?traversion}
ALTER ROLE traversion PASSWORD :'traversion';
\endif
\if :{?grafana}
ALTER ROLE grafana PASSWORD :'grafana';
\endif
\if :{?postgres_exporter}
ALTER ROLE postgres_exporter PASSWORD :'postgres_exporter';
\endif
\if :{?backup}
ALTER ROLE backup PASSWORD :'backup';
\endif
