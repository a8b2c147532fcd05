#!/bin/bash
# Beside PostgreSQL: makes the repositories ready for WAL, then lets backup jobs read the database's files.
set -euo pipefail
server= watcher=
rm -f /tmp/serving
# The first process of a container ignores signals that it does not ask for, and a shell waits for its child.
trap 'kill $server $watcher 2>/dev/null; exit 0' TERM INT

# Harmless where they are ready already.
until /opt/pgbackrest/pgbackrest-with-keys stanza-create; do
    echo "the repositories are not ready yet: trying again"
    sleep "$RETRY_SECONDS" &
    wait $!
done

pgbackrest server &
server=$!
touch /tmp/serving

# The server reads a renewed certificate when it is told to; running backups go on.
watch_certificate() {
    local served current
    served=$(cat "$CERTIFICATE_DIRECTORY"/tls.crt "$CERTIFICATE_DIRECTORY"/tls.key | sha256sum)
    while sleep "$INTERVAL_SECONDS"; do
        current=$(cat "$CERTIFICATE_DIRECTORY"/tls.crt "$CERTIFICATE_DIRECTORY"/tls.key | sha256sum)
        if [ "$current" != "$served" ] && kill -HUP "$server"; then
            served=$current
            echo "the backup server was told to read its certificate"
        fi
    done
}
watch_certificate &
watcher=$!
wait "$server"
