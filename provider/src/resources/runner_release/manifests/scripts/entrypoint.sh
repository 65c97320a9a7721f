#!/bin/bash
# Starts the runner manager from the files beside this script. With an authentication token the
# configuration is complete; with a registration token (or a runner before 18.10) the runner is
# registered first, and unregistered at the end when the release is being destroyed.
set -eo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$here/settings"
source "$here/export-secrets"

umask 077
mkdir -p "$CONFIG_DIR"
config="$CONFIG_DIR/config.toml"

toml_string() {
  local text="$1"
  text="${text//\\/\\\\}"
  text="${text//\"/\\\"}"
  text="${text//$'\n'/\\n}"
  text="${text//$'\r'/\\r}"
  text="${text//$'\t'/\\t}"
  printf '"%s"' "$text"
}

# A line "KEY = value" for a variable that is set.
toml_line() {
  if [[ -n "${!2:-}" ]]; then
    printf '%s = %s\n' "$1" "$(toml_string "${!2}")"
  fi
}

# The mounted configuration, with what only the pod knows: the session server's address and the
# credentials of the cache, which a complete configuration takes from no variable.
write_config() {
  local line
  while IFS= read -r line || [[ -n "$line" ]]; do
    printf '%s\n' "${line//@SESSION_SERVER_ADDRESS@/${SESSION_SERVER_ADDRESS:-}}"
    [[ "$START" == whole-config ]] || continue
    case "$line" in
      '[runners.cache.s3]')
        toml_line AccessKey CACHE_S3_ACCESS_KEY
        toml_line SecretKey CACHE_S3_SECRET_KEY
        ;;
      '[runners.cache.gcs]')
        toml_line CredentialsFile GOOGLE_APPLICATION_CREDENTIALS
        toml_line AccessID CACHE_GCS_ACCESS_ID
        toml_line PrivateKey CACHE_GCS_PRIVATE_KEY
        ;;
      '[runners.cache.azure]')
        toml_line AccountName CACHE_AZURE_ACCOUNT_NAME
        toml_line AccountKey CACHE_AZURE_ACCOUNT_KEY
        ;;
    esac
  done < "$here/config.toml" > "$config.new"
  mv "$config.new" "$config"
}

if [[ -f "$here/find-session-server" ]]; then
  source "$here/find-session-server"
fi

# A container that starts again in the same pod finds its registration still there.
if [[ "$START" == whole-config || ! -e "$CONFIG_DIR/registered" ]]; then
  write_config
fi

if [[ "$START" == register ]]; then
  /bin/bash "$here/register-the-runner"
elif [[ -z "${CI_SERVER_TOKEN:-}" ]]; then
  echo "The Secret with the runner's token has no key runner-token, or it is empty." >&2
  exit 1
fi

/bin/bash "$here/pre-entrypoint-script"

run=("$RUNNER" run --config "$config" --working-directory "$WORKING_DIR")
if [[ "$START" == whole-config ]]; then
  exec "${run[@]}"
fi

# The manager is a child here, so that its registration can end after its last job. Job control
# gives it a process group of its own: it gets each signal once, from the traps.
set -m
"${run[@]}" &
manager=$!
trap 'kill -s QUIT "$manager" 2>/dev/null || true' QUIT
trap 'kill -s TERM "$manager" 2>/dev/null || true' TERM INT
status=0
while kill -0 "$manager" 2>/dev/null; do
  wait "$manager" && status=0 || status=$?
done

# Destroying the release says so beforehand, by the ConfigMap or by a file in the pod. Any other
# end is a replacement, and its runner must stay in GitLab.
if [[ -e "$CONFIG_DIR/unregister-on-stop" || "$(cat "$here/unregister-on-stop" 2>/dev/null)" == true ]]; then
  "$RUNNER" unregister --config "$config" --all-runners && rm -f "$CONFIG_DIR/registered"
fi
exit "$status"
