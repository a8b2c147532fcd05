-- Seconds from the newest commit that came back, or the newest event if that is newer, to now.
SELECT greatest(0, round(extract(epoch FROM now() - greatest(
    pg_last_xact_replay_timestamp(), (SELECT max("timestamp") FROM events WHERE "timestamp" <= now())
))))
