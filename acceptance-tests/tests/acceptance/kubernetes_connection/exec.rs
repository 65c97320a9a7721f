//! Exec plugins.

use std::fs;
use std::path::Path;

use gitlabspot_acceptance_tests::{KubernetesFault, until};
use serde_json::{Value, json};

use super::{Fixture, assert_printed, with};

const VERSION: &str = "client.authentication.k8s.io/v1";

/// An exec plugin that returns the administrator's token depending on `word`, and records its calls.
pub(super) fn command(fixture: &Fixture, word: &str) -> Value {
    let script = fixture.stage.folder().join("credentials.sh");
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
    let (certificate, key) = fixture.cloud.kubernetes_certificate();
    let credential = json!({
        "apiVersion": VERSION,
        "kind": "ExecCredential",
        "status": { "clientCertificateData": certificate, "clientKeyData": key },
    });
    let file = fixture.stage.folder().join("credential.json");
    fs::write(&file, credential.to_string()).unwrap();
    json!({
        "api_version": VERSION,
        "command": "/bin/sh",
        "args": [script.display().to_string(), word],
        "env": {
            "CALLS": calls_file(fixture),
            "CERTIFICATE": file.display().to_string(),
            "TOKEN": fixture.cloud.kubernetes_token(),
            "VERSION": VERSION,
        },
    })
}

fn calls_file(fixture: &Fixture) -> String {
    fixture.stage.folder().join("calls").display().to_string()
}

/// Number of calls of the command since the last time.
fn calls(fixture: &Fixture) -> usize {
    let file = calls_file(fixture);
    let text = fs::read_to_string(&file).unwrap_or_default();
    let _ = fs::remove_file(&file);
    text.lines().count()
}

fn settings(fixture: &Fixture, host: &str, word: &str) -> Value {
    with(&fixture.host(), json!({ "host": host, "token": null, "exec": command(fixture, word) }))
}

/// K14: the command runs before the first request, once more after a 401, and before each request if its credentials
/// have expired. It can return a client certificate instead of a token.
#[tokio::test]
async fn exec_command_runs_when_needed() {
    let fixture = Fixture::new("exec", &json!({})).await;
    let proxy = fixture.stage.kubernetes_faults();
    let connect = |word: &str| fixture.connect(&settings(&fixture, &proxy.host(), word));
    connect("echo");
    let _ = fixture.workspace.validate().await;
    assert_eq!(calls(&fixture), 0);
    fixture.workspace.apply().await;
    assert_eq!(calls(&fixture), 1, "there was nothing to look at while planning");
    fixture.assert_found().await;
    assert_eq!(calls(&fixture), 1);

    proxy.forget();
    proxy.inject(KubernetesFault::unauthorized("GET", "/deployments/probe"));
    fixture.assert_found().await;
    assert_eq!(calls(&fixture), 2);
    let statuses: Vec<_> = proxy.calls_of("GET", "/deployments/probe").iter().map(|call| call.status).collect();
    assert_eq!(statuses, [Some(401), Some(200)]);

    // After a second 401, the request fails.
    proxy.inject(KubernetesFault::unauthorized("GET", "/deployments/probe").times(2));
    assert_printed(&fixture.refusal().await, &["A token that can be renewed was renewed once."]);
    assert_eq!(calls(&fixture), 2);

    connect("expired");
    proxy.forget();
    fixture.assert_found().await;
    let requests = proxy.calls().len();
    // One call for the connection, and one for each request.
    assert_eq!(calls(&fixture), requests + 1);

    fixture.connect(&settings(&fixture, fixture.cloud.kubernetes_host(), "certificate"));
    fixture.assert_found().await;
    connect("echo");
    fixture.destroy().await;
}

/// K14: one Ctrl-C ends a run that waits for the command, and ends the command.
#[tokio::test]
async fn interrupt_ends_a_waiting_exec_command() {
    let fixture = Fixture::new("exec_waiting", &json!({})).await;
    let connect = |word: &str| fixture.connect(&settings(&fixture, fixture.cloud.kubernetes_host(), word));
    connect("echo");
    fixture.workspace.apply().await;
    connect("wait");
    let file = format!("{}.process", calls_file(&fixture));
    let running = fixture.workspace.begin(&["plan", "-input=false"]);
    let process = || fs::read_to_string(&file).ok().filter(|text| text.ends_with('\n'));
    until("the command runs", async || process().is_some()).await;
    let printed = running.interrupt().await.failed();
    assert_printed(&printed, &["Error: Run stopped", "The run was stopped while a connection was being established."]);
    let process = process().unwrap();
    until("the command is gone", async || !Path::new("/proc").join(process.trim()).exists()).await;
    connect("echo");
    fixture.destroy().await;
}

/// K15: the command of a kubeconfig runs in the directory of the file, and receives the cluster information if the file
/// requests it.
#[tokio::test]
async fn exec_command_of_a_kubeconfig() {
    let fixture = Fixture::new("exec_of_kubeconfig", &json!({})).await;
    let folder = fixture.stage.folder();
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
    let proxy = fixture.stage.kubernetes_faults();
    let exec = json!({
        "apiVersion": VERSION,
        "command": "bin/credentials",
        "provideClusterInfo": true,
        "installHint": "It comes with the kubeconfig.",
        "env": [
            { "name": "TOKEN", "value": fixture.cloud.kubernetes_token() },
            { "name": "SERVER", "value": proxy.host() },
        ],
    });
    let path = folder.join("kubeconfig");
    fs::write(&path, proxy.kubeconfig(&json!({ "exec": exec })).to_string()).unwrap();
    fixture.connect(&json!({ "config_path": path.display().to_string() }));
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    let away = folder.join("bin/away");
    fs::rename(&script, &away).unwrap();
    let printed = fixture.refusal().await;
    assert_printed(&printed, &["Error: No Kubernetes credentials", "It comes with the kubeconfig."]);
    fs::rename(&away, &script).unwrap();
    fixture.destroy().await;
}

/// K16: the error for a command that is missing, fails or prints invalid output has its name and standard error, and
/// never its standard output.
#[tokio::test]
async fn failed_exec_command_is_explained() {
    let fixture = Fixture::new("exec_failing", &json!({})).await;
    let host = fixture.cloud.kubernetes_host();
    let token = fixture.cloud.kubernetes_token();
    let missing = json!({ "api_version": VERSION, "command": "no-such-command" });
    let cases = [
        (
            with(&settings(&fixture, host, ""), json!({ "exec": missing })),
            "The command \"no-such-command\" returned no credentials for the cluster: it does not exist, or is not in \
             PATH: install it, or specify its path.",
        ),
        (settings(&fixture, host, "fail"), "exit status: 7: the session has ended: log in."),
        (settings(&fixture, host, "noise"), "its output is not an ExecCredential (line 1)."),
    ];
    for (settings, text) in cases {
        fixture.connect(&settings);
        let printed = fixture.workspace.try_apply().await.failed();
        assert_printed(&printed, &["Error: No Kubernetes credentials", text]);
        assert!(!printed.contains(token), "{printed}");
    }
    fixture.assert_nothing_remains().await;
}
