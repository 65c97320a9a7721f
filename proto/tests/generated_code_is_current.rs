//! `src/generated/` is what the `.proto` files say, byte by byte.
//!
//! After a change of a `.proto` file: `UPDATE_GENERATED=1 cargo test -p tfplugin-proto`.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs, io};

const PROTO_FILES: [&str; 4] =
    ["tfplugin6.proto", "go_plugin/broker.proto", "go_plugin/controller.proto", "go_plugin/stdio.proto"];

#[test]
fn generated_code_is_current() {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let checked_in = crate_root.join("src/generated");
    let fresh = tempfile::tempdir().unwrap();
    generate(crate_root, fresh.path());

    if env::var_os("UPDATE_GENERATED").is_some() {
        for (name, text) in rust_files(fresh.path()).unwrap() {
            fs::write(checked_in.join(name), text).unwrap();
        }
    }

    let (expected, found) = (rust_files(fresh.path()).unwrap(), rust_files(&checked_in).unwrap());
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "files of src/generated/");
    for (name, text) in expected {
        // Not assert_eq: a difference would print both files, ten thousand lines.
        assert!(
            found[&name] == text,
            "src/generated/{name} is stale: run UPDATE_GENERATED=1 cargo test -p tfplugin-proto"
        );
    }
}

/// Writes one file per protobuf package to `out`.
fn generate(crate_root: &Path, out: &Path) {
    let files = PROTO_FILES.map(|file| crate_root.join(file));
    let descriptors = protox::compile(files, [crate_root]).unwrap();
    tonic_prost_build::configure().build_server(true).build_client(true).out_dir(out).compile_fds(descriptors).unwrap();
}

fn rust_files(directory: &Path) -> io::Result<BTreeMap<String, String>> {
    fs::read_dir(directory)?
        .map(|entry| {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            Ok((name, fs::read_to_string(entry.path())?))
        })
        .collect()
}
