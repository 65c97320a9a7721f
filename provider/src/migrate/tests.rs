use std::fs;

use super::*;

const EKSCTL: &str = include_str!("eksctl/testdata/guide.yaml");
const VALUES: &str = include_str!("../resources/runner_release/testdata/guide-values.yaml");

/// Contents of a file with the expected result of a test.
pub(super) fn expected(path: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/migrate");
    fs::read_to_string(folder.join(path)).unwrap()
}

/// Runs the subcommand with files in a temporary directory. An argument that begins with `@` is replaced by the path of
/// one.
fn ran(files: &[(&str, &str)], arguments: &[&str]) -> (tempfile::TempDir, Result<Printed, Error>) {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let path = |argument: &&str| match argument.strip_prefix('@') {
        Some(name) => directory.path().join(name).display().to_string(),
        None => (*argument).to_owned(),
    };
    let given: Vec<String> = arguments.iter().map(path).collect();
    (directory, run(given))
}

#[test]
fn configuration_and_report_are_printed_separately() {
    let (_directory, printed) = ran(
        &[("e.yaml", EKSCTL), ("v.yaml", VALUES)],
        &["--eksctl", "@e.yaml", "--values", "@v.yaml", "--bucket", "your-cache-bucket", "--user", "u"],
    );
    let Printed { out, report } = printed.unwrap();
    for line in [
        "# main.tf\n\nterraform {",
        "\n# imports.tf\n\nimport {",
        "\n# variables.tf\n\nvariable \"cluster_name\" {",
        "cluster_name = var.cluster_name",
        "region = \"af-south-1\"",
        // The bucket of the guide is in another region than its cluster.
        "alias  = \"cache\"\n  region = \"eu-west-1\"",
        "provider        = gitlabspot.cache",
        "bucket_name         = gitlabspot_cache_bucket.cache.bucket",
        "id = \"${var.cluster_name}:build-8vcpu-16gb-32gb-1b\"",
        "id = \"gitlab-runner/gitlab-runner-s3-access:u\"",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    assert!(report.starts_with("# Migration\n") && !report.contains("XXXXX") && !out.contains("XXXXX"), "{report}");
}

#[test]
fn output_files_are_not_overwritten() {
    let arguments = ["--eksctl", "@e.yaml", "--out", "@out"];
    let (directory, printed) = ran(&[("e.yaml", EKSCTL)], &arguments);
    assert_eq!(printed.unwrap().out.lines().count(), 4);
    let mut names: Vec<_> =
        fs::read_dir(directory.path().join("out")).unwrap().map(|it| it.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["imports.tf", "main.tf", "migrate.md", "variables.tf"]);
    let given: Vec<String> =
        arguments.iter().map(|text| text.replace('@', &format!("{}/", directory.path().display()))).collect();
    assert!(run(given).unwrap_err().to_string().contains("exists already. Nothing was written"));
}

#[test]
fn options_complete_the_files() {
    let (_directory, printed) = ran(
        &[("v.yaml", VALUES)],
        &[
            "--values",
            "@v.yaml",
            "--namespace",
            "ci",
            "--release",
            "jobs",
            "--runner-version",
            "18.9.0",
            "--cluster",
            "prod",
            "--bucket",
            "b",
            "--bucket-region",
            "eu-north-1",
            "--region",
            "eu-west-1",
            "--user",
            "u",
            "--secret",
            "s",
        ],
    );
    let out = printed.unwrap().out;
    for line in [
        "id = \"ci/jobs\"",
        "id = \"ci/s:u\"",
        "runner_version                = \"18.9.0\"",
        "region = \"eu-north-1\"",
        "cluster_name = \"prod\"",
        "cache_secret_name = \"gitlab-runner-s3-access\"",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
}

#[test]
fn invalid_inputs_are_errors() {
    for (files, arguments, why) in [
        (vec![], vec!["--eksctl", "@missing.yaml"], "could not be read: No such file"),
        (vec![("e.yaml", VALUES)], vec!["--eksctl", "@e.yaml"], "it is a values file. Give it with --values"),
        (
            vec![("v.yaml", EKSCTL)],
            vec!["--values", "@v.yaml"],
            "v.yaml: Not a values file: it is a configuration file of eksctl. Give it with --eksctl.",
        ),
        (vec![], vec!["--user", "u"], "--user needs --bucket"),
        (vec![], vec!["--nonsense"], "There is no option --nonsense.\n\nUsage: "),
        (vec![("s.json", "{}")], vec!["--state", "@s.json"], "is not a state"),
        (vec![("e.yaml", EKSCTL), ("out", "")], vec!["--eksctl", "@e.yaml", "--out", "@out"], "could not be written"),
    ] {
        let (_directory, printed) = ran(&files, &arguments);
        let message = printed.unwrap_err().to_string();
        assert!(message.contains(why), "{arguments:?}: {message}");
    }
    assert!(run(["--help".to_owned()]).unwrap().out.starts_with("Usage: "));
}
