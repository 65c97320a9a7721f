//! `provider::gitlabspot::runner_config(object)`: validates an HCL object and converts it to the text of config.toml.

use gitlabspot_runner_config::catalogue::{GLOBAL, RUNNER, Table};
use gitlabspot_runner_config::config_toml::from_hcl;
use gitlabspot_runner_config::version::RunnerVersion;
use serde_json::{Map, Value as Json};
use tfplugin::framework::function::{Definition, Function, FunctionError, Parameter};
use tfplugin::framework::{AttributePath, Diagnostic};
use tfplugin::framework::{Raw, Type};
use toml::Value as Toml;

/// The function.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunnerConfig;

const OBJECT: usize = 0;

/// An object with this key is a complete file; without it, the object is one runner.
const RUNNERS: &str = "runners";

impl Function for RunnerConfig {
    fn name(&self) -> &'static str {
        "runner_config"
    }

    fn definition(&self) -> Definition {
        Definition {
            summary: "Converts an object to a validated config.toml of GitLab Runner.".into(),
            description: "Use this function for runners that `gitlabspot_runner_release` does not manage, for example \
                          a Helm release. Unknown keys and values of a wrong type are an error: the runner itself \
                          ignores unknown keys. The error of a misspelled key suggests the correct one.\n\n\
                          The keys are in snake case, as in `config` of `gitlabspot_runner_release`: \
                          `bucket_name` becomes `BucketName`, and `tls_ca_file` becomes `tls-ca-file`. Attributes \
                          that are null are omitted. The keys of the result are sorted, so that the same object \
                          always results in the same text."
                .into(),
            parameters: vec![Parameter {
                name: "object".into(),
                description: "A single `[[runners]]` section, or a complete file: the keys of the global section, and \
                              `runners` with one such section or a list of them."
                    .into(),
                ty: Type::Dynamic,
                allow_null: false,
                allow_unknown: false,
            }],
            variadic: None,
            result: Type::String,
        }
    }

    fn call(&self, arguments: Vec<Raw>) -> Result<Raw, FunctionError> {
        if !arguments.iter().all(Raw::is_wholly_known) {
            return Ok(Raw::unknown());
        }
        let object = Json::from(&arguments.into_iter().next().unwrap_or_default());
        let Json::Object(object) = object else {
            return Err(wrong("The argument must be an object, for example { kubernetes = { cpu_request = \"2\" } }."));
        };
        let file = file(object).map_err(|findings| wrong(&lines(findings)))?;
        // A function must return the same text for the same object: the keys of a `toml::Table` are sorted.
        toml::to_string(&file)
            .map(Raw::from)
            .map_err(|error| wrong(&format!("The object cannot be represented in TOML: {error}.")))
    }
}

fn wrong(text: &str) -> FunctionError {
    FunctionError::argument(OBJECT, text)
}

fn file(mut object: Map<String, Json>) -> Result<toml::Table, Vec<Diagnostic>> {
    let here = AttributePath::of(RUNNERS);
    let (global, runners) = match object.remove(RUNNERS) {
        None => {
            outside(&object)?;
            (Map::new(), vec![(Json::Object(object), AttributePath::root())])
        }
        Some(Json::Array(runners)) => {
            (object, runners.into_iter().enumerate().map(|(index, runner)| (runner, here.index(index))).collect())
        }
        Some(runner) => (object, vec![(runner, here)]),
    };
    let mut findings = Vec::new();
    let mut read = |object: &Json, catalogue: &'static Table, path| {
        // The version of the runner that reads the text is not known here.
        from_hcl(object, catalogue, RunnerVersion::UNKNOWN, path).unwrap_or_else(|found| {
            findings.extend(found);
            toml::Table::new()
        })
    };
    let mut file = read(&Json::Object(global), &GLOBAL, AttributePath::root());
    let runners = runners.into_iter().map(|(runner, path)| Toml::Table(read(&runner, &RUNNER, path))).collect();
    file.insert(RUNNERS.to_owned(), Toml::Array(runners));
    if findings.is_empty() { Ok(file) } else { Err(findings) }
}

/// Returns an error for each key of the global section in a single runner.
fn outside(runner: &Map<String, Json>) -> Result<(), Vec<Diagnostic>> {
    let is_global = |name: &&String| RUNNER.by_hcl(name).is_none() && GLOBAL.by_hcl(name).is_some();
    let findings: Vec<Diagnostic> = runner
        .keys()
        .filter(is_global)
        .map(|name| {
            let detail = format!(
                "{name} belongs to the global section of config.toml, but this object is a single runner. Use {{ \
                 {name} = ..., runners = {{ ... }} }} for the complete file."
            );
            let path = AttributePath::of(name.as_str());
            Diagnostic::error("Key of the global section", detail).at(path)
        })
        .collect();
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

/// Details of all findings, one per line. Each contains its path.
fn lines(findings: Vec<Diagnostic>) -> String {
    findings.into_iter().map(|found| found.detail).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tfplugin::framework::value::DynamicRaw;

    fn object<const N: usize>(attributes: [(&str, Raw); N]) -> Raw {
        Raw::Map(attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Calls the function with an argument of dynamic type, as hosts send it.
    fn call(value: Raw) -> Result<Raw, FunctionError> {
        RunnerConfig.call(vec![Raw::Dynamic(Box::new(DynamicRaw { ty: Type::Dynamic, value }))])
    }

    fn text(value: Raw) -> String {
        call(value).unwrap().as_str().unwrap().to_owned()
    }

    fn error(value: Raw) -> String {
        let error = call(value).unwrap_err();
        assert_eq!(error.argument, Some(0));
        error.text
    }

    #[test]
    fn single_runner_is_rendered() {
        let s3 = object([("bucket_name", "ci".into()), ("bucket_location", "af-south-1".into())]);
        let runner = object([
            ("executor", "kubernetes".into()),
            ("tls_ca_file", "/etc/ca.pem".into()),
            ("limit", Raw::Null),
            ("cache", object([("type", "s3".into()), ("shared", true.into()), ("s3", s3)])),
            (
                "kubernetes",
                object([("poll_timeout", 300.into()), ("node_selector", object([("intent", "build".into())]))]),
            ),
        ]);
        let expected = "[[runners]]\nexecutor = \"kubernetes\"\ntls-ca-file = \"/etc/ca.pem\"\n\n\
                        [runners.cache]\nShared = true\nType = \"s3\"\n\n\
                        [runners.cache.s3]\nBucketLocation = \"af-south-1\"\nBucketName = \"ci\"\n\n\
                        [runners.kubernetes]\npoll_timeout = 300\n\n\
                        [runners.kubernetes.node_selector]\nintent = \"build\"\n";
        assert_eq!(text(runner), expected);
    }

    #[test]
    fn complete_file_is_rendered() {
        let runner = |name: &str| object([("name", name.into())]);
        let one = object([("concurrent", 4.into()), ("runners", runner("a"))]);
        assert_eq!(text(one), "concurrent = 4\n\n[[runners]]\nname = \"a\"\n");
        let two = object([("runners", Raw::List(vec![runner("a"), runner("b")]))]);
        assert_eq!(text(two), "[[runners]]\nname = \"a\"\n\n[[runners]]\nname = \"b\"\n");
    }

    #[test]
    fn all_errors_are_reported_with_their_paths() {
        let kubernetes = object([("cpu_requests", "2".into()), ("poll_timeout", "soon".into())]);
        let runners = Raw::List(vec![object([("kubernetes", kubernetes)])]);
        let text = error(object([("concurent", 4.into()), ("runners", runners)]));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[..2],
            [
                "GitLab Runner does not have the key concurent, and would ignore it without an error. Did you mean \"concurrent\"?",
                "GitLab Runner does not have the key runners[0].kubernetes.cpu_requests, and would ignore it without an error. Did \
                 you mean \"cpu_request\"?",
            ]
        );
        assert!(lines[2].starts_with("runners[0].kubernetes.poll_timeout must be a whole number. "), "{text}");
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn keys_of_other_sections_are_explained() {
        assert_eq!(
            error(object([("concurrent", 4.into())])),
            "concurrent belongs to the global section of config.toml, but this object is a single runner. Use { \
             concurrent = ..., runners = { ... } } for the complete file."
        );
        assert!(error("text".into()).starts_with("The argument must be an object"));
        assert_eq!(
            error(object([("runners", Raw::List(vec!["x".into()]))])),
            "runners[0] is a string, but must be an object: { ... }."
        );
        assert_eq!(
            error(object([("docker", Raw::Map([].into())), ("executor", "docker".into())])),
            "docker belongs to another executor. Only the Kubernetes executor is supported. Remove it.\n\
             executor is \"docker\", but this resource only supports the Kubernetes executor. Set it to \"kubernetes\", or \
             remove the key."
        );
        assert_eq!(
            error(object([("log_level", "wran".into()), ("runners", Raw::List(Vec::new()))])),
            "log_level is \"wran\". Use panic, fatal, error, warn, info, debug or trace."
        );
    }

    #[test]
    fn unknown_values_give_an_unknown_result() {
        assert_eq!(call(object([("name", Raw::unknown())])), Ok(Raw::unknown()));
    }
}
