#!/bin/bash
# Fails only when GitLab says that a runner of config.toml was removed. Takes seconds to wait at most.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$here/settings"
source "$here/export-secrets"

# All runners of config.toml are meant. `verify` selects some by an address and a token, which it takes
# from the environment until 19.2. An empty address is any address from 18.9 on, so the variable that a
# complete config.toml refers to may stay; what registered has its token in config.toml.
unset RUNNER_NAME
if [[ "$START" == register ]]; then
  unset CI_SERVER_TOKEN
fi
answer="$(timeout "${1:-10}" "$RUNNER" verify --config "$CONFIG_DIR/config.toml" --url= 2>&1)"
if grep -qE 'is (removed|not valid)' <<< "$answer"; then
  echo "GitLab does not know this runner any more." >&2
  exit 1
fi
exit 0
