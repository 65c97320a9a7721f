//! Registration in the first start of a pod, and in later ones.

use std::fs;

use serde_json::json;

use super::super::super::super::spec::TokenKind;
use super::super::spec;
use super::{Pod, RUN, UNREGISTER, register};

#[test]
fn registration_is_repeated_until_it_succeeds() {
    let inputs = json!({ "runner_name": "my runner's", "registration": { "tag_list": ["a"], "run_untagged": true } });
    let pod = Pod::new(&register(inputs), &[("runner-registration-token", "GR1348941\n"), ("runner-token", "")]);
    fs::write(pod.path("failures"), "2").unwrap();
    let output = pod.run_until("QUIT");
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    let call = "register --config config/config.toml --template-config configmaps/config.template.toml \
                --non-interactive --name my runner's --run-untagged=true";
    assert_eq!(pod.calls(), [call, call, call, RUN, "quit", UNREGISTER]);
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
fn a_container_that_starts_again_does_not_register_again() {
    let pod = Pod::new(&register(json!({})), &[("runner-registration-token", "t")]);
    fs::write(pod.path("ends-at-once"), "").unwrap();
    assert_eq!(pod.run().status.code(), Some(3));
    assert_eq!(pod.run().status.code(), Some(3));
    assert!(pod.path("config/registered").exists(), "it ended by itself");
    let registrations = pod.calls().iter().filter(|call| call.starts_with("register")).count();
    assert_eq!(registrations, 1);
    assert_eq!(pod.read("config/config.toml").matches("[[runners]]").count(), 1);
    assert!(!pod.calls().contains(&UNREGISTER.to_owned()), "{:?}", pod.calls());
}

#[test]
fn a_runner_that_was_removed_is_registered_again() {
    for answer in ["Verifying runner... is removed\n", "Verifying runner... is not valid\n"] {
        let pod = Pod::new(&register(json!({})), &[("runner-registration-token", "t")]);
        fs::write(pod.path("ends-at-once"), "").unwrap();
        pod.run();
        fs::write(pod.path("answer"), answer).unwrap();
        pod.run();
        let calls = pod.calls();
        assert_eq!(calls.iter().filter(|call| call.starts_with("register")).count(), 2, "{calls:?}");
        assert_eq!(pod.read("config/config.toml").matches("[[runners]]").count(), 1, "the removed one is gone");
        assert!(pod.path("config/registered").exists());
    }
}

#[test]
fn a_gitlab_that_is_away_keeps_the_registration() {
    let pod = Pod::new(&register(json!({})), &[("runner-registration-token", "t")]);
    fs::write(pod.path("ends-at-once"), "").unwrap();
    pod.run();
    fs::write(pod.path("answer"), "Verifying runner... failed: connection refused\n").unwrap();
    pod.run();
    let calls = pod.calls();
    assert_eq!(calls.iter().filter(|call| call.starts_with("register")).count(), 1, "{calls:?}");
}
