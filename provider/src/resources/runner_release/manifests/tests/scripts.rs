//! Runs the scripts as a pod would, with a recorder in place of the runner's binary.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::super::spec::{ReleaseSpec, TokenKind};
use super::{find, made, spec};

/// Writes down how it is called. `register` fails as often as a file says; `run` ends when told to.
const RECORDER: &str = r#"#!/bin/bash
root="$(dirname "${BASH_SOURCE[0]}")"
echo "$*" >> "$root/calls"
env > "$root/env-of-$1"
case "$1" in
  register)
    left="$(cat "$root/failures" 2>/dev/null || echo 0)"
    if ((left > 0)); then echo $((left - 1)) > "$root/failures"; exit 1; fi
    echo '[[runners]]' >> "$root/config/config.toml"
    ;;
  run)
    [[ -e "$root/ends-at-once" ]] && exit 3
    trap 'echo quit >> "$root/calls"; exit 7' QUIT
    trap 'echo term >> "$root/calls"; exit 8' TERM
    touch "$root/running"
    while :; do sleep 0.02; done
    ;;
esac
"#;

/// A pod's file system in a temporary folder.
struct Pod {
    root: TempDir,
}

impl Pod {
    fn new(spec: &ReleaseSpec, secrets: &[(&str, &str)]) -> Self {
        let pod = Self { root: tempfile::tempdir().unwrap() };
        for folder in ["configmaps", "secrets", "home"] {
            fs::create_dir(pod.path(folder)).unwrap();
        }
        let config_map = find(&made(spec), "ConfigMap");
        for (name, text) in config_map["data"].as_object().unwrap() {
            fs::write(pod.path("configmaps").join(name), text.as_str().unwrap()).unwrap();
        }
        let settings = pod.path("configmaps/settings");
        let moved = fs::read_to_string(&settings)
            .unwrap()
            .replace("'/entrypoint'", &quoted(&pod.path("runner")))
            .replace("'/secrets'", &quoted(&pod.path("secrets")))
            .replace("'/home/gitlab-runner/.gitlab-runner'", &quoted(&pod.path("config")))
            .replace("'/home/gitlab-runner'", &quoted(&pod.path("home")))
            .replace("ATTEMPT_INTERVAL='5'", "ATTEMPT_INTERVAL='0'");
        fs::write(settings, moved).unwrap();
        for (name, value) in secrets {
            fs::write(pod.path("secrets").join(name), value).unwrap();
        }
        fs::write(pod.path("runner"), RECORDER).unwrap();
        fs::set_permissions(pod.path("runner"), fs::Permissions::from_mode(0o755)).unwrap();
        pod
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// The recorder's calls, without paths.
    fn calls(&self) -> Vec<String> {
        let root = format!("{}/", self.root.path().display());
        self.read("calls").replace(&root, "").lines().map(str::to_owned).collect()
    }

    fn command(&self) -> Command {
        let mut command = Command::new("/bin/bash");
        command
            .arg(self.path("configmaps/entrypoint"))
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("CI_SERVER_URL", "https://gitlab.example.com")
            .env("REGISTER_LOCKED", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self) -> Output {
        self.command().output().unwrap()
    }

    /// Starts, waits until the manager runs, and sends the signal to the script as the container's
    /// first process would.
    fn run_until(&self, signal: &str) -> Output {
        let child = self.command().spawn().unwrap();
        self.wait_for("running");
        send(&child, signal);
        child.wait_with_output().unwrap()
    }

    fn wait_for(&self, name: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.path(name).exists() {
            assert!(Instant::now() < deadline, "{name} never came; calls: {:?}", self.calls());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display())
}

fn send(child: &Child, signal: &str) {
    let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

fn register(inputs: Value) -> ReleaseSpec {
    spec(inputs, TokenKind::Registration)
}

const RUN: &str = "run --config config/config.toml --working-directory home";

#[test]
fn an_authentication_token_starts_without_registration() {
    let inputs = json!({
        "cache_secret_name": "cache",
        "config": { "cache": { "type": "s3", "s3": { "bucket_name": "b" } } },
    });
    let secrets = [("runner-token", "glrt-abc\r\n"), ("accesskey", "AKIA"), ("secretkey", "a\"b\\c/+=")];
    let pod = Pod::new(&spec(inputs, TokenKind::Authentication), &secrets);
    fs::write(pod.path("ends-at-once"), "").unwrap();
    let output = pod.run();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert_eq!(pod.calls(), [RUN]);
    assert!(pod.read("env-of-run").lines().any(|line| line == "CI_SERVER_TOKEN=glrt-abc"));
    let config: toml::Table = pod.read("config/config.toml").parse().unwrap();
    assert_eq!(
        config["runners"][0]["cache"]["s3"],
        toml::Value::Table(toml::toml! { BucketName = "b" AccessKey = "AKIA" SecretKey = "a\"b\\c/+=" })
    );
    let mode = fs::metadata(pod.path("config/config.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_cache_without_keys_is_left_to_the_pods_role() {
    let inputs = json!({
        "cache_secret_name": "cache",
        "config": { "cache": { "type": "s3", "s3": { "bucket_name": "b" } } },
    });
    let pod = Pod::new(&spec(inputs, TokenKind::Authentication), &[("runner-token", "t"), ("accesskey", "AKIA")]);
    fs::write(pod.path("ends-at-once"), "").unwrap();
    pod.run();
    let config: toml::Table = pod.read("config/config.toml").parse().unwrap();
    assert_eq!(config["runners"][0]["cache"]["s3"], toml::Value::Table(toml::toml! { BucketName = "b" }));
}

#[test]
fn other_clouds_credentials_keep_their_line_breaks() {
    let inputs = json!({
        "cache_secret_name": "cache",
        "config": { "cache": { "type": "gcs", "gcs": { "bucket_name": "b" } } },
    });
    let secrets = [
        ("runner-token", "t"),
        ("gcs-access-id", "id@x"),
        ("gcs-private-key", "-----BEGIN-----\nabc\n-----END-----\n"),
    ];
    let pod = Pod::new(&spec(inputs, TokenKind::Authentication), &secrets);
    fs::write(pod.path("ends-at-once"), "").unwrap();
    pod.run();
    let config: toml::Table = pod.read("config/config.toml").parse().unwrap();
    let expected =
        toml::toml! { BucketName = "b" AccessID = "id@x" PrivateKey = "-----BEGIN-----\nabc\n-----END-----" };
    assert_eq!(config["runners"][0]["cache"]["gcs"], toml::Value::Table(expected));
}

#[test]
fn a_secret_without_token_is_told() {
    for (kind, text) in [
        (TokenKind::Authentication, "has no key runner-token"),
        (TokenKind::Registration, "has neither runner-token nor runner-registration-token"),
    ] {
        let pod = Pod::new(&spec(json!({}), kind), &[("runner-token", "\n"), ("runner-registration-token", "")]);
        let output = pod.run();
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains(text), "{output:?}");
        assert_eq!(pod.calls(), [""; 0]);
    }
}

#[test]
fn registration_is_repeated_until_it_succeeds() {
    let inputs = json!({ "runner_name": "my runner's", "registration": { "tag_list": ["a"], "run_untagged": true } });
    let pod = Pod::new(&register(inputs), &[("runner-registration-token", "GR1348941\n"), ("runner-token", "")]);
    fs::write(pod.path("failures"), "2").unwrap();
    let output = pod.run_until("QUIT");
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    let call = "register --config config/config.toml --template-config configmaps/config.template.toml \
                --non-interactive --name my runner's --run-untagged=true";
    assert_eq!(pod.calls(), [call, call, call, RUN, "quit"]);
    let env = pod.read("env-of-register");
    assert!(env.lines().any(|line| line == "REGISTRATION_TOKEN=GR1348941"), "{env}");
    assert!(env.lines().any(|line| line == "REGISTER_LOCKED=true"), "{env}");
}

#[test]
fn reserved_options_are_kept_from_an_authentication_token() {
    let spec = spec(json!({ "runner_version": "18.9.0" }), TokenKind::Authentication);
    let pod = Pod::new(&spec, &[("runner-token", "glrt-abc")]);
    pod.run_until("TERM");
    assert!(!pod.read("env-of-register").contains("REGISTER_LOCKED"));
    assert_eq!(pod.calls().last().map(String::as_str), Some("term"));
}

#[test]
fn a_replaced_pod_stays_registered() {
    let pod = Pod::new(&register(json!({})), &[("runner-registration-token", "t")]);
    pod.run_until("QUIT");
    assert!(!pod.calls().iter().any(|call| call.starts_with("unregister")), "{:?}", pod.calls());
}

#[test]
fn destroying_unregisters_once_and_after_the_last_job() {
    for marker in ["config/unregister-on-stop", "configmaps/unregister-on-stop"] {
        let pod = Pod::new(&register(json!({})), &[("runner-registration-token", "t")]);
        let child = pod.command().spawn().unwrap();
        pod.wait_for("running");
        fs::write(pod.path(marker), "true").unwrap();
        send(&child, "QUIT");
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(7), "{output:?}");
        let calls = pod.calls();
        assert_eq!(calls[calls.len() - 2..], ["quit", "unregister --config config/config.toml --all-runners"]);
        assert_eq!(calls.iter().filter(|call| call.starts_with("unregister")).count(), 1);
    }
}

#[test]
fn who_does_not_want_to_unregister_never_does() {
    let pod = Pod::new(&register(json!({ "unregister_on_destroy": false })), &[("runner-registration-token", "t")]);
    assert!(!pod.path("configmaps/unregister-on-stop").exists());
}

#[test]
fn a_container_that_starts_again_does_not_register_again() {
    let pod = Pod::new(&register(json!({})), &[("runner-registration-token", "t")]);
    fs::write(pod.path("ends-at-once"), "").unwrap();
    assert_eq!(pod.run().status.code(), Some(3));
    assert_eq!(pod.run().status.code(), Some(3));
    let registrations = pod.calls().iter().filter(|call| call.starts_with("register")).count();
    assert_eq!(registrations, 1);
    assert!(pod.read("config/config.toml").contains("[[runners]]"));
}

#[test]
fn a_failing_script_of_the_user_ends_the_start() {
    let inputs = json!({ "pre_entrypoint_script": "echo no >&2\nexit 5\n" });
    let pod = Pod::new(&spec(inputs, TokenKind::Authentication), &[("runner-token", "t")]);
    assert_eq!(pod.run().status.code(), Some(5));
    assert_eq!(pod.calls(), [""; 0]);
}

#[test]
fn liveness_tells_a_gone_runner_from_a_slow_gitlab() {
    let pod = Pod::new(&spec(json!({}), TokenKind::Authentication), &[("runner-token", "glrt-abc")]);
    let check = |running: bool, answer: &str| {
        let tools = pod.path("tools");
        fs::create_dir_all(&tools).unwrap();
        // pgrep is asked for the registration first and for the manager next.
        let found = if running { "[[ $1 != -f ]]" } else { "false" };
        for (name, text) in [("pgrep", found), ("gitlab-runner", answer)] {
            fs::write(tools.join(name), format!("#!/bin/bash\n{text}\n")).unwrap();
            fs::set_permissions(tools.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let path = format!("{}:/usr/bin:/bin", tools.display());
        let mut command = Command::new("/bin/bash");
        let command =
            command.arg(pod.path("configmaps/check-live")).arg("1").env("PATH", path).env("CI_SERVER_URL", "x");
        command.output().unwrap().status.success()
    };
    assert!(check(
        true,
        "[[ $CI_SERVER_TOKEN == glrt-abc ]] && echo 'Verifying runner... is valid' || echo 'is removed'"
    ));
    assert!(check(true, "echo 'Verifying runner... failed: connection refused'; exit 1"));
    assert!(check(true, "sleep 5"));
    assert!(!check(true, "echo 'Verifying runner... is removed'; exit 1"));
    assert!(!check(false, "echo 'Verifying runner... is valid'"));
}
