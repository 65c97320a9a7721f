//! Commands that print credentials.

use std::fs;
use std::path::Path;

use gitlabspot_acceptance_tests::{KubernetesFault, until};
use serde_json::{Value, json};

use super::{Scene, assert_said, with};

const VERSION: &str = "client.authentication.k8s.io/v1";

/// A command that gives the administrator's token by `word`, and writes down that it was called.
pub(super) fn command(scene: &Scene, word: &str) -> Value {
    let script = scene.stage.folder().join("credentials.sh");
    fs::write(
        &script,
        "echo called >>\"$CALLS\"\n\
         case \"$1\" in\n\
         echo) printf '{\"apiVersion\":\"%s\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"%s\"}}' \"$VERSION\" \"$TOKEN\" ;;\n\
         expired) printf '{\"status\":{\"token\":\"%s\",\"expirationTimestamp\":\"2001-01-01T00:00:00Z\"}}' \"$TOKEN\" ;;\n\
         certificate) cat \"$CERTIFICATE\" ;;\n\
         fail) echo \"$TOKEN\"; echo 'the session has ended: log in' >&2; exit 7 ;;\n\
         noise) echo \"Updated: $TOKEN\" ;;\n\
         wait) trap '' INT; echo $$ >\"$CALLS.process\"; exec sleep 86400 ;;\n\
         esac\n",
    )
    .unwrap();
    let (certificate, key) = scene.cloud.kubernetes_certificate();
    let credential = json!({
        "apiVersion": VERSION,
        "kind": "ExecCredential",
        "status": { "clientCertificateData": certificate, "clientKeyData": key },
    });
    let file = scene.stage.folder().join("credential.json");
    fs::write(&file, credential.to_string()).unwrap();
    json!({
        "api_version": VERSION,
        "command": "/bin/sh",
        "args": [script.display().to_string(), word],
        "env": {
            "CALLS": calls_file(scene),
            "CERTIFICATE": file.display().to_string(),
            "TOKEN": scene.cloud.kubernetes_token(),
            "VERSION": VERSION,
        },
    })
}

fn calls_file(scene: &Scene) -> String {
    scene.stage.folder().join("calls").display().to_string()
}

/// How often the command was called since the last time.
fn calls(scene: &Scene) -> usize {
    let file = calls_file(scene);
    let text = fs::read_to_string(&file).unwrap_or_default();
    let _ = fs::remove_file(&file);
    text.lines().count()
}

fn settings(scene: &Scene, host: &str, word: &str) -> Value {
    with(&scene.host(), json!({ "host": host, "token": null, "exec": command(scene, word) }))
}

/// K14: the command is called when it is first needed, once more after a 401, and for each request while what it gives has
/// ended; a certificate does as well as a token.
#[tokio::test]
async fn called_when_needed() {
    let scene = Scene::new("exec", &json!({})).await;
    let proxy = scene.stage.kubernetes_faults();
    let connect = |word: &str| scene.connect(&settings(&scene, &proxy.host(), word));
    connect("echo");
    let _ = scene.workspace.validate().await;
    assert_eq!(calls(&scene), 0);
    scene.workspace.apply().await;
    assert_eq!(calls(&scene), 1, "there was nothing to look at while planning");
    scene.assert_found().await;
    assert_eq!(calls(&scene), 1);

    proxy.forget();
    proxy.inject(KubernetesFault::unauthorized("GET", "/deployments/probe"));
    scene.assert_found().await;
    assert_eq!(calls(&scene), 2);
    let statuses: Vec<_> = proxy.calls_of("GET", "/deployments/probe").iter().map(|call| call.status).collect();
    assert_eq!(statuses, [Some(401), Some(200)]);

    // Twice is once too often.
    proxy.inject(KubernetesFault::unauthorized("GET", "/deployments/probe").times(2));
    assert_said(&scene.refusal().await, &["A token that can be renewed was renewed once."]);
    assert_eq!(calls(&scene), 2);

    connect("expired");
    proxy.forget();
    scene.assert_found().await;
    let requests = proxy.calls().len();
    // The one that the connection began with, and one for each request.
    assert_eq!(calls(&scene), requests + 1);

    scene.connect(&settings(&scene, scene.cloud.kubernetes_host(), "certificate"));
    scene.assert_found().await;
    connect("echo");
    scene.destroy().await;
}

/// K14: one Ctrl-C ends a run that waits for the command, and the command.
#[tokio::test]
async fn that_waits_for_somebody() {
    let scene = Scene::new("exec_waiting", &json!({})).await;
    let connect = |word: &str| scene.connect(&settings(&scene, scene.cloud.kubernetes_host(), word));
    connect("echo");
    scene.workspace.apply().await;
    connect("wait");
    let file = format!("{}.process", calls_file(&scene));
    let running = scene.workspace.begin(&["plan", "-input=false"]);
    let process = || fs::read_to_string(&file).ok().filter(|text| text.ends_with('\n'));
    until("the command runs", async || process().is_some()).await;
    let said = running.interrupt().await.failed();
    assert_said(&said, &["Error: Run stopped", "The run was stopped while a connection was being established."]);
    let process = process().unwrap();
    until("the command is gone", async || !Path::new("/proc").join(process.trim()).exists()).await;
    connect("echo");
    scene.destroy().await;
}

/// K15: a kubeconfig's command, beside the file, is told of the cluster if the file wants that.
#[tokio::test]
async fn of_a_kubeconfig() {
    let scene = Scene::new("exec_of_kubeconfig", &json!({})).await;
    let folder = scene.stage.folder();
    let script = folder.join("bin/credentials");
    fs::create_dir_all(script.parent().unwrap()).unwrap();
    fs::write(
        &script,
        "#!/bin/sh\n\
         case \"$KUBERNETES_EXEC_INFO\" in *\"$SERVER\"*) ;; *) echo \"no $SERVER\" >&2; exit 1 ;; esac\n\
         printf '{\"status\":{\"token\":\"%s\"}}' \"$TOKEN\"\n",
    )
    .unwrap();
    let mut permissions = fs::metadata(&script).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(&script, permissions).unwrap();
    let proxy = scene.stage.kubernetes_faults();
    let exec = json!({
        "apiVersion": VERSION,
        "command": "bin/credentials",
        "provideClusterInfo": true,
        "installHint": "It comes with the kubeconfig.",
        "env": [
            { "name": "TOKEN", "value": scene.cloud.kubernetes_token() },
            { "name": "SERVER", "value": proxy.host() },
        ],
    });
    let path = folder.join("kubeconfig");
    fs::write(&path, proxy.kubeconfig(&json!({ "exec": exec })).to_string()).unwrap();
    scene.connect(&json!({ "config_path": path.display().to_string() }));
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    let away = folder.join("bin/away");
    fs::rename(&script, &away).unwrap();
    let said = scene.refusal().await;
    assert_said(&said, &["Error: No Kubernetes credentials", "It comes with the kubeconfig."]);
    fs::rename(&away, &script).unwrap();
    scene.destroy().await;
}

/// K16: a command that is missing, fails or prints something else is named with what it said of it, never with what it
/// printed.
#[tokio::test]
async fn that_fails() {
    let scene = Scene::new("exec_failing", &json!({})).await;
    let host = scene.cloud.kubernetes_host();
    let token = scene.cloud.kubernetes_token();
    let missing = json!({ "api_version": VERSION, "command": "no-such-command" });
    let cases = [
        (
            with(&settings(&scene, host, ""), json!({ "exec": missing })),
            "The command \"no-such-command\" returned no credentials for the cluster: it does not exist, or is not in \
             PATH: install it, or specify its path.",
        ),
        (settings(&scene, host, "fail"), "exit status: 7: the session has ended: log in."),
        (settings(&scene, host, "noise"), "its output is not an ExecCredential (line 1)."),
    ];
    for (settings, text) in cases {
        scene.connect(&settings);
        let said = scene.workspace.try_apply().await.failed();
        assert_said(&said, &["Error: No Kubernetes credentials", text]);
        assert!(!said.contains(token), "{said}");
    }
    scene.assert_nothing_left().await;
}
