#!/bin/bash
# Restores the newest backup and all WAL into a scratch volume, starts PostgreSQL on it, checks what came
# back, and tells Prometheus how it went.
set -euo pipefail
scripts=$(dirname "$0")
pgbackrest=$scripts/pgbackrest-with-keys
started=$(date +%s)
export PGDATA=$SCRATCH_DIRECTORY/data PGHOST=$SCRATCH_DIRECTORY PGUSER=postgres
metrics=$SCRATCH_DIRECTORY/metrics succeeded=0

publish() {
    gauge timescaledb_rehearsal_success "1 when the last rehearsal succeeded" "$succeeded"
    gauge timescaledb_rehearsal_duration_seconds "How long the last rehearsal took" "$(($(date +%s) - started))"
    # POST leaves in place what this run has no value for, such as the time of the last success.
    curl --silent --show-error --fail --retry 3 --retry-connrefused --max-time 20 \
        --data-binary "@$metrics" "$PUSHGATEWAY_URL/metrics/job/timescaledb-rehearsal"
}
gauge() { printf '# HELP %s %s\n# TYPE %s gauge\n%s %s\n' "$1" "$2" "$1" "$1" "$3" >>"$metrics"; }
finish() {
    [ "$succeeded" = 1 ] || echo "the rehearsal FAILED: these backups must not be relied on" >&2
    publish || echo "could not tell Prometheus of it" >&2
    pg_ctl stop --mode immediate --silent 2>/dev/null || true
}
trap finish EXIT
trap 'exit 1' TERM INT

: >"$metrics"
rm -rf "$PGDATA"

# What is archived by now must come back: recovery ends without a word where a segment is missing.
# The archive of an older server under the same name, before a major upgrade, may go on to higher numbers.
newest=$("$pgbackrest" --output=json --repo=1 info | jq --raw-output '.[] |
    (.backup | max_by(.timestamp.stop).database.id) as $server |
    [.archive[] | select(.database.id == $server).max // empty] | max // empty')
[ -n "$newest" ] || { echo "the repository holds no backup with WAL" >&2; exit 1; }

echo "restoring, up to WAL segment $newest"
"$pgbackrest" --repo=1 --pg1-path="$PGDATA" --archive-mode=off restore

# With the parameters of a small server; without hot standby, they may be below those of the original. But one
# transaction looks at every chunk, and locks it.
postgres -D "$PGDATA" -c listen_addresses= -c unix_socket_directories="$SCRATCH_DIRECTORY" \
    -c "shared_preload_libraries=$PRELOAD_LIBRARIES" -c shared_buffers="$SHARED_BUFFERS" -c hot_standby=off \
    -c max_connections=20 -c max_locks_per_transaction=2048 -c fsync=off -c ssl=off -c logging_collector=off -c autovacuum=off &
server=$!
until pg_isready --quiet; do
    kill -0 "$server" 2>/dev/null || { echo "PostgreSQL does not start on what was restored" >&2; exit 1; }
    sleep 1
done

ask() { psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 "$@"; }
ask --dbname postgres --set newest="$newest" --file "$scripts/recovered-wal.sql"
ask --dbname traversion --file "$scripts/recovered-data.sql"
age=$(ask --dbname traversion --file "$scripts/data-age.sql")
pg_amcheck --database traversion --install-missing --heapallindexed --jobs 2
pg_ctl stop --mode fast --silent
pg_checksums --check

succeeded=1
gauge timescaledb_rehearsal_last_success_timestamp_seconds "When a rehearsal last succeeded" "$(date +%s)"
gauge timescaledb_rehearsal_data_age_seconds "Age of the newest commit that the last rehearsal brought back" "$age"
echo "the rehearsal succeeded: the newest commit was $age seconds old when it began"
