//! A complete provider in one file: text files of a directory.
//!
//! ```hcl
//! provider "minimal" {
//!   directory = "/tmp"
//! }
//!
//! resource "minimal_file" "hello" {
//!   name    = "hello.txt"
//!   content = "Hello\n"
//! }
//!
//! data "minimal_file" "answer" {
//!   name = "answer.txt"
//! }
//! ```

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tfplugin::framework::clock::SystemClock;
use tfplugin::framework::wait::{Look, Wait};
use tfplugin::framework::{
    Context, Create, DataSource, Delete, Diagnostic, Diagnostics, Host, Import, NoIdentity, Object, Provider, Read,
    Registry, Resource, Update, Value,
};
use tfplugin::plugin::logging::{self, Logs};
use tfplugin::plugin::{self, Plugin, Services, Transport};
use tfplugin::protocol::Server;

/// How long the data source waits for a file.
const TIMEOUT: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    logging::start(&Logs { name: "minimal", own: &["minimal"], silent: &[] });
    let result = match std::env::args().nth(1).as_deref() {
        Some("--debug") => plugin::debug("example/minimal", served),
        // The transport of Windows, on any system.
        Some("--tcp") => plugin::serve_over(Transport::Tcp, served),
        _ => plugin::serve(served),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn served() -> Plugin {
    let server = Server::new(Minimal, Arc::new(SystemClock::new(1)));
    let stop = Arc::new(server.ending());
    Plugin { services: Services::new(server.into_service()), stop }
}

#[derive(Debug)]
struct Minimal;

/// The `provider` block.
#[derive(Clone, Default, PartialEq, Object)]
struct Config {
    /// Directory of the files.
    #[attr(required)]
    directory: Value<String>,
}

/// The configured provider, as operations receive it. The directory is `None` while its path is unknown, which is possible
/// in a plan.
#[derive(Debug)]
struct Data {
    directory: Option<PathBuf>,
}

impl Data {
    fn path(&self, name: &Value<String>) -> Result<PathBuf, Diagnostics> {
        let directory = self.directory.as_deref().ok_or_else(|| {
            Diagnostic::error("Directory not known yet", "The directory of the provider block is not known yet.")
        })?;
        Ok(directory.join(name.as_str().unwrap_or_default()))
    }
}

impl Provider for Minimal {
    type Config = Config;
    type Data = Data;

    fn name(&self) -> &'static str {
        "minimal"
    }

    fn description(&self) -> &'static str {
        "Manages text files of a directory."
    }

    fn validate(&self, config: &Config, diagnostics: &mut Diagnostics) {
        if config.directory.as_str() == Some("") {
            diagnostics.error("directory", "Empty directory", "Set the path of a directory.");
        }
    }

    fn configure(&self, config: Config, _host: &Host) -> Result<Data, Diagnostics> {
        Ok(Data { directory: config.directory.as_str().map(PathBuf::from) })
    }

    fn registry(&self) -> Registry<Data> {
        Registry {
            resources: vec![Arc::new(FileResource)],
            data_sources: vec![Arc::new(FileDataSource)],
            list_resources: vec![],
            functions: vec![],
        }
    }
}

/// The attributes of `minimal_file`: schema, state type and conversions follow from this struct.
#[derive(Clone, Default, PartialEq, Object)]
struct File {
    /// Name of the file. Changing it creates another file.
    #[attr(required, replace)]
    name: Value<String>,
    /// Content of the file.
    #[attr(optional, default = "")]
    content: Value<String>,
    /// Path of the file.
    #[attr(computed, stable)]
    path: Value<String>,
}

#[derive(Debug)]
struct FileResource;

impl Resource for FileResource {
    type Data = Data;
    type Model = File;
    type Private = ();
    type Identity = NoIdentity;
    const TYPE_NAME: &'static str = "minimal_file";
    const DESCRIPTION: &'static str = "A text file.";

    fn validate(&self, config: &File, diagnostics: &mut Diagnostics) {
        if config.name.as_str().is_some_and(|name| name.is_empty() || name.contains('/')) {
            diagnostics.error("name", "Invalid name", "A name is not empty and has no slash.");
        }
    }

    async fn create(&self, context: &Context<Data>, operation: &mut Create<File>) -> Result<(), Diagnostics> {
        let path = context.data()?.path(&operation.planned.name)?;
        if path.exists() {
            let text = format!("There is a file {} already. Import it, or use another name.", path.display());
            return Err(Diagnostic::error("File exists", text).at("name").into());
        }
        let state = File { path: path.display().to_string().into(), ..operation.planned.clone() };
        // Recorded before the write: after a write that fails half-way, the file is in the state, and a destroy removes it.
        operation.record(state.clone());
        write(&path, &state.content)
    }

    async fn read(&self, _context: &Context<Data>, operation: &mut Read<File>) -> Result<(), Diagnostics> {
        let path = PathBuf::from(operation.state.path.as_str().unwrap_or_default());
        match std::fs::read_to_string(&path) {
            Ok(content) => operation.state.content = content.into(),
            Err(error) if error.kind() == ErrorKind::NotFound => operation.gone(),
            Err(error) => return Err(failed("read", &path, &error)),
        }
        Ok(())
    }

    async fn update(&self, _context: &Context<Data>, operation: &mut Update<File>) -> Result<(), Diagnostics> {
        let path = PathBuf::from(operation.prior.path.as_str().unwrap_or_default());
        write(&path, &operation.planned.content)?;
        operation.record(operation.planned.clone());
        Ok(())
    }

    async fn delete(&self, _context: &Context<Data>, operation: &mut Delete<File>) -> Result<(), Diagnostics> {
        let path = PathBuf::from(operation.state.path.as_str().unwrap_or_default());
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("removed", &path, &error)),
            _ => Ok(()),
        }
    }

    async fn import(&self, context: &Context<Data>, from: Import<NoIdentity>) -> Result<File, Diagnostics> {
        let Import::Id(name) = from else {
            return Err(Diagnostic::error("No identity", "Import a file by its name.").into());
        };
        let name = Value::from(name);
        let path = context.data()?.path(&name)?;
        Ok(File { name, path: path.display().to_string().into(), ..File::default() })
    }
}

/// The attributes of the data source `minimal_file`.
#[derive(Clone, Default, PartialEq, Object)]
struct ExistingFile {
    /// Name of the file. The data source waits up to one minute for a file that does not exist.
    #[attr(required)]
    name: Value<String>,
    /// Content of the file.
    #[attr(computed)]
    content: Value<String>,
}

#[derive(Debug)]
struct FileDataSource;

impl DataSource for FileDataSource {
    type Data = Data;
    type Model = ExistingFile;
    const TYPE_NAME: &'static str = "minimal_file";
    const DESCRIPTION: &'static str = "A text file that something else writes.";

    async fn read(
        &self,
        context: &Context<Data>,
        config: ExistingFile,
        _diagnostics: &mut Diagnostics,
    ) -> Result<ExistingFile, Diagnostics> {
        let path = context.data()?.path(&config.name)?;
        let look = async || match std::fs::read_to_string(&path) {
            Ok(content) => Ok(Look::Done(content)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Look::Pending("no such file".to_owned())),
            Err(error) => Err(error),
        };
        tracing::debug!(path = %path.display(), "waiting for a file");
        let content = Wait::new(context, TIMEOUT).until(look).await.map_err(|error| {
            Diagnostic::error("File not read", format!("{} could not be read: {error}.", path.display())).at("name")
        })?;
        Ok(ExistingFile { content: content.into(), ..config })
    }
}

fn write(path: &Path, content: &Value<String>) -> Result<(), Diagnostics> {
    std::fs::write(path, content.as_str().unwrap_or_default()).map_err(|error| failed("written", path, &error))
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Diagnostics {
    Diagnostic::error("File access failed", format!("{} could not be {what}: {error}.", path.display())).into()
}
