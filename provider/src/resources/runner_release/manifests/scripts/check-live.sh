#!/bin/bash
# Liveness: the manager runs, and GitLab does not say that its runner is gone. GitLab being slow or
# away is no reason to end the jobs of a manager that could go on.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$here/settings"

if ! pgrep 'gitlab.*runner' > /dev/null; then
  # Before its first start nothing is wrong yet.
  [[ ! -e "$CONFIG_DIR/started" ]]
  exit
fi
exec /bin/bash "$here/check-registration" "${1:-3}"
