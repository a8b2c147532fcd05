#!/bin/bash
# Restores a dump from the archive into the new database "traversion_restored", beside the one in use.
set -euo pipefail
pgbackrest=$(dirname "$0")/pgbackrest-with-keys
PGBACKREST_CIPHER_PASS=$(cat "/etc/pgbackrest-keys/repo$REPOSITORY-cipher-pass")
export PGBACKREST_CIPHER_PASS

if [ "$DUMP" = latest ]; then
    DUMP=$("$pgbackrest" --repo="$REPOSITORY" --output=json repo-ls dump |
        jq --raw-output '[to_entries[] | select(.value.type == "file") | .key] | max // empty')
    [ -n "$DUMP" ] || { echo "repository $REPOSITORY holds no dump" >&2; exit 1; }
fi
echo "restoring $DUMP into the database traversion_restored"

run() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 "$@"; }
# Left over from a try that failed; a database of that name which somebody looks at makes this one fail.
run --dbname postgres --command 'DROP DATABASE IF EXISTS traversion_restored'
run --dbname postgres --command 'CREATE DATABASE traversion_restored OWNER traversion_owner TEMPLATE template0'
run --dbname traversion_restored --command 'CREATE EXTENSION IF NOT EXISTS timescaledb;'
run --dbname traversion_restored --command 'SELECT timescaledb_pre_restore()' >/dev/null
# In one process: the catalog of TimescaleDB does not survive a parallel restore.
"$pgbackrest" --repo="$REPOSITORY" repo-get "dump/$DUMP" |
    pg_restore --exit-on-error --dbname traversion_restored
run --dbname traversion_restored --command 'SELECT timescaledb_post_restore()' >/dev/null
# The policies came along, and would drop what is older than they allow while somebody looks for it.
run --dbname traversion_restored >/dev/null <<'SQL'
SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs
WHERE proc_name IN ('policy_retention', 'policy_compression');
ANALYZE;
SQL
echo "restored $DUMP: look at the database traversion_restored"
