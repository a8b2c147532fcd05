#!/bin/sh
# cert-manager renews the certificate and the kubelet swaps the files; servers read them when told to.
# The arguments are the command that tells the server. While it fails, the server keeps what it has, and
# is told again at the next look.
set -eu
# The first process of a container ignores signals that it does not ask for, and a shell waits for its child.
trap 'exit 0' TERM INT
served=none
while sleep "$INTERVAL_SECONDS" & wait $!; do
    current=$(cat "$CERTIFICATE_DIRECTORY"/tls.crt "$CERTIFICATE_DIRECTORY"/tls.key | sha256sum)
    if [ "$current" != "$served" ] && "$@" >/dev/null; then
        served=$current
        echo "The server was told to read its certificate"
    fi
done
