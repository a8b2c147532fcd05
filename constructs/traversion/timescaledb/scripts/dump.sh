#!/bin/sh
# Writes one dump of the database, checks that it can be read back, and deletes those past their retention.
set -eu
dump="$DUMP_DIRECTORY/traversion-$(date -u +%Y%m%dT%H%M%SZ).dump"

rm -f "$DUMP_DIRECTORY"/*.partial
pg_dump --format custom --dbname traversion --file "$dump.partial"
pg_restore --list "$dump.partial" >/dev/null
mv "$dump.partial" "$dump"
echo "wrote $dump, $(wc -c <"$dump") bytes"

# Only a newer dump lets an old one go, so the newest stays whatever its age.
find "$DUMP_DIRECTORY" -name 'traversion-*.dump' ! -path "$dump" -mmin "+$RETENTION_MINUTES" -print -delete
