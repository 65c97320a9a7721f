# Registers the runner, or verifies the one of an authentication token, and so completes config.toml.
# Sourced by the start; returns 0 when that is done.
if [[ -e "$CONFIG_DIR/registered" ]]; then
  echo "This pod is registered already."
  return 0
fi
if [[ -z "${CI_SERVER_TOKEN:-}${REGISTRATION_TOKEN:-}" ]]; then
  echo "The Secret with the runner's token has neither runner-token nor runner-registration-token." >&2
  return 1
fi

# GitLab keeps these settings for a runner that was made there, and register refuses them.
if [[ "${CI_SERVER_TOKEN:-}" == glrt-* ]]; then
  unset REGISTER_LOCKED RUNNER_TAG_LIST REGISTER_RUN_UNTAGGED REGISTER_ACCESS_LEVEL REGISTER_MAXIMUM_TIMEOUT
fi

for ((attempt = 1; attempt <= ATTEMPTS; attempt++)); do
  # No signal reaches an attempt: GitLab may have made the runner already. GitLab itself ends a request
  # after 60 seconds. Interrupted after that, register takes a runner that it has just made out again.
  if timeout -s INT 60 "$RUNNER" register --config "$config" --template-config "$here/config.template.toml" \
    --non-interactive "${register_arguments[@]}"; then
    touch "$CONFIG_DIR/registered"
    return 0
  fi
  if [[ -n "$asked" ]]; then
    return 143
  fi
  echo "Attempt $attempt of $ATTEMPTS to register failed." >&2
  if ((attempt < ATTEMPTS)); then
    sleep "$ATTEMPT_INTERVAL"
  fi
  if [[ -n "$asked" ]]; then
    return 143
  fi
done
return 1
