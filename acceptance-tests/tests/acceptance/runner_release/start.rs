//! The start command of the manager, executed as in its pod, with a GitLab instance.
//!
//! Command, environment and files are those of the cluster. A script in place of the runner's binary records its calls
//! and sends the requests of the binary: `register` with the registration token, `run` for a job with the token of
//! config.toml, `verify` and `unregister` with the same token.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;

use gitlabspot_acceptance_tests::{Engine, Stage, Workspace, until};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::{NAME, with_token};

const RUNNER: &str = r#"#!/bin/bash
root="$(dirname "${BASH_SOURCE[0]}")"
command="$1"
echo "$command" >> "$root/calls"
while [[ $# -gt 0 ]]; do [[ "$1" == --config ]] && config="$2"; shift; done

# METHOD PATH BODY: the answer, status line first.
ask() {
  local url="${CI_SERVER_URL#http://}"
  local host="${url%%/*}"
  exec 3<> "/dev/tcp/${host%:*}/${host#*:}"
  printf '%s /%s/api/v4%s HTTP/1.0\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' \
    "$1" "${url#*/}" "$2" "$host" "${#3}" "$3" >&3
  cat <&3
  exec 3>&-
}

# As the binary does, with variables in it.
eval "token=\"$(sed -n 's/^token = "\(.*\)"$/\1/p' "$config")\""
case "$command" in
  register)
    answer="$(ask POST /runners "{\"token\": \"$REGISTRATION_TOKEN\"}")"
    token="$(sed -n 's/.*"token": *"\([^"]*\)".*/\1/p' <<< "$answer")"
    [[ -n "$token" ]] || exit 1
    printf '[[runners]]\ntoken = "%s"\n' "$token" >> "$config"
    ;;
  verify) ask POST /runners/verify "{\"token\": \"$token\"}" | head -1 | grep -q ' 403 ' && echo 'is removed' ;;
  run)
    ask POST /jobs/request "{\"token\": \"$token\"}" > "$root/answer"
    trap 'exit 0' QUIT
    echo $$ > "$root/manager"
    touch "$root/running"
    while kill -0 "$PPID" 2> /dev/null; do sleep 0.02; done
    ;;
  unregister)
    if ask DELETE /runners "{\"token\": \"$token\"}" | head -1 | grep -q ' 204 '; then
      sed -i '/^\[\[runners\]\]/,$d' "$config"
    else
      echo 'forbidden'
    fi
    ;;
esac
"#;

/// The file system of the manager's pod, with its command and environment.
struct Pod {
    root: PathBuf,
    command: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Pod {
    /// Reads the objects of the cluster.
    async fn of(stage: &Stage) -> Self {
        let namespace = stage.namespace.name();
        let root = stage.folder().join("pod");
        for folder in ["configmaps", "secrets"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let config_map: ConfigMap = stage.kubernetes.get(namespace, NAME).await;
        for (name, text) in config_map.data.unwrap() {
            fs::write(root.join("configmaps").join(name), text).unwrap();
        }
        let secret: Secret = stage.kubernetes.get(namespace, NAME).await;
        for (name, value) in secret.data.unwrap() {
            fs::write(root.join("secrets").join(name), value.0).unwrap();
        }
        fs::write(root.join("runner"), RUNNER).unwrap();
        fs::set_permissions(root.join("runner"), fs::Permissions::from_mode(0o755)).unwrap();
        let deployment: Deployment = stage.kubernetes.get(namespace, NAME).await;
        let container = json!(deployment.spec.template.spec.unwrap().containers[0]);
        let texts = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entries = container["env"].as_array().unwrap().iter();
        let pod = Self {
            command: container["command"].as_array().unwrap().iter().map(texts).collect(),
            environment: entries.map(|entry| (texts(&entry["name"]), texts(&entry["value"]))).collect(),
            root,
        };
        // The paths of the image are below a folder of the test.
        let settings = pod.root.join("configmaps/settings");
        let moved = fs::read_to_string(&settings)
            .unwrap()
            .replace("'/entrypoint'", &pod.quoted("runner"))
            .replace("'/secrets'", &pod.quoted("secrets"))
            .replace("'/home/gitlab-runner/.gitlab-runner'", &pod.quoted("config"))
            .replace("'/home/gitlab-runner'", &pod.quoted("home"));
        fs::write(settings, moved).unwrap();
        pod
    }

    fn quoted(&self, name: &str) -> String {
        format!("'{}'", self.root.join(name).display())
    }

    /// Starts the container without the init process around its command, and waits until the manager runs.
    async fn start(&self) -> Child {
        let [_, _, shell, script] = self.command.as_slice() else { unreachable!("{:?}", self.command) };
        assert_eq!(script, "/configmaps/entrypoint");
        let mut command = Command::new(shell);
        command
            .arg(self.root.join("configmaps/entrypoint"))
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let child = command.spawn().unwrap();
        let running = self.root.join("running");
        until("the manager runs", async || running.exists()).await;
        fs::remove_file(running).unwrap();
        child
    }

    /// Ends the container like a kubelet, with SIGQUIT.
    async fn stop(&self, mut child: Child) {
        let id = child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", "QUIT", &id]).status().await.unwrap().success());
        assert!(child.wait().await.unwrap().success());
    }

    /// Ends the manager like a crash, which also ends the container.
    async fn crash(&self, mut child: Child) {
        let manager = fs::read_to_string(self.root.join("manager")).unwrap();
        assert!(Command::new("kill").args(["-s", "KILL", manager.trim()]).status().await.unwrap().success());
        assert_eq!(child.wait().await.unwrap().code(), Some(137));
    }

    fn calls(&self) -> Vec<String> {
        fs::read_to_string(self.root.join("calls")).unwrap().lines().map(str::to_owned).collect()
    }
}

/// A workspace with a release that uses the GitLab instance of the test.
async fn released(stage: &Stage, case: &str, token: (&str, &str)) -> Workspace {
    let workspace = stage.testdata(case, with_token(stage, token.0, token.1)).await;
    let url =
        format!("resource \"gitlabspot_runner_release\" \"runner\" {{\n  gitlab_url = {:?}\n", stage.gitlab.url());
    let cache = if case.ends_with("typed") { "  cache_secret_name = null\n" } else { "" };
    workspace.write("attributes_override.tf", &format!("{url}{cache}}}\n"));
    workspace.apply().await;
    workspace
}

/// Method, path and status of the requests that GitLab received.
fn asked(stage: &Stage) -> Vec<String> {
    let line = |call: &Value| {
        format!("{} {} {}", call["method"].as_str().unwrap(), call["path"].as_str().unwrap(), call["status"])
    };
    stage.gitlab.calls().iter().map(line).collect()
}

/// An authentication token is used directly: no runner is registered, verified or unregistered.
#[tokio::test]
async fn authentication_token_needs_no_registration() {
    let stage = Stage::new("runner_release/start", Engine::opentofu()).await;
    let workspace = released(&stage, "runner_release/typed", ("runner_token", "glrt-started")).await;
    let pod = Pod::of(&stage).await;
    let running = pod.start().await;
    assert_eq!(asked(&stage), ["POST /jobs/request 204"]);
    pod.stop(running).await;
    assert_eq!(pod.calls(), ["run"]);
    let config = fs::read_to_string(pod.root.join("config/config.toml")).unwrap();
    assert!(config.contains("token = \"$CI_SERVER_TOKEN\"") && !config.contains("glrt-started"), "{config}");
    workspace.destroy().await;
    assert_eq!(asked(&stage), ["POST /jobs/request 204"]);
    assert_eq!(stage.gitlab.runners().len(), 1, "the runner was made in GitLab, and stays there");
    stage.assert_nothing_remains().await;
}

/// R21: a registration token registers at the start of a pod, and each pod, including one that is replaced, unregisters
/// once at its end.
#[tokio::test]
async fn registration_ends_with_its_pod() {
    let stage = Stage::new("runner_release/register", Engine::opentofu()).await;
    let token = ("registration_token", "GR1348941-of-a-group");
    let workspace = released(&stage, "runner_release/config_toml", token).await;
    let pod = Pod::of(&stage).await;
    let life = ["POST /runners 201", "POST /jobs/request 204", "DELETE /runners 204"];
    let running = pod.start().await;
    assert_eq!(asked(&stage), life[..2]);
    pod.stop(running).await;
    assert_eq!(asked(&stage), life);
    assert_eq!(stage.gitlab.runners(), [Value::Null; 0]);
    assert!(!pod.root.join("config/registered").exists());

    // The pod that replaces it.
    let running = pod.start().await;
    assert_eq!(stage.gitlab.runners().len(), 1);
    workspace.destroy().await;
    pod.stop(running).await;
    assert_eq!(pod.calls(), ["register", "run", "unregister"].repeat(2));
    assert_eq!(asked(&stage), life.repeat(2));
    assert_eq!(stage.gitlab.runners(), [Value::Null; 0]);
    stage.assert_nothing_remains().await;
}

/// R21: a container that restarts in its pod keeps its registration, and registers again if GitLab has deleted it.
#[tokio::test]
async fn restarted_container_checks_its_registration() {
    let stage = Stage::new("runner_release/again", Engine::opentofu()).await;
    let token = ("registration_token", "GR1348941-of-a-group");
    let workspace = released(&stage, "runner_release/config_toml", token).await;
    let pod = Pod::of(&stage).await;
    pod.crash(pod.start().await).await;
    pod.crash(pod.start().await).await;
    assert_eq!(pod.calls(), ["register", "run", "verify", "run"]);
    stage.gitlab.remove_runners();
    let running = pod.start().await;
    assert_eq!(pod.calls()[4..], ["verify", "register", "run"]);
    assert_eq!(stage.gitlab.runners().len(), 1);
    pod.stop(running).await;
    assert_eq!(stage.gitlab.runners(), [Value::Null; 0]);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}
