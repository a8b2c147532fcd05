-- Fails unless recovery replayed the archive's newest segment, :newest.
WITH segments AS (
    SELECT pg_size_bytes(current_setting('wal_segment_size')) AS size,
        ('x' || substr(:'newest', 9, 8))::bit(32)::bigint AS log,
        ('x' || substr(:'newest', 17, 8))::bit(32)::bigint AS number
)
SELECT pg_last_wal_replay_lsn() < '0/0'::pg_lsn + (log * 4294967296 + number * size) AS short,
    pg_last_wal_replay_lsn() AS replayed
FROM segments
\gset
\if :short
\warn recovery ended at :replayed, before the archive''s newest segment :newest: a segment is missing or broken
SELECT 'incomplete'::int;
\endif
