# From what `pgbackrest info` and `pgbackrest repo-ls dump` print to metrics.
# Names and units stand in observability/metrics.py as well; a test compares them.
def name: {"1": "primary", "2": "offsite", "3": "archive"}[tostring];
def kind: {"full": "full", "diff": "incremental", "incr": "incremental"}[.];
def line($family; $labels; $value):
    $family + "{" + ([$labels | to_entries[] | "\(.key)=\"\(.value)\""] | join(",")) + "} \($value)";
def family($name; $help; lines): "# HELP \($name) \($help)", "# TYPE \($name) gauge", lines;

[.[0][].backup[] | {
    labels: {repository: (.database["repo-key"] | name), type: (.type | kind)},
    start: .timestamp.start, stop: .timestamp.stop,
    database: .info.size, added: .info.repository.delta, damaged: .error
}] as $backups |
[.[1] // {} | to_entries[] | select(.value.type == "file") | {
    labels: {repository: "archive", type: "dump"}, start: null, stop: .value.time,
    database: null, added: .value.size, damaged: false
}] as $dumps |
[($backups + $dumps) | group_by(.labels)[] | sort_by(.stop) | {first: .[0], last: .[-1], count: length}] as $kinds |

family("timescaledb_backup_last_completion_timestamp_seconds"; "When the newest backup was complete";
    $kinds[] | line("timescaledb_backup_last_completion_timestamp_seconds"; .last.labels; .last.stop)),
family("timescaledb_backup_oldest_timestamp_seconds"; "When the oldest backup that is kept was complete";
    $kinds[] | line("timescaledb_backup_oldest_timestamp_seconds"; .first.labels; .first.stop)),
family("timescaledb_backup_count"; "Backups that are kept";
    $kinds[] | line("timescaledb_backup_count"; .last.labels; .count)),
family("timescaledb_backup_last_added_bytes"; "What the newest backup added to its repository";
    $kinds[] | line("timescaledb_backup_last_added_bytes"; .last.labels; .last.added)),
family("timescaledb_backup_last_duration_seconds"; "How long the newest backup took";
    $kinds[] | select(.last.start) |
    line("timescaledb_backup_last_duration_seconds"; .last.labels; .last.stop - .last.start)),
family("timescaledb_backup_last_damaged"; "1 when the newest backup found pages with wrong checksums";
    $kinds[] | select(.last.start) |
    line("timescaledb_backup_last_damaged"; .last.labels; if .last.damaged then 1 else 0 end))
