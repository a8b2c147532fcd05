#!/bin/bash
# Fills the data directory from a repository: with everything up to TARGET_TIME, or up to the newest WAL. What
# was there is put aside, not overwritten.
set -euo pipefail
pgbackrest=$(dirname "$0")/pgbackrest-with-keys
volume=$(dirname "$PGDATA")
asked="repository $REPOSITORY, ${TARGET_TIME:-newest WAL}"

# The pod of a restored server starts more than once.
if [ "$ONCE" = true ] && [ "$(cat "$volume/restored" 2>/dev/null)" = "$asked" ]; then
    echo "restored before: $asked"
    exit
fi

backups=$("$pgbackrest" --repo="$REPOSITORY" --output=json info)
ask() { jq --raw-output --argjson target "${TARGET_EPOCH:-null}" "$1" <<<"$backups"; }
if [ "$(ask '[.[].backup[]] | length')" = 0 ]; then
    echo "repository $REPOSITORY holds no backup" >&2
    exit 1
fi
if [ "$(ask '[.[].backup[] | select($target == null or .timestamp.stop <= $target)] | length')" = 0 ]; then
    oldest=$(ask '[.[].backup[].timestamp.stop] | min | todate')
    echo "TARGET_TIME $TARGET_TIME is before the oldest backup of repository $REPOSITORY, $oldest" >&2
    exit 1
fi

# Whatever ends this early, the data directory is as it was: the new one grows beside it.
fresh=$PGDATA.restoring
rm -rf "$fresh"
if [ -e "$PGDATA" ]; then
    needed=$(ask '[.[].backup[]] | max_by(.timestamp.stop) | .info.size')
    free=$(df --output=avail --block-size=1 "$volume" | tail -n 1)
    if [ "$free" -lt "$needed" ]; then
        echo "the volume has $free bytes free and $needed are needed beside what is there: grow it first" >&2
        exit 1
    fi
fi

if [ -n "${TARGET_TIME:-}" ]; then
    set -- --type=time "--target=$TARGET_TIME" --target-action=promote
fi
# As an argument, this path would become part of restore_command as well.
PGBACKREST_PG1_PATH=$fresh "$pgbackrest" --repo="$REPOSITORY" --archive-mode="$ARCHIVE_MODE" "$@" restore
if [ -e "$PGDATA" ]; then
    aside=$PGDATA.before-$(date -u +%Y%m%dT%H%M%SZ)
    mv "$PGDATA" "$aside"
    echo "put the old data aside: $aside"
fi
mv "$fresh" "$PGDATA"
printf '%s\n' "$asked" >"$volume/restored"
sync --file-system "$volume"
echo "restored: $asked; the server replays WAL when it starts"
