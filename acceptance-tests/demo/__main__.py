"""python -m demo up|down --dir DIR [--provider FILE]: the command of `make demo` and `make demo-down`."""

import argparse
import os
import sys
from pathlib import Path

from cloud.layout import Layout
from cloud.processes import StartFailed
from cloud.supervisor import start_in_background, stop

from . import show
from .leftovers import Inventory
from .stack import EngineFailed, Stack


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("command", choices=["up", "down"])
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--provider", type=Path, help="the provider's binary")
    arguments = parser.parse_args()
    directory = arguments.dir.resolve()
    keep = os.environ.get("KEEP", "") not in ("", "0")
    try:
        if arguments.command == "down":
            return down(directory)
        return up(directory, arguments.provider.resolve(), keep)
    except (StartFailed, EngineFailed) as error:
        print(f"\nThe demo failed: {error}", file=sys.stderr)
        return 1


def up(directory: Path, provider: Path, keep: bool) -> int:
    layout = Layout(directory / "cloud")
    show.heading("A local cloud: AWS, a Kubernetes control plane, GitLab; all on loopback")
    stop(layout)
    cloud = start_in_background(layout)
    kept = False
    try:
        show.cloud(cloud)
        before = Inventory.of(cloud)
        stack = Stack.make(directory / "stack", cloud, provider)
        apply(stack)
        if keep:
            kept = True
            show.kept(stack, cloud)
            return 0
        return destroy(stack, before)
    finally:
        if not kept:
            stop(layout)


def apply(stack: Stack) -> None:
    show.heading("The plan: examples/complete, the whole guide")
    stack.tofu("init", "-input=false")
    stack.tofu("plan", "-input=false", "-out=demo.tfplan")
    show.heading("The apply")
    stack.tofu("apply", "-input=false", "demo.tfplan")
    show.heading("What is there now, asked from AWS and Kubernetes themselves")
    show.node_group(stack)
    show.bucket(stack)
    show.secret(stack)
    show.runner(stack)
    show.heading("A second plan")
    code = stack.tofu("plan", "-input=false", "-detailed-exitcode", good=(0, 2))
    if code != 0:
        raise EngineFailed("the second plan has changes")


def destroy(stack: Stack, before: Inventory) -> int:
    show.heading("The destroy")
    stack.tofu("destroy", "-input=false", "-auto-approve")
    show.heading("What is left")
    left = Inventory.of(stack.cloud).beyond(before)
    show.left(left)
    return 1 if left else 0


def down(directory: Path) -> int:
    layout = Layout(directory / "cloud")
    if (cloud := layout.describe()) is None:
        print("No demo is running.")
        return 0
    stack = Stack.found(directory / "stack", cloud)
    try:
        show.heading("The destroy")
        stack.tofu("destroy", "-input=false", "-auto-approve")
    finally:
        stop(layout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
