//! The plugin binary. Terraform or OpenTofu starts it without arguments, a user with an option or a subcommand.

use std::process::ExitCode;
use std::sync::Arc;

use gitlabspot::migrate;
use gitlabspot::provider::Gitlabspot;
use tfplugin::framework::clock::SystemClock;
use tfplugin::plugin::logging::{self, Logs};
use tfplugin::plugin::{self, Plugin, Services};
use tfplugin::protocol::Server;

/// Logs the crates of the provider, all of which have these prefixes. `kube_client` is silent, because its warnings
/// quote answers of the API server.
const LOGS: Logs =
    Logs { name: "gitlabspot", own: &["gitlabspot", "terraform_provider_gitlabspot"], silent: &["kube_client"] };
const SOURCE: &str = "gitlabspot/gitlabspot";
const VERSION: &str = concat!("terraform-provider-gitlabspot ", env!("CARGO_PKG_VERSION"));
const USAGE: &str = "\
This is the provider gitlabspot/gitlabspot for Terraform and OpenTofu. Add it to required_providers of a configuration
and run `terraform init` or `tofu init`: the host then finds and starts it.

Usage: terraform-provider-gitlabspot [OPTION]
       terraform-provider-gitlabspot migrate [OPTIONS]   generate configuration from eksctl and Helm; see --help
  --debug    wait for Terraform or OpenTofu to attach, and print how to do so
  --version  print the version
  --help     print this text";

fn main() -> ExitCode {
    // First, so that the host receives a crash report if any later line panics.
    logging::start(&LOGS);
    let given: Vec<_> = std::env::args_os().skip(1).collect();
    let arguments: Vec<_> = given.iter().map(|argument| argument.to_str()).collect();
    match arguments.as_slice() {
        [] => ended(plugin::serve(provider)),
        // Providers written in Go have this option with one dash.
        [Some("--debug" | "-debug")] => ended(plugin::debug(SOURCE, provider)),
        [Some("--version" | "-version" | "version")] => print(VERSION),
        [Some("--help" | "-help" | "-h" | "help")] => print(USAGE),
        [Some("migrate"), ..] => migrated(given.iter().skip(1).map(|argument| argument.to_string_lossy().into_owned())),
        _ => {
            eprintln!("{USAGE}");
            // By convention, 2 is the exit status for invalid options; 1 means that the start failed.
            ExitCode::from(2)
        }
    }
}

/// Runs `migrate`. Prints the configuration to standard output and the report to standard error.
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

/// Creates the provider server.
fn provider() -> Plugin {
    let speed = clock_speed();
    let provider = Gitlabspot { clock_speed: speed, host: plugin::product() };
    let server = Server::new(provider, Arc::new(SystemClock::new(speed)));
    let stop = Arc::new(server.ending());
    Plugin { services: Services::new(server.into_service()), stop }
}

/// Speed of the clock. Acceptance tests, which run a debug build, speed it up by an environment variable. Release
/// builds ignore the variable, so that it cannot shorten the timeouts of users by accident.
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
