//! User data of Amazon Linux: a MIME multi-part document, from which cloud-init runs scripts and nodeadm reads its
//! configuration.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use mailparse::ParsedMail;
use serde_json::{Value as Json, json};

use super::{Family, Parts, Problem};
use crate::resources::node_group::template::kubelet;

const BOUNDARY: &str = "gitlabspot";

/// File names that identify the parts for attributes when a document is read back.
const MIRRORS: &str = "gitlabspot-registry-mirrors.sh";
const NODE_CONFIG: &str = "gitlabspot-node-config.json";

/// Prefix of the line of the script that contains the mirrors as data.
const MIRRORS_LINE: &str = "# registry_mirrors = ";

const NODEADM: &str = "application/node.eks.aws";

pub(super) fn compose(parts: &Parts, family: Family) -> Result<Option<String>, Problem> {
    let mut documents = Vec::new();
    if let Some(text) = &parts.user_data {
        match content_type(text, family)? {
            Some(kind) => documents.push(document(kind, None, text)),
            None => documents.extend(subparts(text)?),
        }
    }
    if !parts.registry_mirrors.is_empty() {
        documents.push(document("text/x-shellscript", Some(MIRRORS), &mirrors_script(&parts.registry_mirrors)));
    }
    if parts.instance_store || !parts.kubelet.is_empty() {
        let config = format!("{:#}\n", node_config(parts));
        documents.push(document(NODEADM, Some(NODE_CONFIG), &config));
    }
    if documents.is_empty() {
        return Ok(None);
    }
    let mut boundary = BOUNDARY.to_owned();
    // No part may contain the boundary.
    while documents.iter().any(|document| document.contains(&format!("--{boundary}"))) {
        boundary.push('-');
    }
    let mut text = format!("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"{boundary}\"\n\n");
    for document in documents {
        let _ = write!(text, "--{boundary}\n{document}\n");
    }
    let _ = writeln!(text, "--{boundary}--");
    Ok(Some(text))
}

/// The content type of the user's own data; `None` for a MIME multi-part document.
fn content_type(text: &str, family: Family) -> Result<Option<&'static str>, Problem> {
    let start = text.trim_start().to_ascii_lowercase();
    if start.starts_with("mime-version:") || start.starts_with("content-type: multipart/") {
        return Ok(None);
    }
    let is_node_config = text.lines().any(|line| line.trim_start().starts_with("apiVersion: node.eks.aws/"));
    match () {
        () if text.starts_with("#!") => Ok(Some("text/x-shellscript")),
        () if text.starts_with("#cloud-config") => Ok(Some("text/cloud-config")),
        () if is_node_config && family == Family::AmazonLinux2023 => Ok(Some(NODEADM)),
        () => Err(Problem::UnknownForm),
    }
}

fn document(content_type: &str, name: Option<&str>, text: &str) -> String {
    let disposition = name.map(|name| format!("Content-Disposition: attachment; filename=\"{name}\"\n"));
    format!("Content-Type: {content_type}; charset=\"utf-8\"\n{}\n{text}", disposition.unwrap_or_default())
}

/// The parts of a document of the user, each unchanged. They are added one by one: nodeadm does not read documents
/// within documents.
fn subparts(text: &str) -> Result<Vec<String>, Problem> {
    let mail = mailparse::parse_mail(text.as_bytes()).map_err(|error| Problem::NoMime(error.to_string()))?;
    if mail.subparts.is_empty() {
        return Err(Problem::NoMime("it has no parts".to_owned()));
    }
    Ok(mail.subparts.iter().map(raw).collect())
}

fn raw(part: &ParsedMail<'_>) -> String {
    String::from_utf8_lossy(part.raw_bytes).trim_end_matches('\n').to_owned() + "\n"
}

/// A script that writes the mirrors to the files that containerd reads at each pull, which do not exist by default.
/// nodeadm starts the kubelet after the scripts of the user data have ended.
fn mirrors_script(mirrors: &BTreeMap<String, Vec<String>>) -> String {
    let data = json!(mirrors);
    let mut script = format!("#!/bin/sh\n{MIRRORS_LINE}{data}\nset -eu\n");
    for (host, urls) in mirrors {
        let folder = format!("/etc/containerd/certs.d/{host}");
        let _ = write!(script, "mkdir -p '{folder}'\ncat > '{folder}/hosts.toml' <<'END'\n");
        for url in urls {
            let _ =
                write!(script, "[host.{}]\ncapabilities = [\"pull\", \"resolve\"]\n", toml::Value::from(url.as_str()));
        }
        script.push_str("END\n");
    }
    script
}

/// The configuration for nodeadm, in JSON, which is valid YAML.
fn node_config(parts: &Parts) -> Json {
    let mut spec = serde_json::Map::new();
    if parts.instance_store {
        spec.insert("instance".to_owned(), json!({ "localStorage": { "strategy": "RAID0" } }));
    }
    if !parts.kubelet.is_empty() {
        spec.insert("kubelet".to_owned(), json!({ "config": kubelet::configuration(&parts.kubelet) }));
    }
    json!({ "apiVersion": "node.eks.aws/v1alpha1", "kind": "NodeConfig", "spec": spec })
}

pub(super) fn parts(text: &str) -> Parts {
    let whole = Parts { user_data: Some(text.to_owned()), ..Parts::default() };
    let Ok(mail) = mailparse::parse_mail(text.as_bytes()) else { return whole };
    let mut found = Parts::default();
    let mut of_user = Vec::new();
    for part in &mail.subparts {
        let name = part.get_content_disposition().params.remove("filename").unwrap_or_default();
        let body = part.get_body().unwrap_or_default();
        let recognized = match name.as_str() {
            MIRRORS => of_script(&body).map(|mirrors| found.registry_mirrors = mirrors),
            NODE_CONFIG => of_node_config(&body, &mut found),
            _ => None,
        };
        if recognized.is_none() {
            of_user.push(part);
        }
    }
    found.user_data = match of_user.as_slice() {
        [] if mail.subparts.is_empty() => return whole,
        [] => None,
        // A single part with no header but the content type was created by `compose`: its body is the user's own data.
        [part] if part.headers.len() == 1 => Some(without_last_line_break(&part.get_body().unwrap_or_default())),
        _ if of_user.len() == mail.subparts.len() => return whole,
        parts => Some(of_parts(parts)),
    };
    found
}

/// Removes the line break before the boundary, which belongs to the boundary.
fn without_last_line_break(body: &str) -> String {
    body.strip_suffix('\n').filter(|rest| rest.ends_with('\n')).unwrap_or(body).to_owned()
}

fn of_parts(parts: &[&ParsedMail<'_>]) -> String {
    let mut text = format!("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"{BOUNDARY}\"\n\n");
    for part in parts {
        let _ = write!(text, "--{BOUNDARY}\n{}\n", raw(part));
    }
    text + &format!("--{BOUNDARY}--\n")
}

fn of_script(body: &str) -> Option<BTreeMap<String, Vec<String>>> {
    let data = body.lines().find_map(|line| line.strip_prefix(MIRRORS_LINE))?;
    serde_json::from_str(data).ok()
}

fn of_node_config(body: &str, found: &mut Parts) -> Option<()> {
    let config: Json = serde_json::from_str(body).ok()?;
    let spec = config.get("spec")?;
    let (settings, is_all) = match spec.pointer("/kubelet/config") {
        Some(config) => kubelet::of_configuration(config.as_object()?),
        None => Default::default(),
    };
    // Settings without an attribute must not be lost: the part remains in the user data.
    if spec.pointer("/kubelet/config").is_some() && !is_all {
        return None;
    }
    found.kubelet = settings;
    found.instance_store = spec.pointer("/instance/localStorage/strategy").is_some_and(|strategy| strategy == "RAID0");
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::everything;
    use super::*;

    fn composed(parts: &Parts) -> String {
        compose(parts, Family::AmazonLinux2023).unwrap().unwrap()
    }

    /// Content types and bodies of a document.
    fn documents(text: &str) -> Vec<(String, String)> {
        let mail = mailparse::parse_mail(text.as_bytes()).unwrap();
        let document = |part: &ParsedMail<'_>| (part.ctype.mimetype.clone(), part.get_body().unwrap());
        mail.subparts.iter().map(document).collect()
    }

    #[test]
    fn one_document_of_everything() {
        let text = composed(&everything("#!/bin/sh\necho\n"));
        assert!(text.starts_with("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="), "{text}");
        let documents = documents(&text);
        let kinds: Vec<&str> = documents.iter().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(kinds, ["text/x-shellscript", "text/x-shellscript", NODEADM]);
        let script = &documents[1].1;
        assert!(script.starts_with("#!/bin/sh\n"), "{script}");
        assert!(script.contains("cat > '/etc/containerd/certs.d/docker.io/hosts.toml'"), "{script}");
        let first = script.find("[host.\"https://one.example.com\"]").unwrap();
        assert!(first < script.find("[host.\"https://two.example.com\"]").unwrap(), "{script}");
        let config: Json = serde_json::from_str(&documents[2].1).unwrap();
        assert_eq!(config["spec"]["instance"]["localStorage"]["strategy"], "RAID0");
        assert_eq!(config["spec"]["kubelet"]["config"], json!({ "maxPods": 58 }));
    }

    #[test]
    fn user_parts_are_kept_beside_own_parts() {
        let theirs = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"gitlabspot\"\n\n\
                      --gitlabspot\nContent-Type: text/cloud-config\n\n#cloud-config\nruncmd: [a]\n\n\
                      --gitlabspot\nContent-Type: application/node.eks.aws\n\nkind: NodeConfig\n\n--gitlabspot--\n";
        let text = composed(&everything(theirs));
        let documents = documents(&text);
        let kinds: Vec<&str> = documents.iter().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(kinds, ["text/cloud-config", NODEADM, "text/x-shellscript", NODEADM]);
        assert!(documents[0].1.contains("runcmd: [a]"), "{documents:?}");
        let back = parts(&text);
        let again = composed(&back);
        assert_eq!((back.instance_store, back.kubelet.len()), (true, 1));
        assert_eq!(self::documents(&again), documents);
    }

    #[test]
    fn user_data_without_own_parts_is_read_back_unchanged() {
        let theirs = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"x\"\n\n\
                      --x\nContent-Type: text/cloud-config\n\n#cloud-config\nruncmd: [a]\n\n\
                      --x\nContent-Type: text/x-shellscript\n\n#!/bin/sh\n\n--x--\n";
        assert_eq!(parts(theirs), Parts { user_data: Some(theirs.to_owned()), ..Parts::default() });
    }

    #[test]
    fn other_forms_are_refused() {
        let refused = |text: &str| {
            let parts = Parts { user_data: Some(text.to_owned()), ..Parts::default() };
            compose(&parts, Family::AmazonLinux2023).unwrap_err()
        };
        assert_eq!(refused("echo hello\n"), Problem::UnknownForm);
        assert_eq!(refused("[settings]\n"), Problem::UnknownForm);
        assert!(matches!(refused("MIME-Version: 1.0\nContent-Type: text/plain\n\nx\n"), Problem::NoMime(_)));
    }

    #[test]
    fn foreign_user_data_are_left_as_they_are() {
        let text = "#!/bin/sh\necho\n";
        assert_eq!(parts(text), Parts { user_data: Some(text.to_owned()), ..Parts::default() });
    }
}
