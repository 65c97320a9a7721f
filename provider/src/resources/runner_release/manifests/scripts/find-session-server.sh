# Finds the address of the session server's load balancer. Sourced by the start.
kubernetes_get() {
  local account=/var/run/secrets/kubernetes.io/serviceaccount
  local host="$KUBERNETES_SERVICE_HOST"
  if [[ "$host" == *:* ]]; then
    host="[$host]"
  fi
  local url="https://$host:$KUBERNETES_SERVICE_PORT$1"
  local authorization="Authorization: Bearer $(< "$account/token")"
  if command -v curl > /dev/null; then
    curl --silent --fail --max-time 10 --cacert "$account/ca.crt" --header "$authorization" "$url"
  else
    wget -q -O - --timeout=10 --ca-certificate="$account/ca.crt" --header="$authorization" "$url"
  fi
}

for ((attempt = 1; attempt <= ATTEMPTS; attempt++)); do
  service="$(kubernetes_get "$SESSION_SERVER_SERVICE" || true)"
  ingress="${service#*\"ingress\"}"
  if [[ "$ingress" != "$service" && "$ingress" =~ \"(ip|hostname)\":[[:space:]]*\"([^\"]+)\" ]]; then
    SESSION_SERVER_ADDRESS="${BASH_REMATCH[2]}"
    break
  fi
  echo "Attempt $attempt of $ATTEMPTS: the session server's load balancer has no address yet." >&2
  sleep "$ATTEMPT_INTERVAL"
  if [[ -n "$asked" ]]; then
    return 143
  fi
done
if [[ -z "${SESSION_SERVER_ADDRESS:-}" ]]; then
  return 1
fi
