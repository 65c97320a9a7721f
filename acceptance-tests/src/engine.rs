//! Terraform and OpenTofu.

use std::path::PathBuf;
use std::process::Command;

use crate::Cloud;

/// `tofu` or `terraform`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    name: &'static str,
    path: PathBuf,
    /// Shell commands that run first, in a mount namespace of the engine's own.
    before: Option<&'static str>,
}

/// Mounts the folder [`Engine::SERVICE_ACCOUNT`] where the kubelet mounts it, and executes the engine.
const POD: &str = "if [ -n \"$SERVICE_ACCOUNT\" ]; then \
                   mount -t tmpfs none /var/run && mkdir -p /var/run/secrets/kubernetes.io/serviceaccount && \
                   mount --bind \"$SERVICE_ACCOUNT\" /var/run/secrets/kubernetes.io/serviceaccount || exit 99; fi; \
                   exec \"$0\" \"$@\"";

/// Makes all but [`Engine::WORK`] and `TMPDIR` read-only, and executes the engine.
const AGENT: &str = "if [ -n \"$WORK\" ]; then \
                     mount --rbind / / && mount --bind \"$WORK\" \"$WORK\" && mount --bind \"$TMPDIR\" \"$TMPDIR\" && \
                     mount -o remount,bind,ro / && cd \"$PWD\" || exit 99; fi; \
                     exec \"$0\" \"$@\"";

const UNSHARE: [&str; 4] = ["--user", "--map-root-user", "--mount", "sh"];

/// The minor version of Terraform 1 that introduced write-only arguments.
const OLDEST_TERRAFORM: u32 = 11;

impl Engine {
    /// Environment variable with the service account folder of [`Self::opentofu_in_pod`].
    pub const SERVICE_ACCOUNT: &str = "SERVICE_ACCOUNT";

    /// Environment variable with the folder that is writable for [`Self::opentofu_in_agent`] in addition to `TMPDIR`.
    pub const WORK: &str = "WORK";

    /// The OpenTofu version that `make tools` installs.
    #[must_use]
    pub fn opentofu() -> Self {
        Self { name: "opentofu", path: Cloud::running().tofu().to_owned(), before: None }
    }

    /// OpenTofu with service account files at the path that they have in a pod. They are visible to this process only.
    /// Returns `None` and prints that the test is skipped if the kernel does not allow users to create mount
    /// namespaces.
    #[must_use]
    pub fn opentofu_in_pod() -> Option<Self> {
        Self::opentofu_after(POD, "mount -t tmpfs none /var/run")
    }

    /// OpenTofu with a file system that is read-only except for two folders, as on workspace agents. Returns `None`
    /// like [`Self::opentofu_in_pod`].
    #[must_use]
    pub fn opentofu_in_agent() -> Option<Self> {
        Self::opentofu_after(AGENT, "mount --rbind / / && mount -o remount,bind,ro /")
    }

    fn opentofu_after(before: &'static str, trial: &str) -> Option<Self> {
        let trial = Command::new("unshare").args(UNSHARE).args(["-c", trial]).output();
        match trial {
            Ok(output) if output.status.success() => Some(Self { before: Some(before), ..Self::opentofu() }),
            Ok(output) => skip(&format!("unshare: {}", String::from_utf8_lossy(&output.stderr).trim())),
            Err(error) => skip(&format!("unshare: {error}")),
        }
    }

    /// Terraform from `PATH`. If it is missing or too old, prints that the test is skipped and returns `None`.
    #[must_use]
    pub fn terraform() -> Option<Self> {
        let Some(path) = on_path("terraform") else { return skip("there is no terraform on PATH") };
        let answer = Command::new(&path)
            .args(["version", "-json"])
            .env("CHECKPOINT_DISABLE", "1")
            .env_remove("TF_CLI_CONFIG_FILE")
            .output()
            .ok()?;
        let version = serde_json::from_slice::<serde_json::Value>(&answer.stdout).ok()?;
        let version = version["terraform_version"].as_str()?;
        if minor(version).is_none_or(|minor| minor < OLDEST_TERRAFORM) {
            return skip(&format!("{} is {version}, and 1.{OLDEST_TERRAFORM} is needed", path.display()));
        }
        Some(Self { name: "terraform", path, before: None })
    }

    /// The newer Terraform version that `make tools` installs.
    #[must_use]
    pub fn newer_terraform() -> Self {
        Self { name: "terraform-1.16", path: Cloud::running().tool("terraform-1.16"), before: None }
    }

    /// Name without spaces: `opentofu`, `terraform` or `terraform-1.16`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Command that runs the engine, without arguments.
    pub(crate) fn command(&self) -> tokio::process::Command {
        let Some(before) = self.before else { return tokio::process::Command::new(&self.path) };
        let mut command = tokio::process::Command::new("unshare");
        command.args(UNSHARE).args(["-c", before]).arg(&self.path);
        command
    }
}

fn skip(why: &str) -> Option<Engine> {
    eprintln!("SKIPPED: {why}");
    None
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}

/// Minor version if the major version is 1; the maximum for later major versions.
fn minor(version: &str) -> Option<u32> {
    let mut numbers = version.split(['.', '-']).map_while(|number| number.parse().ok());
    match (numbers.next()?, numbers.next()?) {
        (0, _) => Some(0),
        (1, minor) => Some(minor),
        _ => Some(u32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::minor;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(minor("1.11.4"), Some(11));
        assert_eq!(minor("1.9.0-rc1"), Some(9));
        assert_eq!(minor("0.15.5"), Some(0));
        assert_eq!(minor("2.0.0"), Some(u32::MAX));
        assert_eq!(minor("new"), None);
    }
}
