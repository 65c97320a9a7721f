#!/bin/bash
# Registers the runner, or verifies the one of an authentication token, and so completes config.toml.
set -eo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$here/settings"
source "$here/export-secrets"

config="$CONFIG_DIR/config.toml"
if [[ -e "$CONFIG_DIR/registered" ]]; then
  echo "This pod is registered already."
  exit 0
fi
if [[ -z "${CI_SERVER_TOKEN:-}${REGISTRATION_TOKEN:-}" ]]; then
  echo "The Secret with the runner's token has neither runner-token nor runner-registration-token." >&2
  exit 1
fi

# GitLab keeps these settings for a runner that was made there, and register refuses them.
if [[ "${CI_SERVER_TOKEN:-}" == glrt-* ]]; then
  unset REGISTER_LOCKED RUNNER_TAG_LIST REGISTER_RUN_UNTAGGED REGISTER_ACCESS_LEVEL REGISTER_MAXIMUM_TIMEOUT
fi

trap 'exit 143' TERM INT QUIT
for ((attempt = 1; attempt <= ATTEMPTS; attempt++)); do
  if "$RUNNER" register --config "$config" --template-config "$here/config.template.toml" \
    --non-interactive "${register_arguments[@]}"; then
    touch "$CONFIG_DIR/registered"
    exit 0
  fi
  echo "Attempt $attempt of $ATTEMPTS to register failed." >&2
  if ((attempt < ATTEMPTS)); then
    sleep "$ATTEMPT_INTERVAL" &
    wait $!
  fi
done
exit 1
