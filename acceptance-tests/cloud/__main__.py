"""The command line: python -m cloud up|down|run."""

import argparse
import sys
from pathlib import Path

from .layout import REPOSITORY, Layout
from .processes import StartFailed
from .supervisor import AlreadyRunning, Supervisor, running_pid, start_in_background, stop


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m cloud", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "run"])
    parser.add_argument("--dir", type=Path, default=REPOSITORY / ".cloud")
    parser.add_argument("--quiet", action="store_true", help="do not print the environment")
    arguments = parser.parse_args()
    layout = Layout(arguments.dir.resolve())
    try:
        return COMMANDS[arguments.command](layout, arguments.quiet)
    except (StartFailed, AlreadyRunning, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1


def up(layout: Layout, quiet: bool) -> int:
    description = layout.describe() if running_pid(layout) else None
    if description is None:
        description = start_in_background(layout)
    if not quiet:
        print(environment(description))
    return 0


def down(layout: Layout, quiet: bool) -> int:
    stopped = stop(layout)
    if not quiet:
        what = "stopped" if stopped else "was not running"
        print(f"The local cloud in {layout.root} {what}.")
    return 0


def run(layout: Layout, quiet: bool) -> int:
    if not quiet:
        print(f"Starting; {layout.description} appears when all is ready. Ctrl-C stops.")
    return Supervisor(layout).run()


COMMANDS = {"up": up, "down": down, "run": run}


def environment(description: dict) -> str:
    """Returns shell commands that set the environment for the cloud, with comments."""
    aws, kubernetes = description["aws"], description["kubernetes"]
    gitlab, node = description["gitlab"], description["node"]
    if "name" in node:
        of_node = f'There is a real node, "{node["name"]}"; its label and taint are {node["label"]}=true.'
    else:
        of_node = f"There is no real node: {node['missing']}."
    return f"""\
# The local cloud runs in {description["directory"]} (supervisor: process {description["pid"]}).
# AWS account {aws["account"]} with the EKS cluster "{aws["cluster"]}":
export AWS_ENDPOINT_URL={aws["endpoint"]}
export AWS_ACCESS_KEY_ID={aws["access_key_id"]}
export AWS_SECRET_ACCESS_KEY={aws["secret_access_key"]}
export AWS_REGION={description["region"]}
# Kubernetes {kubernetes["host"]}, as administrator:
export KUBE_CONFIG_PATH={kubernetes["kubeconfig"]}
export KUBECONFIG={kubernetes["kubeconfig"]}
# {of_node}
# GitLab; any glrt-... token is taken:
export GITLAB_URL={gitlab["url"]}
# Tools and all the rest: {description["directory"]}/cloud.json
export PATH={Path(description["tools"]["tofu"]).parent}:$PATH
# `make cloud-down` stops it."""


if __name__ == "__main__":
    sys.exit(main())
