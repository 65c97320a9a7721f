//! The binary when a user starts it.

use std::process::Command;

/// Exit code, stdout and stderr.
fn outcome(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_terraform-provider-gitlabspot")).args(arguments).env_clear().output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn options_print_version_and_help() {
    let version = concat!("terraform-provider-gitlabspot ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(outcome(&["--version"]), (Some(0), version.to_owned(), String::new()));

    let (code, stdout, _) = outcome(&["--help"]);
    assert_eq!(code, Some(0));
    assert!(stdout.contains("--debug"), "{stdout}");

    let (code, stdout, stderr) = outcome(&["--nonsense"]);
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert!(stderr.contains("\nUsage: "), "{stderr}");
}

#[test]
fn start_without_a_host_explains_the_plugin() {
    let (code, stdout, stderr) = outcome(&[]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.starts_with("This binary is a plugin.") && stderr.contains("\nUsage: "), "{stderr}");
}
