//! Code blocks in pages are valid in their language. The acceptance tests validate HCL with Terraform and OpenTofu.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::repository::{files, text};

/// The language and text of each block.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let fenced = page.split("```").skip(1).step_by(2);
    fenced.filter_map(|block| block.split_once('\n')).map(|(language, code)| (language.trim(), code)).collect()
}

/// The error in a block, if any.
fn fault(language: &str, code: &str) -> Option<String> {
    match language {
        "json" => serde_json::from_str::<serde_json::Value>(code).err().map(|error| error.to_string()),
        "yaml" => {
            let documents = code.split("\n---\n").filter(|document| !document.trim().is_empty());
            documents
                .filter_map(|it| serde_saphyr::from_str::<serde_json::Value>(it).err())
                .map(|e| e.to_string())
                .next()
        }
        "sh" | "shell" => shell(code),
        "hcl" | "terraform" | "text" | "toml" | "rust" | "console" => None,
        other => Some(format!("{other:?} is no known language")),
    }
}

fn shell(code: &str) -> Option<String> {
    let mut child = Command::new("sh").arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(code.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn code_blocks_are_valid() {
    let is_page = |path: &String| path.ends_with(".md") && !path.starts_with("provider/");
    let mut faults = Vec::new();
    for page in files().into_iter().filter(is_page) {
        let text = text(&page).unwrap();
        let found = blocks(&text).into_iter().filter_map(|(language, code)| Some((fault(language, code)?, code)));
        faults.extend(found.map(|(fault, code)| format!("{page}: {fault}\n{code}")));
    }
    assert_eq!(faults, [""; 0]);
}

#[test]
fn invalid_code_blocks_are_found() {
    assert_eq!(blocks("a\n```sh\nls\n```\nb\n```json\n{}\n```\n"), [("sh", "ls\n"), ("json", "{}\n")]);
    assert!(fault("json", "{").is_some() && fault("json", "{}").is_none());
    assert!(fault("yaml", "a: b\n---\na: [").is_some() && fault("yaml", "a: b\n---\nc: 1\n").is_none());
    assert!(fault("sh", "if true").is_some() && fault("shell", "a b # c\n").is_none());
    assert!(fault("", "x").is_some());
}
