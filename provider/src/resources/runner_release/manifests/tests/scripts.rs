//! Runs the scripts as in a pod, with a recorder instead of the binary of the runner.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::super::spec::{Given, ReleaseSpec, TokenKind, resolve};
use super::{find, made, spec};

mod end;
mod probes;
mod registration;

/// Records its calls, and imitates the runner: `register` adds to config.toml, `run` ends with a signal, `verify`
/// selects runners like the version in a file, and `unregister` removes the runners that GitLab removes.
const RECORDER: &str = r#"#!/bin/bash
root="$(dirname "${BASH_SOURCE[0]}")"
config="$root/config/config.toml"
echo "$*" >> "$root/calls"
env > "$root/env-of-$1"
count() { cat "$root/$1" 2> /dev/null || echo 0; }
# How often a file says, less one each time.
fails() { local left; left="$(count "$1")"; ((left > 0)) && echo $((left - 1)) > "$root/$1"; }
since() { ! printf '%s\n' "$(cat "$root/version")" "$1" | sort -V -C || [[ "$(cat "$root/version")" == "$1" ]]; }
of() { sed -n "s/^$1 = \"\(.*\)\"\$/\1/p" "$config"; }
case "$1" in
  register)
    if [[ -e "$root/hold" ]]; then
      touch "$root/registering"
      while [[ -e "$root/hold" ]]; do sleep 0.02; done
    fi
    fails failures && exit 1
    echo '[[runners]]' >> "$config"
    while [[ $# -gt 0 ]]; do [[ "$1" == --name ]] && echo "name = \"$2\"" >> "$config"; shift; done
    printf 'url = "%s"\ntoken = "%s"\n' "$CI_SERVER_URL" "${CI_SERVER_TOKEN:-of-the-pod}" >> "$config"
    ;;
  run)
    [[ -e "$root/ends-at-once" ]] && exit 3
    trap 'echo quit >> "$root/calls"; exit 7' QUIT
    trap 'echo term >> "$root/calls"; exit 8' TERM
    touch "$root/running"
    while kill -0 "$PPID" 2> /dev/null; do sleep 0.02; done
    ;;
  verify)
    url="" token=""
    since 19.3 || { url="$CI_SERVER_URL" token="$CI_SERVER_TOKEN"; }
    while [[ $# -gt 0 ]]; do
      case "$1" in --url=*) url="${1#--url=}" ;; --url) url="$2" ;; esac
      shift
    done
    own="$(of token)"
    since 18.10 && own="${own//\$CI_SERVER_TOKEN/$CI_SERVER_TOKEN}"
    is_same() { [[ "$token" == "$own" ]] && { [[ "$url" == "$(of url)" ]] || { since 18.9 && [[ -z "$url" ]]; }; }; }
    if [[ -n "$url$token" && -n "$(of name)" ]] && ! is_same; then
      echo "FATAL: no runner matches the filtering parameters"
      exit 1
    fi
    [[ -n "$own" ]] || exit 1
    [[ -e "$root/is-slow" ]] && exec sleep 20
    cat "$root/answer"
    ;;
  unregister)
    fails away && { echo "ERROR: Unregistering runner from GitLab failed"; exit 0; }
    [[ -e "$root/unknown" ]] && { echo "ERROR: Unregistering runner from GitLab forbidden"; exit 0; }
    sed -i '/^\[\[runners\]\]/,$d' "$config"
    ;;
esac
"#;

/// The file system of a pod in a temporary directory.
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
        fs::write(pod.path("version"), spec.version.to_string()).unwrap();
        fs::write(pod.path("answer"), "Verifying runner... is alive\n").unwrap();
        pod.executable("runner", RECORDER);
        pod
    }

    fn executable(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Returns the calls of the recorder, without paths.
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
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self) -> Output {
        self.command().output().unwrap()
    }

    /// Starts the script, waits until the manager runs, and sends the signal.
    fn run_until(&self, signal: &str) -> Output {
        self.run_to("running", signal)
    }

    /// The same, but waits for a file of this name.
    fn run_to(&self, name: &str, signal: &str) -> Output {
        let child = self.command().spawn().unwrap();
        self.wait_for(name);
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

/// Sends a signal to the process group of the script, as the first process of the container does.
fn send(child: &Child, signal: &str) {
    let sent = Command::new("kill").args(["-s", signal, "--", &format!("-{}", child.id())]).status().unwrap();
    assert!(sent.success());
}

fn register(inputs: Value) -> ReleaseSpec {
    spec(inputs, TokenKind::Registration)
}

const RUN: &str = "run --config config/config.toml --working-directory home";
const UNREGISTER: &str = "unregister --config config/config.toml --all-runners";

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
fn credentials_of_the_secret_replace_those_of_the_configuration() {
    let values = "gitlabUrl: https://gitlab.com/\nrunners:\n  cache: {secretName: s}\n  config: |\n    [[runners]]\n    [runners.cache]\n    Type = 's3'\n    [runners.cache.s3]\n    ServerAddress = 's3.amazonaws.com'\n    AccessKey = 'old'\n    SecretKey = 'old'\n    BucketName = 'b'\n";
    let given = Given { values: &[values], token: Some(TokenKind::Authentication), ..Given::default() };
    let spec = resolve(given).unwrap().spec;
    let config = |secrets: &[(&str, &str)]| {
        let pod = Pod::new(&spec, secrets);
        fs::write(pod.path("ends-at-once"), "").unwrap();
        pod.run();
        let config: toml::Table = pod.read("config/config.toml").parse().unwrap();
        let s3 = config["runners"][0]["cache"]["s3"].clone();
        ["AccessKey", "SecretKey", "BucketName"].map(|key| s3[key].as_str().unwrap().to_owned())
    };
    let keys = [("runner-token", "t"), ("accesskey", "AKIA"), ("secretkey", "new")];
    assert_eq!(config(&keys), ["AKIA", "new", "b"]);
    // As in the chart, a Secret with other keys does not.
    assert_eq!(config(&[("runner-token", "t")]), ["old", "old", "b"]);
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
fn a_key_of_googles_json_file_gets_its_line_breaks() {
    for kind in [TokenKind::Authentication, TokenKind::Registration] {
        let inputs = json!({
            "cache_secret_name": "cache",
            "config": { "cache": { "type": "gcs", "gcs": { "bucket_name": "b" } } },
            "pre_entrypoint_script": "printf %s \"$CACHE_GCS_PRIVATE_KEY\" > \"$CONFIG_PATH_FOR_INIT/../key\"\n",
        });
        let key = r"-----BEGIN-----\nabc\n-----END-----";
        let secrets = [
            ("runner-token", "t"),
            ("runner-registration-token", "t"),
            ("gcs-access-id", "id@x"),
            ("gcs-private-key", key),
        ];
        let pod = Pod::new(&spec(inputs, kind), &secrets);
        fs::write(pod.path("ends-at-once"), "").unwrap();
        pod.run();
        assert_eq!(pod.read("key"), "-----BEGIN-----\nabc\n-----END-----", "{kind:?}");
    }
}

#[test]
fn session_servers_of_ipv6_clusters_are_found() {
    let inputs = json!({ "session_server": { "enabled": true } });
    let pod = Pod::new(&spec(inputs, TokenKind::Authentication), &[("runner-token", "t")]);
    fs::write(pod.path("ends-at-once"), "").unwrap();
    let answer = r#"{ "status": { "loadBalancer": { "ingress": [ { "ip": "2001:db8::1" } ] } } }"#;
    let curl =
        format!("#!/bin/bash\nprintf '%s\\n' \"${{@: -1}}\" > {}\necho '{answer}'\n", quoted(&pod.path("asked")));
    pod.executable("curl", &curl);
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", pod.path("").display());
    let mut command = pod.command();
    command.env("PATH", path).env("KUBERNETES_SERVICE_HOST", "fd00::1").env("KUBERNETES_SERVICE_PORT", "443");
    command.output().unwrap();
    assert!(pod.read("asked").starts_with("https://[fd00::1]:443/api/v1/namespaces/"), "{}", pod.read("asked"));
    let config: toml::Table = pod.read("config/config.toml").parse().unwrap();
    let server = toml::Value::Table(toml::toml! {
        advertise_address = "[2001:db8::1]:9000"
        listen_address = ":8093"
        session_timeout = 1800
    });
    assert_eq!(config["session_server"], server);
}

#[test]
fn secret_without_token_is_an_error() {
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
fn a_failing_script_of_the_user_ends_the_start() {
    let inputs = json!({ "pre_entrypoint_script": "echo no >&2\nexit 5\n" });
    let pod = Pod::new(&spec(inputs, TokenKind::Authentication), &[("runner-token", "t")]);
    assert_eq!(pod.run().status.code(), Some(5));
    assert_eq!(pod.calls(), [""; 0]);
}
