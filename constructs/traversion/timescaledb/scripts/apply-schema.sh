#!/bin/sh
# Brings the server to the schema beside this file, from nothing or from any earlier state of it. Whoever comes
# second waits for the first.
set -eu
cd "$(dirname "$0")"

# Without .psqlrc: whoever updates the extension must do so before anything else in the session.
run() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 "$@"; }
# Without the library of the extension: it may be about to change, or be gone from the image.
look() { PGOPTIONS='-c timescaledb.disable_load=on' run --tuples-only --no-align "$@"; }

if [ "${1:-}" != alone ]; then
    until pg_isready --quiet; do
        echo "waiting for $PGHOST to accept connections"
        sleep 2
    done
    # It may still be the pod that a newer image is about to replace; then there is nothing to update yet.
    installed=$(dirname "$(dirname "$(command -v psql)")")
    control=$installed/../../../share/postgresql/$(basename "$installed")/extension/timescaledb.control
    if [ -e "$control" ]; then
        version=$(sed -n "s/^default_version = '\(.*\)'\$/\1/p" "$control")
        offered="SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb'"
        until [ "$(look --dbname postgres --command "$offered")" = "$version" ]; do
            echo "waiting for a server with timescaledb $version"
            sleep 2
        done
    fi
    # psql holds the lock as long as it lives; the server takes it back from one that died.
    exec 3>&1
    outcome=$(
        look --dbname postgres <<'SQL'
SELECT pg_advisory_lock(hashtext('traversion schema')) \g /dev/null
\! sh ./apply-schema.sh alone </dev/null >&3 && echo applied
SQL
    )
    [ "$outcome" = applied ]
    exit
fi
unset PGOPTIONS

# A newer image brings a newer extension, and every database has to be told.
outdated="
    SELECT extversion || ' -> ' || default_version
    FROM pg_extension JOIN pg_available_extensions ON name = extname
    WHERE extname = 'timescaledb'
        AND string_to_array(split_part(extversion, '-', 1), '.')::int[]
            < string_to_array(split_part(default_version, '-', 1), '.')::int[]"
databases=$(look --dbname postgres --command 'SELECT datname FROM pg_database WHERE datallowconn ORDER BY 1')
printf '%s\n' "$databases" | while IFS= read -r database; do
    export PGDATABASE="$database"
    versions=$(look --command "$outdated")
    if [ -n "$versions" ]; then
        echo "updating timescaledb in $database: $versions"
        run --command 'ALTER EXTENSION timescaledb UPDATE'
    fi
done

# One transaction per file: a failure leaves no half of it. What creates a database or fills a roll-up cannot be
# in one; it goes on where it failed.
echo "applying 00-roles.sql"
run --dbname postgres --file 00-roles.sql
echo "applying 10-tables.sql"
run --dbname traversion --single-transaction --file 10-tables.sql >/dev/null
echo "applying 15-rollups.sql"
run --dbname traversion --file 15-rollups.sql >/dev/null
for file in 20-policies.sql 30-grants.sql 90-passwords.sql; do
    echo "applying $file"
    run --dbname traversion --single-transaction --file "$file" >/dev/null
done
echo "schema is up to date"
