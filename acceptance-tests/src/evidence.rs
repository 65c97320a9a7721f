//! Evidence of failed tests.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::kubernetes::Kubernetes;
use crate::{Account, Cloud, GitLab};

/// Output folder of all tests: `target/acceptance`.
pub(crate) fn root_of_all_tests() -> PathBuf {
    let running = std::env::current_exe().expect("a running test has a path");
    running.ancestors().nth(3).expect("tests are in target/<profile>/deps").join("acceptance")
}

/// Creates an empty folder for a test below `target/acceptance`.
pub(crate) fn folder(test: &str) -> PathBuf {
    let folder = root_of_all_tests().join(test);
    match fs::remove_dir_all(&folder) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => panic!("{}: {error}", folder.display()),
    }
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    folder
}

/// All state files below the folder of a test.
pub(crate) fn states(root: &Path) -> Vec<Value> {
    let texts = texts(root, |name| name.ends_with(".tfstate"));
    texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect()
}

/// All configurations below the folder of a test, and the output of commands.
pub(crate) fn configurations(root: &Path) -> String {
    texts(root, |name| name.ends_with(".tf") || name.ends_with(".txt")).join("\n")
}

fn texts(folder: &Path, wanted: fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            found.extend(texts(&path, wanted));
        } else if wanted(&name.to_string_lossy()) {
            found.extend(fs::read_to_string(&path));
        }
    }
    found
}

/// Writes a file and creates its folder. Prints errors instead of panicking.
pub(crate) fn write(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
    if let Err(error) = written {
        eprintln!("{}: {error}", path.display());
    }
}

/// Adds calls of the stubs and objects of the cluster to the output of commands. Never panics, because it also runs
/// during a panic.
pub(crate) fn collect(root: &Path, cloud: &Cloud, account: &Account, gitlab: &GitLab, namespace: &str) {
    let objects = block_on_cluster(cloud, async |kubernetes: Kubernetes| kubernetes.dump(namespace).await);
    let parts = [("aws-calls.json", account.log()), ("gitlab-calls.json", gitlab.log()), ("objects.json", objects)];
    for (file, part) in parts {
        let text = part.map_or_else(|error| error, |part| format!("{part:#}"));
        write(root, file, &text);
    }
    eprintln!("\nEvidence: {}", root.display());
}

/// Runs `work` on the cluster from a destructor. A thread of its own is necessary, because a thread of a Tokio runtime
/// cannot block on another runtime.
pub(crate) fn block_on_cluster<T: Send>(
    cloud: &Cloud,
    work: impl AsyncFnOnce(Kubernetes) -> T + Send,
) -> Result<T, String> {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
        Ok(runtime.block_on(async { work(cloud.kubernetes().await).await }))
    };
    std::thread::scope(|scope| scope.spawn(run).join().unwrap_or_else(|_| Err("a panic".to_owned())))
}
