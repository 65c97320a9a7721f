#!/bin/bash
# Starts the runner manager from the files beside this script. With an authentication token the
# configuration is complete, and the manager takes this script's place. With a registration token (or
# a runner before 18.10) the runner is registered first, and its registration ends with the pod.
set -eo pipefail

# The signal that asked for the end, once there was one.
asked=""
# What gets it at once, and as which signal if not the same.
child=""
instead=""
# One that came while there was nothing to pass it on to.
missed=""

on_signal() {
  asked="$1"
  interrupted=yes
  if [[ -n "$child" ]]; then
    kill -s "${instead:-$1}" -- "-$child" 2>/dev/null || true
  else
    missed="$1"
  fi
}

# A shell without a trap ignores SIGQUIT, which is how a kubelet ends this image's containers.
trap 'on_signal QUIT' QUIT
trap 'on_signal TERM' TERM INT
# Job control gives each command a process group of its own: the init process sends its signals to
# this script's, and no command gets one but from the trap.
set -m

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$here/settings"
source "$here/export-secrets"

umask 077
mkdir -p "$CONFIG_DIR"
config="$CONFIG_DIR/config.toml"
# Left by a container that ran in this pod before.
rm -f "$CONFIG_DIR/started"

toml_string() {
  local text="$1"
  text="${text//\\/\\\\}"
  text="${text//\"/\\\"}"
  text="${text//$'\n'/\\n}"
  text="${text//$'\r'/\\r}"
  text="${text//$'\t'/\\t}"
  printf '"%s"' "$text"
}

# A line "KEY = value" for a variable that is set. It replaces that of the section.
toml_line() {
  if [[ -n "${!2:-}" ]]; then
    printf '%s = %s\n' "$1" "$(toml_string "${!2}")"
    replaced+="$1 "
  fi
}

# The mounted configuration, with what only the pod knows: the session server's address and the
# credentials of the cache, which a complete configuration takes from no variable.
write_config() {
  local line
  local replaced=" "
  local address="${SESSION_SERVER_ADDRESS:-}"
  # A port follows.
  if [[ "$address" == *:* && "$address" != \[* ]]; then
    address="[$address]"
  fi
  while IFS= read -r line || [[ -n "$line" ]]; do
    if [[ "$replaced" == *" ${line%% =*} "* ]]; then
      continue
    fi
    printf '%s\n' "${line//@SESSION_SERVER_ADDRESS@/$address}"
    [[ "$START" == whole-config ]] || continue
    case "$line" in
      '['*) replaced=" " ;;&
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

# Runs a command to its end, and passes on the signals that come meanwhile.
supervise() {
  local status
  "$@" &
  child=$!
  if [[ -n "$missed" ]]; then
    kill -s "${instead:-$missed}" -- "-$child" 2>/dev/null || true
  fi
  while :; do
    interrupted=""
    wait "$child" && status=0 || status=$?
    # A signal ends the wait, and not the command.
    [[ -n "$interrupted" ]] || break
  done
  child=""
  # Bash may have lost the status of a command that ended while the signal came.
  ((status >= 0)) || status=143
  return "$status"
}

# Takes the runner that this pod registered out of GitLab; not one that pods share, whose token was
# made in GitLab. Waits for a GitLab that is away for two minutes at most.
unregister() {
  if [[ "$UNREGISTER" != true || -n "${CI_SERVER_TOKEN:-}" || "${REGISTRATION_TOKEN:-}" == glrt-* ]] ||
    ! grep -q '^\[\[runners\]\]' "$config" 2>/dev/null; then
    return 0
  fi
  local attempt answer
  for ((attempt = 1; attempt <= 6; attempt++)); do
    answer="$(timeout 15 "$RUNNER" unregister --config "$config" --all-runners 2>&1)" || true
    printf '%s\n' "$answer" >&2
    # Its exit code says nothing. A runner that was unregistered is not in config.toml any more; one
    # that GitLab does not know is refused as forbidden.
    if ! grep -q '^\[\[runners\]\]' "$config" || grep -q forbidden <<< "$answer"; then
      rm -f "$CONFIG_DIR/registered"
      return 0
    fi
    sleep "$ATTEMPT_INTERVAL"
  done
  echo "GitLab did not answer; the runner's registration is left." >&2
}

# Ends the start. A container that was not asked to end starts again in its pod, and finds its
# registration there.
finish() {
  if [[ -n "$asked" ]]; then
    unregister
  fi
  exit "$1"
}

if [[ "$START" == register && -e "$CONFIG_DIR/registered" ]] && ! /bin/bash "$here/check-registration"; then
  rm -f "$CONFIG_DIR/registered"
fi

if [[ -f "$here/find-session-server" ]]; then
  source "$here/find-session-server" || finish $?
fi

# A container that starts again in the same pod finds its registration still there.
if [[ "$START" == whole-config || ! -e "$CONFIG_DIR/registered" ]]; then
  write_config
fi

if [[ "$START" == register ]]; then
  source "$here/register-the-runner" || finish $?
elif [[ -z "${CI_SERVER_TOKEN:-}" ]]; then
  echo "The Secret with the runner's token has no key runner-token, or it is empty." >&2
  finish 1
fi

if [[ -z "$asked" ]]; then
  instead=TERM
  # As scripts written for the official chart expect it.
  export CONFIG_PATH_FOR_INIT="$CONFIG_DIR/"
  supervise /bin/bash "$here/pre-entrypoint-script" || finish $?
  instead=""
fi

run=("$RUNNER" run --config "$config" --working-directory "$WORKING_DIR")
if [[ "$START" == whole-config ]]; then
  trap 'exit 143' QUIT TERM INT
fi
if [[ -n "$asked" ]]; then
  finish 143
fi
touch "$CONFIG_DIR/started"
if [[ "$START" == whole-config ]]; then
  exec "${run[@]}"
fi
# A child here, so that its registration can end after its last job.
supervise "${run[@]}" && finish 0 || finish $?
