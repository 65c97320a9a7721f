//! The programs that users run the provider with.

use std::path::PathBuf;
use std::process::Command;

use crate::Cloud;

/// `tofu` or `terraform`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    name: &'static str,
    path: PathBuf,
    /// Commands of a shell, in a mount namespace of its own, that come before it.
    before: Option<&'static str>,
}

/// Lays the folder [`Engine::SERVICE_ACCOUNT`] where the kubelet lays it, and becomes the engine.
const POD: &str = "if [ -n \"$SERVICE_ACCOUNT\" ]; then \
                   mount -t tmpfs none /var/run && mkdir -p /var/run/secrets/kubernetes.io/serviceaccount && \
                   mount --bind \"$SERVICE_ACCOUNT\" /var/run/secrets/kubernetes.io/serviceaccount || exit 99; fi; \
                   exec \"$0\" \"$@\"";

/// Leaves the folders [`Engine::WORK`] and `TMPDIR` writable, and nothing else, and becomes the engine.
const AGENT: &str = "if [ -n \"$WORK\" ]; then \
                     mount --rbind / / && mount --bind \"$WORK\" \"$WORK\" && mount --bind \"$TMPDIR\" \"$TMPDIR\" && \
                     mount -o remount,bind,ro / && cd \"$PWD\" || exit 99; fi; \
                     exec \"$0\" \"$@\"";

const UNSHARE: [&str; 4] = ["--user", "--map-root-user", "--mount", "sh"];

/// Write-only arguments came with this minor version of Terraform 1.
const OLDEST_TERRAFORM: u32 = 11;

impl Engine {
    /// Environment variable that tells [`Self::opentofu_in_pod`] where its service account is.
    pub const SERVICE_ACCOUNT: &str = "SERVICE_ACCOUNT";

    /// Environment variable that tells [`Self::opentofu_in_agent`] which folder is writable beside `TMPDIR`.
    pub const WORK: &str = "WORK";

    /// The pinned OpenTofu of `make tools`.
    #[must_use]
    pub fn opentofu() -> Self {
        Self { name: "opentofu", path: Cloud::running().tofu().to_owned(), before: None }
    }

    /// The same with the files of a service account where a pod has them, and nobody else sees them. Needs a kernel that
    /// lets users have mount namespaces; otherwise says that the test is skipped.
    #[must_use]
    pub fn opentofu_in_pod() -> Option<Self> {
        Self::opentofu_after(POD, "mount -t tmpfs none /var/run")
    }

    /// The same with a file system that is read-only but for two folders, as agents of workspaces have it. Needs what
    /// [`Self::opentofu_in_pod`] needs.
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

    /// The Terraform on `PATH`, if there is one that is new enough. Otherwise says that the test is skipped.
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

    /// The Terraform of `make tools`, which is newer.
    #[must_use]
    pub fn newer_terraform() -> Self {
        Self { name: "terraform-1.13", path: Cloud::running().tool("terraform-1.13"), before: None }
    }

    /// `opentofu`, `terraform` or `terraform-1.13`: fit for names.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What runs it; arguments are added.
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

/// The second number of a version that begins with 1; those of 2 and above count as new.
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
