//! The scripts of the probes.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::super::super::spec::{ReleaseSpec, TokenKind};
use super::super::spec;
use super::Pod;

impl Pod {
    /// Runs the script of a probe, in a pod with or without a running manager.
    fn probe(&self, script: &str, argument: &str, has_manager: bool) -> bool {
        fs::create_dir_all(self.path("tools")).unwrap();
        self.executable("tools/pgrep", if has_manager { "#!/bin/bash\nexit 0\n" } else { "#!/bin/bash\nexit 1\n" });
        let mut command = Command::new("/bin/bash");
        command
            .arg(self.path("configmaps").join(script))
            .arg(argument)
            .env("PATH", format!("{}:/usr/bin:/bin", self.path("tools").display()))
            .env("CI_SERVER_URL", "https://gitlab.example.com")
            .env("RUNNER_NAME", "of-the-environment");
        command.output().unwrap().status.success()
    }

    /// Has a longer timeout than a busy machine requires.
    fn is_live(&self, answer: &str) -> bool {
        fs::write(self.path("answer"), answer).unwrap();
        self.probe("check-live", "30", true)
    }
}

/// Returns a pod with a manager that has started.
fn started(spec: &ReleaseSpec, secrets: &[(&str, &str)]) -> Pod {
    let pod = Pod::new(spec, secrets);
    fs::write(pod.path("ends-at-once"), "").unwrap();
    assert_eq!(pod.run().status.code(), Some(3));
    pod
}

/// Names and texts of the mounted Secrets.
type Secrets = Vec<(&'static str, &'static str)>;

/// Returns all kinds of start, with and without a name of the runner, in every version with a different behavior.
fn ways() -> Vec<(ReleaseSpec, Secrets, String)> {
    let mut ways = Vec::new();
    for version in ["15.0.0", "16.0.0", "17.0.0", "18.8.0", "18.9.0", "18.10.0", "19.2.0", "19.3.0"] {
        for name in [Value::Null, json!("named")] {
            for (kind, secret) in [
                (TokenKind::Authentication, ("runner-token", "glrt-abc")),
                (TokenKind::Registration, ("runner-registration-token", "GR1348941")),
            ] {
                let inputs = json!({ "runner_version": version, "runner_name": name });
                ways.push((spec(inputs, kind), vec![secret], format!("{version} {name} {kind:?}")));
            }
        }
    }
    ways
}

#[test]
fn a_runner_that_gitlab_removed_is_noticed_in_every_version() {
    for (spec, secrets, way) in ways() {
        let pod = started(&spec, &secrets);
        assert!(pod.is_live("Verifying runner... is valid\n"), "{way}");
        assert!(!pod.is_live("ERROR: Verifying runner... is removed\n"), "{way}");
        assert!(!pod.is_live("Verifying runner... is not valid\n"), "{way}");
    }
}

#[test]
fn a_gitlab_that_is_slow_or_away_is_no_reason_to_restart() {
    let pod = started(&spec(json!({}), TokenKind::Authentication), &[("runner-token", "glrt-abc")]);
    assert!(pod.is_live("ERROR: Verifying runner... failed  status=connection refused\n"));
    assert!(pod.is_live("ERROR: Verifying runner... client error\n"));
    fs::write(pod.path("is-slow"), "").unwrap();
    fs::write(pod.path("answer"), "Verifying runner... is removed\n").unwrap();
    let began = Instant::now();
    assert!(pod.probe("check-live", "1", true));
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_manager_that_does_not_run_is_not_live() {
    let spec = spec(json!({}), TokenKind::Authentication);
    let pod = started(&spec, &[("runner-token", "glrt-abc")]);
    assert!(!pod.probe("check-live", "1", false));
    // The manager has not been started yet.
    fs::remove_file(pod.path("config/started")).unwrap();
    assert!(pod.probe("check-live", "1", false));
}

#[test]
fn a_pod_has_started_right_before_its_manager() {
    for (kind, secret) in [
        (TokenKind::Authentication, ("runner-token", "glrt-abc")),
        (TokenKind::Registration, ("runner-registration-token", "GR1348941")),
    ] {
        let script = "echo \"$(ls \"$CONFIG\")\" >> \"$CONFIG/../seen\"\nexit \"$(cat \"$CONFIG/../code\")\"\n";
        let pod = Pod::new(&spec(json!({ "pre_entrypoint_script": script }), kind), &[secret]);
        fs::write(pod.path("ends-at-once"), "").unwrap();
        let run = |code: &str| {
            fs::write(pod.path("code"), code).unwrap();
            pod.command().env("CONFIG", pod.path("config")).output().unwrap().status.code()
        };
        assert_eq!((run("5"), pod.probe("check-started", "", false)), (Some(5), false), "{kind:?}");
        assert_eq!((run("0"), pod.probe("check-started", "", true)), (Some(3), true), "{kind:?}");
        // A container that is restarted in the same pod has not started yet.
        assert_eq!((run("5"), pod.probe("check-started", "", false)), (Some(5), false), "{kind:?}");
        assert!(!pod.read("seen").contains("started"), "{}", pod.read("seen"));
    }
}
