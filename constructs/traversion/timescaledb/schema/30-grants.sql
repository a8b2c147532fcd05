-- What the roles may do in the database "traversion". Run there, as a superuser, as often as you like.

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO grafana;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO grafana;
-- Tables that the API creates later are readable as well.
ALTER DEFAULT PRIVILEGES FOR ROLE traversion IN SCHEMA public GRANT SELECT ON TABLES TO grafana;
