#!/bin/bash
# Takes one backup, alone: every backup job first asks for the same lock. Then tells Prometheus what there is.
set -euo pipefail
scripts=$(dirname "$0")
pgbackrest=$scripts/pgbackrest-with-keys

backup() {
    local tries=12
    until "$pgbackrest" --repo="$REPOSITORY" --type="$BACKUP_TYPE" backup | tee /tmp/said; do
        # Backups wait for each other, so whoever still has the agent's lock is dead, and the agent will notice.
        tries=$((tries - 1))
        if [ "$tries" -eq 0 ] || ! grep -q LockAcquireError /tmp/said; then return 1; fi
        sleep 5
    done
}

dump() {
    local file
    file=dump/traversion-$(date -u +%Y%m%dT%H%M%SZ).dump
    PGBACKREST_CIPHER_PASS=$(cat "/etc/pgbackrest-keys/repo$REPOSITORY-cipher-pass")
    export PGBACKREST_CIPHER_PASS
    # What cannot be read back to its last row is no dump.
    if ! pg_dump --format custom --dbname traversion | "$pgbackrest" --repo="$REPOSITORY" repo-put "$file" ||
        ! "$pgbackrest" --repo="$REPOSITORY" repo-get "$file" | pg_restore --file /dev/null; then
        "$pgbackrest" --repo="$REPOSITORY" repo-rm "$file"
        echo "the dump failed" >&2
        return 1
    fi
    echo "wrote $file to repository $REPOSITORY"
    # Only after a newer one an old dump may go, and that one stays whatever its age.
    "$pgbackrest" --repo="$REPOSITORY" --output=json repo-ls dump |
        jq -r --argjson kept "$DUMP_RETENTION_SECONDS" --arg newest "${file#dump/}" \
            'to_entries[] | select(.value.type == "file" and .key != $newest and .value.time < now - $kept) | .key' |
        while read -r old; do
            "$pgbackrest" --repo="$REPOSITORY" repo-rm "dump/$old"
            echo "deleted dump/$old"
        done
}

if [ "${1:-}" = alone ]; then
    backup
    [ -z "${DUMP_RETENTION_SECONDS:-}" ] || dump
    # The backup is there whether or not anybody hears of it; silence becomes an alert by itself.
    bash "$scripts/publish-backups.sh" || echo "could not tell Prometheus of it" >&2
    exit
fi

# psql holds the lock as long as it lives; the server takes it back from one that died.
rm -f /tmp/done
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname postgres --set script="$0" >/dev/null <<'SQL'
SELECT pg_advisory_lock(hashtext('traversion backup'));
\setenv SCRIPT :script
\! bash "$SCRIPT" alone </dev/null >&2 && touch /tmp/done
SQL
[ -e /tmp/done ]
