//! A folder with a configuration in which the engine runs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::{Account, Engine, Output, Plan, Running, State};

const VARIABLES: &str = "terraform.tfvars.json";
const PLAN: &str = "plan.tfplan";
const LOCK: &str = ".terraform.lock.hcl";
const PROVIDERS: &str = ".terraform/providers";

/// Time limit of every command, even on a slow machine.
pub(crate) const LIMIT: Duration = Duration::from_mins(10);

/// A folder with a configuration. Every command runs in a clean environment, with an empty home, without proxies and
/// only with the test's account, and its output is written to `<test>/commands/`.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    folder: PathBuf,
    engine: Engine,
    environment: Vec<(String, String)>,
    absent: Vec<String>,
    count: Arc<AtomicUsize>,
    twins: Arc<AtomicUsize>,
}

impl Workspace {
    /// Creates the folder `place` in `root`, which has the CLI configuration, without a configuration.
    pub(crate) fn new(root: &Path, place: &str, engine: Engine, environment: Vec<(String, String)>) -> Self {
        let folder = root.join(place);
        fs::create_dir_all(&folder).expect("a workspace can be made");
        fs::create_dir_all(root.join("home")).expect("a home can be made");
        Self {
            root: root.to_owned(),
            folder,
            engine,
            environment,
            absent: Vec::new(),
            count: Arc::default(),
            twins: Arc::default(),
        }
    }

    /// Copies a folder with its sub-folders, except those of the engine (`.terraform*`).
    pub(crate) fn copy(&self, source: &Path) {
        copy_files(source, &self.folder);
    }

    /// A copy of the workspace with configuration, variables, state, lock file and links to the providers. It is a
    /// sibling of this folder, so that relative paths of modules are valid.
    #[must_use]
    pub fn twin(&self) -> Self {
        let number = self.twins.fetch_add(1, Ordering::Relaxed) + 1;
        let folder = self.folder.with_file_name(format!("twin-{number}"));
        copy_files(&self.folder, &folder);
        link_providers(&self.folder.join(PROVIDERS), &folder.join(PROVIDERS));
        Self { folder, ..self.clone() }
    }

    /// Path of the folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a file of the configuration.
    pub fn write(&self, file: &str, text: &str) {
        let path = self.folder.join(file);
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Sets input variables in addition to those that are set already.
    pub fn set(&self, variables: &Value) {
        let path = self.folder.join(VARIABLES);
        let before = fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let mut all: Map<String, Value> = before.unwrap_or_default();
        all.extend(variables.as_object().expect("variables are an object").clone());
        self.write(VARIABLES, &Value::from(all).to_string());
    }

    /// Removes an input variable, for example because it is set by the environment instead.
    pub fn unset(&self, variable: &str) {
        let path = self.folder.join(VARIABLES);
        let text = fs::read(&path).expect("variables were set before");
        let mut all: Map<String, Value> = serde_json::from_slice(&text).expect("variables are an object");
        all.remove(variable);
        self.write(VARIABLES, &Value::from(all).to_string());
    }

    /// Sets an environment variable for later commands.
    #[must_use]
    pub fn with_environment(mut self, name: &str, value: &str) -> Self {
        self.absent.retain(|absent| absent != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the access key of another account's administrator for later commands.
    #[must_use]
    pub fn with_keys_of(self, account: &Account) -> Self {
        let (id, secret) = account.keys();
        self.with_environment("AWS_ACCESS_KEY_ID", id).with_environment("AWS_SECRET_ACCESS_KEY", secret)
    }

    /// Removes environment variables for later commands, for example `HOME`.
    #[must_use]
    pub fn without_environment(mut self, names: &[&str]) -> Self {
        self.absent.extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    /// Writes all logs of engine and provider to [`Self::trace`].
    #[must_use]
    pub fn traced(self) -> Self {
        let path = self.trace().display().to_string();
        self.with_environment("TF_LOG", "TRACE").with_environment("TF_LOG_PATH", &path)
    }

    /// The log of a [`Self::traced`] workspace.
    #[must_use]
    pub fn trace(&self) -> PathBuf {
        self.root.join("trace.log")
    }

    /// Runs `init` with the provider from the mirror.
    ///
    /// # Panics
    ///
    /// If the command fails.
    pub async fn init(&self) {
        let _ = self.run(&["init", "-input=false"]).await.succeeded();
        self.forget_checksums();
    }

    /// Path of the lock file that `init` or `providers lock` wrote.
    #[must_use]
    pub fn lock_file(&self) -> PathBuf {
        self.folder.join(LOCK)
    }

    /// Deletes what `init` installed, without the lock file.
    ///
    /// # Panics
    ///
    /// If `init` did not run.
    pub fn uninstall(&self) {
        let installed = self.folder.join(".terraform");
        fs::remove_dir_all(&installed).unwrap_or_else(|error| panic!("{}: {error}", installed.display()));
    }

    /// Runs `init` without initializing the backend.
    ///
    /// # Panics
    ///
    /// If the command fails.
    pub async fn init_without_backend(&self) {
        let _ = self.run(&["init", "-input=false", "-backend=false"]).await.succeeded();
        self.forget_checksums();
    }

    /// Removes the provider's checksum from the lock file, which the engine allows. Otherwise every later command would
    /// read the whole provider to compare it, which is half of its time with a debug build.
    fn forget_checksums(&self) {
        let path = self.lock_file();
        // `init` without a configuration does not create it.
        if !path.exists() {
            return;
        }
        let locked = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (mut kept, mut in_hashes) = (String::new(), false);
        for line in locked.lines() {
            in_hashes |= line.trim_start().starts_with("hashes");
            if !in_hashes {
                kept.push_str(line);
                kept.push('\n');
            }
            in_hashes &= !line.ends_with(']');
        }
        self.write(LOCK, &kept);
    }

    /// Runs `validate`.
    ///
    /// # Panics
    ///
    /// If the command fails.
    pub async fn validate(&self) -> Output {
        self.run(&["validate"]).await.succeeded()
    }

    /// Runs `plan`.
    ///
    /// # Panics
    ///
    /// If the command fails.
    pub async fn plan(&self) -> Plan {
        self.plan_with(&[]).await
    }

    /// Runs `plan` with further options, for example `-refresh=false`.
    ///
    /// # Panics
    ///
    /// If the command fails.
    pub async fn plan_with(&self, options: &[&str]) -> Plan {
        self.try_plan_with(options).await.unwrap_or_else(|output| panic!("{output}"))
    }

    /// Runs `plan`, which may fail.
    ///
    /// # Errors
    ///
    /// The output of a failed plan.
    pub async fn try_plan(&self) -> Result<Plan, Output> {
        self.try_plan_with(&[]).await
    }

    async fn try_plan_with(&self, options: &[&str]) -> Result<Plan, Output> {
        let (output, empty) = self.try_write_plan(options).await?;
        let json = self.show(&[PLAN]).await;
        Ok(Plan { json, file: self.folder.join(PLAN), empty, output })
    }

    /// Runs `plan` and returns its output and whether there are no changes. The plan is in the file.
    pub(crate) async fn try_write_plan(&self, options: &[&str]) -> Result<(Output, bool), Output> {
        let out = format!("-out={PLAN}");
        let mut arguments = vec!["plan", "-input=false", "-detailed-exitcode", &out];
        arguments.extend(options);
        let output = self.run(&arguments).await;
        match output.code {
            Some(0) => Ok((output, true)),
            Some(2) => Ok((output, false)),
            _ => Err(output),
        }
    }

    /// Runs `apply`.
    ///
    /// # Panics
    ///
    /// If the command fails.
    pub async fn apply(&self) -> Output {
        self.try_apply().await.succeeded()
    }

    /// Runs `apply`, which may fail.
    pub async fn try_apply(&self) -> Output {
        self.run(&["apply", "-input=false", "-auto-approve"]).await
    }

    /// Runs `apply` with the file of [`Self::plan`], which may fail.
    pub async fn try_apply_plan(&self) -> Output {
        self.run(&["apply", "-input=false", PLAN]).await
    }

    /// Runs `destroy`.
    ///
    /// # Panics
    ///
    /// If the command fails.
    pub async fn destroy(&self) -> Output {
        self.try_destroy().await.succeeded()
    }

    /// Runs `destroy`, which may fail.
    pub async fn try_destroy(&self) -> Output {
        self.run(&["destroy", "-input=false", "-auto-approve"]).await
    }

    /// Runs `apply -refresh-only`, which updates the state and changes nothing else.
    ///
    /// # Panics
    ///
    /// If the command fails.
    pub async fn refresh(&self) -> Output {
        self.run(&["apply", "-refresh-only", "-input=false", "-auto-approve"]).await.succeeded()
    }

    /// Runs `import`, which may fail.
    pub async fn try_import(&self, address: &str, id: &str) -> Output {
        self.run(&["import", "-input=false", address, id]).await
    }

    /// Reads the state.
    pub async fn state(&self) -> State {
        State::new(self.show(&[]).await)
    }

    /// Asserts that two plans, without and with refresh, are empty, as after every apply.
    ///
    /// # Panics
    ///
    /// If a plan has changes.
    pub async fn assert_stable(&self) {
        for options in [&["-refresh=false"][..], &[]] {
            let (output, empty) = self.try_write_plan(options).await.unwrap_or_else(|output| panic!("{output}"));
            assert!(empty, "a plan right after apply is not empty: {output}");
        }
    }

    /// Runs a command of the engine.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        self.begin(arguments).output().await
    }

    /// Starts `apply` and returns while it runs.
    #[must_use]
    pub fn begin_apply(&self) -> Running {
        self.begin(&["apply", "-input=false", "-auto-approve"])
    }

    /// Starts `destroy` and returns while it runs.
    #[must_use]
    pub fn begin_destroy(&self) -> Running {
        self.begin(&["destroy", "-input=false", "-auto-approve"])
    }

    /// Starts a command of the engine and returns while it runs.
    #[must_use]
    pub fn begin(&self, arguments: &[&str]) -> Running {
        let mut command = self.engine.command();
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null()).kill_on_drop(true);
        command.env_clear().envs(self.settings()).envs(self.environment.iter().map(|(name, value)| (name, value)));
        self.absent.iter().for_each(|name| _ = command.env_remove(name));
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let file = format!("commands/{number:02}-{}.txt", arguments.first().unwrap_or(&"nothing"));
        let name = format!("{} {}", self.engine.name(), arguments.join(" "));
        Running::begin(command, name, (self.root.clone(), file))
    }

    fn settings(&self) -> [(&'static str, String); 7] {
        [
            ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
            ("HOME", self.root.join("home").display().to_string()),
            ("TF_CLI_CONFIG_FILE", self.root.join("engine.tfrc").display().to_string()),
            ("TF_CLI_ARGS", "-no-color".to_owned()),
            ("TF_IN_AUTOMATION", "1".to_owned()),
            ("CHECKPOINT_DISABLE", "1".to_owned()),
            ("LC_ALL", "C.UTF-8".to_owned()),
        ]
    }

    async fn show(&self, arguments: &[&str]) -> Value {
        let all = [&["show", "-json"], arguments].concat();
        let output = self.run(&all).await.succeeded();
        serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output}"))
    }
}

fn copy_files(source: &Path, target: &Path) {
    fs::create_dir_all(target).expect("a workspace can be made");
    let entries = fs::read_dir(source).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
    for entry in entries.flatten() {
        let (from, to) = (entry.path(), target.join(entry.file_name()));
        let is_of_engine = entry.file_name().to_string_lossy().starts_with(".terraform") && from.is_dir();
        if from.is_file() {
            fs::copy(&from, &to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        } else if from.is_dir() && !is_of_engine {
            copy_files(&from, &to);
        }
    }
}

/// Creates the same links as `init` does for providers of a mirror.
fn link_providers(source: &Path, target: &Path) {
    fs::create_dir_all(target).expect("a workspace can be made");
    for entry in fs::read_dir(source).into_iter().flatten().flatten() {
        let (from, to) = (entry.path(), target.join(entry.file_name()));
        if let Ok(provider) = fs::read_link(&from) {
            symlink(provider, &to).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
        } else if from.is_dir() {
            link_providers(&from, &to);
        }
    }
}
