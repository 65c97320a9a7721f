#!/bin/bash
# Liveness: the manager runs, and GitLab does not say that its runner is gone. GitLab being slow or
# away is no reason to end the jobs of a manager that could go on.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$here/settings"
source "$here/export-secrets"

if pgrep -f register-the-runner > /dev/null; then
  exit 0
fi
pgrep 'gitlab.*runner' > /dev/null || exit 1

answer="$(timeout "${1:-3}" gitlab-runner verify --config "$CONFIG_DIR/config.toml" --url "$CI_SERVER_URL" 2>&1)"
if grep -qE 'is (removed|not valid)' <<< "$answer"; then
  echo "GitLab does not know this runner any more." >&2
  exit 1
fi
exit 0
