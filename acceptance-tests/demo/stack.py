"""A directory with examples/complete, in which tofu runs."""

import os
import platform
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cloud.layout import REPOSITORY

VERSION = "0.1.0"
NAMESPACE = "gitlab-runner"
BUCKET = "demo-runner-cache"
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


class EngineFailed(Exception):
    pass


@dataclass(frozen=True)
class Stack:
    folder: Path
    cloud: dict

    @classmethod
    def make(cls, folder: Path, cloud: dict, provider: Path) -> "Stack":
        """Creates a directory with the example, its modules, and a mirror with the provider."""
        shutil.rmtree(folder, ignore_errors=True)
        for part in ("complete", "modules"):
            # Without files of earlier runs in the repository: state, variables, providers.
            left_out = shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfvars*")
            shutil.copytree(REPOSITORY / "examples" / part, folder / part, ignore=left_out)
        target = f"{platform.system().lower()}_{MACHINES.get(platform.machine(), platform.machine())}"
        package = folder / "mirror/registry.opentofu.org/gitlabspot/gitlabspot" / VERSION / target
        package.mkdir(parents=True)
        shutil.copy(provider, package / f"terraform-provider-gitlabspot_v{VERSION}")
        (folder / "home").mkdir()
        (folder / "tofu.rc").write_text(
            f'provider_installation {{\n  filesystem_mirror {{\n    path = "{folder}/mirror"\n  }}\n}}\n'
        )
        stack = cls(folder, cloud)
        exports = [f"export {name}={shlex.quote(value)}" for name, value in stack.environment().items()]
        (folder / "environment").touch(mode=0o600)
        (folder / "environment").write_text("\n".join(exports) + "\n")
        return stack

    @classmethod
    def found(cls, folder: Path, cloud: dict) -> "Stack":
        return cls(folder, cloud)

    def environment(self) -> dict[str, str]:
        """Returns the environment of a user: credentials, endpoints of the local cloud, and variables."""
        aws = self.cloud["aws"]
        return {
            "AWS_ENDPOINT_URL": aws["endpoint"],
            "AWS_ACCESS_KEY_ID": aws["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": aws["secret_access_key"],
            "AWS_REGION": self.cloud["region"],
            "TF_VAR_cluster_name": aws["cluster"],
            "TF_VAR_cache_bucket": BUCKET,
            "TF_VAR_namespace": NAMESPACE,
            "TF_VAR_gitlab_url": self.cloud["gitlab"]["url"],
            "TF_VAR_registration_token": "a-registration-token-of-the-demo",
            "TF_CLI_CONFIG_FILE": str(self.folder / "tofu.rc"),
            "TF_CLI_ARGS": "" if sys.stdout.isatty() else "-no-color",
        }

    def tofu(self, *arguments: str, good: tuple[int, ...] = (0,)) -> int:
        """Runs tofu in a clean environment, and shows its output."""
        print(f"\n$ tofu {' '.join(arguments)}", flush=True)
        command = [self.cloud["tools"]["tofu"], *arguments]
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "TERM": os.environ.get("TERM", "dumb"),
            **self.environment(),
        }
        code = subprocess.run(command, cwd=self.folder / "complete", env=env).returncode
        if code not in good:
            raise EngineFailed(f"tofu {arguments[0]} ended with {code}")
        return code

    def output(self, name: str) -> str:
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder / "home"), **self.environment()}
        command = [self.cloud["tools"]["tofu"], "output", "-raw", name]
        folder = self.folder / "complete"
        return subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True, text=True).stdout

    def client(self, service: str):
        """Returns a boto3 client of the account, which reads objects independently of the provider."""
        import boto3
        from botocore.config import Config

        aws = self.cloud["aws"]
        return boto3.client(
            service,
            endpoint_url=aws["endpoint"],
            region_name=self.cloud["region"],
            aws_access_key_id=aws["access_key_id"],
            aws_secret_access_key=aws["secret_access_key"],
            config=Config(s3={"addressing_style": "path"}, proxies={}),
        )
