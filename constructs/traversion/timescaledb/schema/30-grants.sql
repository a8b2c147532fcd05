-- What the roles may do in the database "traversion". Run there, as a superuser, as often as you like.

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CREATE ON SCHEMA public TO traversion_owner;
GRANT USAGE ON SCHEMA public TO traversion, grafana;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO traversion;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO traversion;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO grafana;
-- Tables that the owner creates later as well.
ALTER DEFAULT PRIVILEGES FOR ROLE traversion_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO traversion;
ALTER DEFAULT PRIVILEGES FOR ROLE traversion_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO traversion;
ALTER DEFAULT PRIVILEGES FOR ROLE traversion_owner IN SCHEMA public GRANT SELECT ON TABLES TO grafana;
