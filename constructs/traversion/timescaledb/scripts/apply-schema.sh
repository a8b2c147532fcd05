#!/bin/sh
# Brings the server to the schema beside this file, from nothing or from any earlier state of it.
set -eu
cd "$(dirname "$0")"

until pg_isready --quiet; do
    echo "waiting for $PGHOST to accept connections"
    sleep 2
done

# One transaction per file: a failure leaves no half of it. CREATE DATABASE cannot be in one.
psql="psql --no-psqlrc --quiet --set ON_ERROR_STOP=1"
$psql --dbname postgres --file 00-roles.sql
for file in 10-tables.sql 20-policies.sql 30-grants.sql 90-passwords.sql; do
    echo "applying $file"
    $psql --single-transaction --dbname traversion --file "$file" >/dev/null
done
echo "schema is up to date"
