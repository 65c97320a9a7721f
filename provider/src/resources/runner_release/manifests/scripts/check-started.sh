#!/bin/bash
# Startup: all that comes before the manager is done, registration and the user's script included.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$here/settings"
[[ -e "$CONFIG_DIR/started" ]]
