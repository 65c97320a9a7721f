//! `plugin, protocol -> framework <- resources -> clients`.

use super::source::{says, sources};

/// A room and the rooms that it knows, itself included.
const ROOMS: [(&str, &[&str]); 10] = [
    ("framework", &["framework"]),
    ("plugin", &["plugin", "framework"]),
    ("protocol", &["protocol", "framework"]),
    ("clients", &["clients"]),
    ("resources", &["resources", "framework", "clients", "provider"]),
    ("data_sources", &["data_sources", "resources", "framework", "clients", "provider"]),
    ("functions", &["functions", "resources", "framework"]),
    ("provider", &["provider", "resources", "data_sources", "functions", "framework", "clients"]),
    ("migrate", &["migrate", "resources", "framework", "provider"]),
    ("lib", &[]),
];

/// Names of other crates, up to `*`, and the rooms that may say them.
const CRATES: [(&str, &[&str]); 12] = [
    ("gitlabspot_proto::tfplugin6", &["protocol"]),
    ("gitlabspot_proto::go_plugin", &["plugin"]),
    ("tonic", &["plugin", "protocol"]),
    ("prost*", &["protocol"]),
    ("rmpv", &["protocol"]),
    ("aws_sdk_*", &["clients", "resources", "data_sources"]),
    ("aws_smithy_*", &["clients", "resources", "data_sources"]),
    ("aws_types", &["clients", "resources", "data_sources"]),
    ("aws_sigv4", &["clients"]),
    ("kube", &["clients", "resources"]),
    ("k8s_openapi", &["clients", "resources"]),
    ("rustls", &["plugin", "clients"]),
];

/// What opens connections, outside tests.
const CONNECTIONS: [(&str, &[&str]); 7] = [
    ("aws_config", &["clients"]),
    ("aws_smithy_http_client", &["clients"]),
    ("hyper", &["clients"]),
    ("hyper_util", &["clients", "plugin"]),
    ("TcpStream", &["clients"]),
    ("UnixStream", &["plugin"]),
    ("reqwest", &[]),
];

/// Which room a file is in.
fn room(path: &str) -> &str {
    let path = path.trim_start_matches("provider/src/");
    path.split('/').next().unwrap_or(path).trim_end_matches(".rs")
}

/// The rooms that `crate::` paths lead to.
fn rooms_named(code: &str) -> Vec<&str> {
    let mut rooms = Vec::new();
    for (at, prefix) in code.match_indices("crate::") {
        let rest = &code[at + prefix.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut begin = true;
            for (at, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => begin = true,
                    c if begin && c.is_alphabetic() => {
                        rooms.push(word(&group[at..]));
                        begin = false;
                    }
                    _ => {}
                }
            }
        } else {
            rooms.push(word(rest));
        }
    }
    rooms
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

fn forbidden_rooms(path: &str, code: &str) -> Vec<String> {
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room(path)) else { return vec![] };
    let is_room = |name: &&str| ROOMS.iter().any(|(room, _)| room == name);
    rooms_named(code)
        .into_iter()
        .filter(|name| is_room(name) && !allowed.contains(name))
        .map(|name| format!("{path} names crate::{name}"))
        .collect()
}

fn forbidden_crates(path: &str, code: &str, rules: &[(&str, &[&str])]) -> Vec<String> {
    // main puts the rooms together.
    let broken =
        |(name, allowed): &&(&str, &[&str])| room(path) != "main" && !allowed.contains(&room(path)) && says(code, name);
    rules.iter().filter(broken).map(|(name, _)| format!("{path} names {name}")).collect()
}

#[test]
fn rooms_know_only_the_rooms_below() {
    let broken: Vec<_> = sources("provider/src/").iter().flat_map(|it| forbidden_rooms(&it.path, &it.code())).collect();
    assert_eq!(broken, [""; 0]);
}

#[test]
fn every_room_has_its_rule() {
    let known = |path: &str| ["main", "lib"].contains(&room(path)) || ROOMS.iter().any(|(name, _)| *name == room(path));
    let unknown: Vec<_> = sources("provider/src/").into_iter().map(|it| it.path).filter(|path| !known(path)).collect();
    assert_eq!(unknown, [""; 0]);
}

#[test]
fn rooms_name_only_their_crates() {
    let broken: Vec<_> =
        sources("provider/src/").iter().flat_map(|it| forbidden_crates(&it.path, &it.code(), &CRATES)).collect();
    assert_eq!(broken, [""; 0]);
}

#[test]
fn only_clients_open_connections() {
    let broken: Vec<_> = sources("provider/src/")
        .iter()
        .flat_map(|it| forbidden_crates(&it.path, &it.shipped(), &CONNECTIONS))
        .collect();
    assert_eq!(broken, [""; 0]);
}

#[test]
fn the_checks_find_what_is_wrong() {
    let rooms = |path, code| forbidden_rooms(path, code);
    assert_eq!(
        rooms("provider/src/framework/x.rs", "use crate::protocol::Y;"),
        ["provider/src/framework/x.rs names crate::protocol"]
    );
    let group = "use crate::{framework::{Plan, protocol}, clients, plugin::Z};";
    assert_eq!(rooms("provider/src/resources/a/b.rs", group), ["provider/src/resources/a/b.rs names crate::plugin"]);
    assert_eq!(rooms("provider/src/resources/a/b.rs", "use crate::clients::X;"), [""; 0]);

    let crates = |path, code| forbidden_crates(path, code, &CRATES).len();
    assert_eq!(crates("provider/src/framework/x.rs", "use tonic::Status; use aws_sdk_s3::Client;"), 2);
    assert_eq!(crates("provider/src/plugin/x.rs", "gitlabspot_proto::tfplugin6::Schema"), 1);
    assert_eq!(crates("provider/src/plugin/x.rs", "gitlabspot_proto::go_plugin::Empty; mytonic::x; a.tonic"), 0);
    let connections = |code| forbidden_crates("provider/src/resources/x/mod.rs", code, &CONNECTIONS).len();
    assert_eq!(connections("aws_config::load()"), 1);
    assert_eq!(connections("hyper_body::Body"), 0);
}
