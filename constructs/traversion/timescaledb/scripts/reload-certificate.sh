#!/bin/sh
# cert-manager renews the certificate and the kubelet swaps the files; PostgreSQL reads them when told to.
# New connections then get the new certificate, open ones go on.
set -eu
# The first process of a container ignores signals that it does not ask for, and a shell waits for its child.
trap 'exit 0' TERM INT
served=none
while sleep "$INTERVAL_SECONDS" & wait $!; do
    current=$(cat "$CERTIFICATE_DIRECTORY"/tls.crt "$CERTIFICATE_DIRECTORY"/tls.key | sha256sum)
    if [ "$current" != "$served" ] && psql --no-psqlrc --quiet --username postgres --dbname postgres \
        --command 'SELECT pg_reload_conf()' >/dev/null; then
        served=$current
        echo "PostgreSQL was told to read its certificate"
    fi
done
