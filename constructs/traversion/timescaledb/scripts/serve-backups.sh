#!/bin/bash
# Beside PostgreSQL: lets backup jobs read the database's files, and makes the repositories ready for WAL.
set -euo pipefail
server= watcher= preparer=
# The first process of a container ignores signals that it does not ask for, and a shell waits for its child.
trap 'kill $server $watcher $preparer 2>/dev/null; exit 0' TERM INT

pgbackrest server &
server=$!

# Harmless where they are ready already. While one is away this fails, and the others go on without it. Each try
# holds the lock that backups need: less and less often.
prepare() {
    local pause=0
    until /opt/pgbackrest/pgbackrest-with-keys stanza-create; do
        [ "$pause" -ge 300 ] || pause=$((pause + RETRY_SECONDS))
        echo "the repositories are not ready yet: trying again in $pause seconds"
        sleep "$pause"
    done
}
prepare &
preparer=$!

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
