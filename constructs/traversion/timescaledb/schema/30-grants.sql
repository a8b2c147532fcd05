-- What the roles may do in the database "traversion". Run there, as a superuser, as often as you like.

REVOKE CREATE ON SCHEMA public FROM PUBLIC, traversion;
GRANT CREATE ON SCHEMA public TO traversion_owner;
GRANT USAGE ON SCHEMA public TO traversion, grafana;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO traversion;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO traversion;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO grafana;
-- Roll-ups count as tables; only their refresh writes them.
SELECT format('REVOKE INSERT, UPDATE, DELETE ON %s FROM traversion', relation)
FROM unnest(ARRAY[to_regclass('public.events_hourly'), to_regclass('public.metrics_hourly')]) AS relation
WHERE relation IS NOT NULL
\gexec
-- TimescaleDB lets everybody have procedures run in the background, also whoever may only read.
SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', oid::regprocedure),
    format('GRANT EXECUTE ON FUNCTION %s TO traversion_owner', oid::regprocedure)
FROM pg_proc
WHERE proname = 'add_job'
\gexec
-- Tables that the owner creates later as well.
ALTER DEFAULT PRIVILEGES FOR ROLE traversion_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO traversion;
ALTER DEFAULT PRIVILEGES FOR ROLE traversion_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO traversion;
ALTER DEFAULT PRIVILEGES FOR ROLE traversion_owner IN SCHEMA public GRANT SELECT ON TABLES TO grafana;
