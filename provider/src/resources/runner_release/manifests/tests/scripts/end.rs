//! The end of a pod, which also ends its registration.

use std::fs;

use serde_json::json;

use super::super::super::super::spec::TokenKind;
use super::super::spec;
use super::{Pod, RUN, UNREGISTER, register, send};

const TOKEN: [(&str, &str); 1] = [("runner-registration-token", "GR1348941")];

fn unregistrations(pod: &Pod) -> usize {
    pod.calls().iter().filter(|call| *call == UNREGISTER).count()
}

#[test]
fn a_registration_ends_once_and_after_the_last_job() {
    for (signal, call, code) in [("QUIT", "quit", 7), ("TERM", "term", 8), ("INT", "term", 8)] {
        let pod = Pod::new(&register(json!({})), &TOKEN);
        let output = pod.run_until(signal);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let calls = pod.calls();
        assert_eq!(calls[1..], [RUN, call, UNREGISTER], "{signal}");
        assert!(!pod.path("config/registered").exists());
    }
}

#[test]
fn who_does_not_want_to_unregister_never_does() {
    let pod = Pod::new(&register(json!({ "unregister_on_destroy": false })), &TOKEN);
    assert_eq!(pod.run_until("QUIT").status.code(), Some(7));
    assert_eq!(unregistrations(&pod), 0);
    assert!(pod.path("config/registered").exists());
}

#[test]
fn a_token_that_pods_share_is_never_unregistered() {
    for secrets in [
        &[("runner-registration-token", "GR1348941"), ("runner-token", "glrt-abc")][..],
        &[("runner-registration-token", "GR1348941"), ("runner-token", "of-an-older-runner")],
        &[("runner-registration-token", "glrt-abc")],
    ] {
        let pod = Pod::new(&register(json!({})), secrets);
        assert_eq!(pod.run_until("QUIT").status.code(), Some(7));
        assert_eq!(unregistrations(&pod), 0, "{secrets:?}");
    }
}

#[test]
fn unavailable_gitlab_is_retried() {
    for (times, calls, is_left) in [(2, 3, false), (100, 6, true)] {
        let pod = Pod::new(&register(json!({})), &TOKEN);
        fs::write(pod.path("away"), times.to_string()).unwrap();
        assert_eq!(pod.run_until("QUIT").status.code(), Some(7));
        assert_eq!((unregistrations(&pod), pod.path("config/registered").exists()), (calls, is_left));
    }
}

#[test]
fn a_runner_that_gitlab_does_not_know_is_left_at_that() {
    let pod = Pod::new(&register(json!({})), &TOKEN);
    fs::write(pod.path("unknown"), "").unwrap();
    pod.run_until("QUIT");
    assert_eq!((unregistrations(&pod), pod.path("config/registered").exists()), (1, false));
}

/// The script waits for the answer of a registration in progress, so that the runner can be unregistered.
#[test]
fn a_signal_during_the_registration_leaves_none() {
    for (signal, failures, unregistered) in [("QUIT", "0", 1), ("TERM", "0", 1), ("QUIT", "5", 0)] {
        let pod = Pod::new(&register(json!({})), &TOKEN);
        fs::write(pod.path("hold"), "").unwrap();
        fs::write(pod.path("failures"), failures).unwrap();
        let child = pod.command().spawn().unwrap();
        pod.wait_for("registering");
        send(&child, signal);
        fs::remove_file(pod.path("hold")).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(143), "{output:?}");
        let calls = pod.calls();
        assert_eq!(calls.iter().filter(|call| call.starts_with("register")).count(), 1, "{calls:?}");
        assert_eq!((calls.len() - 1, unregistrations(&pod)), (unregistered, unregistered), "{calls:?}");
        assert!(!pod.path("config/registered").exists());
    }
}

#[test]
fn a_signal_during_the_users_script_leaves_no_registration() {
    for signal in ["QUIT", "TERM"] {
        let mut inputs = json!({});
        inputs["pre_entrypoint_script"] = "touch \"$HOME/preparing\"\nwhile :; do sleep 30; done\n".into();
        let pod = Pod::new(&register(inputs), &TOKEN);
        let mut command = pod.command();
        let child = command.env("HOME", pod.path("home")).spawn().unwrap();
        pod.wait_for("home/preparing");
        send(&child, signal);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(143), "{output:?}");
        assert_eq!(pod.calls()[1..], [UNREGISTER]);
    }
}

/// A shell ignores SIGQUIT unless it has a trap for it.
#[test]
fn a_signal_ends_a_start_without_registration_as_well() {
    let secrets = [("runner-token", "glrt-abc")];
    let pod = Pod::new(&spec(json!({}), TokenKind::Authentication), &secrets);
    assert_eq!(pod.run_until("QUIT").status.code(), Some(7));
    assert_eq!(pod.calls(), [RUN, "quit"]);

    let script = "touch \"$HOME/preparing\"\nwhile :; do sleep 30; done\n";
    let pod = Pod::new(&spec(json!({ "pre_entrypoint_script": script }), TokenKind::Authentication), &secrets);
    let mut command = pod.command();
    let child = command.env("HOME", pod.path("home")).spawn().unwrap();
    pod.wait_for("home/preparing");
    send(&child, "QUIT");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(143));
    assert_eq!(pod.calls(), [""; 0]);
}

#[test]
fn a_script_of_the_user_that_fails_keeps_the_registration() {
    let pod = Pod::new(&register(json!({ "pre_entrypoint_script": "exit 5\n" })), &TOKEN);
    assert_eq!(pod.run().status.code(), Some(5));
    assert_eq!((pod.calls().len(), pod.path("config/registered").exists()), (1, true));
}
