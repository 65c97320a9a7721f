//! The plugin binary: started by Terraform or OpenTofu, or by a developer with an option.

use std::process::ExitCode;
use std::sync::Arc;

use gitlabspot::migrate;
use gitlabspot::provider::Gitlabspot;
use tfplugin::framework::clock::SystemClock;
use tfplugin::plugin::logging::{self, Logs};
use tfplugin::plugin::{self, Plugin, Services};
use tfplugin::protocol::Server;

/// The provider's crates, all of which begin so; of kube nothing, whose warnings quote what the API server answered.
const LOGS: Logs =
    Logs { name: "gitlabspot", own: &["gitlabspot", "terraform_provider_gitlabspot"], silent: &["kube_client"] };
const SOURCE: &str = "gitlabspot/gitlabspot";
const VERSION: &str = concat!("terraform-provider-gitlabspot ", env!("CARGO_PKG_VERSION"));
const USAGE: &str = "\
This is the provider gitlabspot/gitlabspot for Terraform and OpenTofu. Add it to required_providers of a configuration
and run `terraform init` or `tofu init`: the host then finds and starts it.

Usage: terraform-provider-gitlabspot [OPTION]
       terraform-provider-gitlabspot migrate [OPTIONS]   configuration for what eksctl and Helm created; see --help
  --debug    wait for Terraform or OpenTofu to attach, and print how to do so
  --version  print the version
  --help     print this text";

fn main() -> ExitCode {
    // First, so that a panic of any other line reaches the host as a crash report.
    logging::start(&LOGS);
    let given: Vec<_> = std::env::args_os().skip(1).collect();
    let arguments: Vec<_> = given.iter().map(|argument| argument.to_str()).collect();
    match arguments.as_slice() {
        [] => ended(plugin::serve(provider)),
        // With one dash, as providers written in Go have it.
        [Some("--debug" | "-debug")] => ended(plugin::debug(SOURCE, provider)),
        [Some("--version" | "-version" | "version")] => print(VERSION),
        [Some("--help" | "-help" | "-h" | "help")] => print(USAGE),
        [Some("migrate"), ..] => migrated(given.iter().skip(1).map(|argument| argument.to_string_lossy().into_owned())),
        _ => {
            eprintln!("{USAGE}");
            // The usual status for wrong options; 1 is for a start that failed.
            ExitCode::from(2)
        }
    }
}

/// Prints the configuration to standard output, and what a person has to know to standard error.
#[expect(clippy::print_stdout, reason = "asked for by a person: no host reads this")]
fn migrated(arguments: impl Iterator<Item = String>) -> ExitCode {
    match migrate::run(arguments) {
        Ok(printed) => {
            print!("{}", printed.out);
            eprint!("{}", printed.report);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The provider.
fn provider() -> Plugin {
    let speed = clock_speed();
    let provider = Gitlabspot { clock_speed: speed, host: plugin::product() };
    let server = Server::new(provider, Arc::new(SystemClock::new(speed)));
    let stop = Arc::new(server.ending());
    Plugin { services: Services::new(server.into_service()), stop }
}

/// Acceptance tests, which run the same build as `cargo test`, let time pass faster. What users get has no such switch:
/// a stray variable must not shorten their timeouts.
fn clock_speed() -> u32 {
    let asked = cfg!(debug_assertions).then(|| std::env::var("GITLABSPOT_CLOCK_SPEED").ok()).flatten();
    asked.and_then(|speed| speed.parse().ok()).unwrap_or(1)
}

fn ended(result: Result<(), plugin::Error>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    eprintln!("{error}");
    if matches!(error, plugin::Error::Refused(plugin::Refusal::NoHost)) {
        eprintln!("\n{USAGE}");
    }
    ExitCode::FAILURE
}

#[expect(clippy::print_stdout, reason = "asked for by a person: no host reads this")]
fn print(text: &str) -> ExitCode {
    println!("{text}");
    ExitCode::SUCCESS
}
