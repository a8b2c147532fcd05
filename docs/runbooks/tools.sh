# Sourced by whoever follows a runbook: `. docs/runbooks/tools.sh traversion-system`. The argument is the
# namespace of the environment; without it, production's.
namespace=${1:-traversion-system}

# Ask the database, as its superuser: sql <<'SQL' ... SQL
sql() {
  kubectl exec -i timescaledb-0 -c timescaledb -n "$namespace" -- \
    psql --no-psqlrc --username=postgres --dbname=traversion "$@"
}

# Ask Redis, as its administrator and through its socket: redis INFO memory
redis() {
  kubectl exec redis-0 -c redis -n "$namespace" -- \
    sh -c 'REDISCLI_AUTH=$REDIS_ADMIN_PASSWORD exec redis-cli -s /run/redis/redis.sock --user admin --no-auth-warning "$@"' sh "$@"
}

# Ask Prometheus: promql 'up == 0'
promql() {
  kubectl exec prometheus-0 -c prometheus -n "$namespace" -- promtool query instant http://localhost:9090 "$1"
}
