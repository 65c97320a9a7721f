//! Credentials in profiles of the shared configuration files. Nothing is contacted here.
//!
//! The SDK also reads profiles, but calls STS with its own clients, which ignore `endpoints` and `max_retries` of the
//! provider block and the session duration. Only IAM Identity Center, which does not need STS, is left to the SDK.

use std::time::Duration;

use aws_config::profile::{Profile, ProfileSet};
use aws_credential_types::Credentials;

use super::process::Process;
use super::settings::AssumeRole;

/// The initial credentials of a profile, and the roles that are assumed with them, in this order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Origin {
    pub(super) base: Base,
    pub(super) roles: Vec<AssumeRole>,
}

/// The initial credentials.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Base {
    Keys(Credentials),
    WebIdentity(WebIdentity),
    /// The source in `credential_source`.
    Named(Source),
    /// The command in `credential_process`.
    Process(Process),
    /// IAM Identity Center in the profile of this name, which the SDK supports.
    Sdk(String),
}

/// A role that is assumed with a token from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WebIdentity {
    pub(super) role_arn: String,
    pub(super) token_file: String,
    pub(super) session_name: Option<String>,
    pub(super) duration: Option<Duration>,
}

/// The values of `credential_source`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Environment,
    Instance,
    Container,
}

/// Why a profile cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ProfileError {
    #[error("the profile \"{name}\" does not exist in the shared configuration files; {}", those(.known))]
    Missing { name: String, known: Vec<String> },

    #[error("the profile \"{name}\" has \"source_profile = {source_profile}\", and that profile does not exist")]
    NoSource { name: String, source_profile: String },

    #[error("the profiles {} refer to each other as source_profile in a cycle", .names.join(", "))]
    Loop { names: Vec<String> },

    #[error("the profile \"{name}\" cannot be used: {reason}")]
    Unusable { name: String, reason: &'static str },

    #[error(
        "the profile \"{name}\" has no credentials: it has neither keys nor a role, credential_process or \
        sso_session"
    )]
    Empty { name: String },
}

fn those(names: &[String]) -> String {
    match names {
        [] => "no profiles exist".to_owned(),
        names => format!("existing profiles: {}", names.join(", ")),
    }
}

/// The origin of the credentials of the profile that `profiles` selects.
pub(super) fn origin(profiles: &ProfileSet) -> Result<Origin, ProfileError> {
    let mut name = profiles.selected_profile();
    let Some(mut profile) = profiles.get_profile(name) else {
        let mut known: Vec<String> = profiles.profiles().map(str::to_owned).collect();
        known.sort();
        return Err(ProfileError::Missing { name: name.to_owned(), known });
    };
    let mut seen: Vec<&str> = Vec::new();
    let mut roles = Vec::new();
    let base = loop {
        if seen.contains(&name) {
            return Err(ProfileError::Loop { names: seen.into_iter().map(str::to_owned).collect() });
        }
        seen.push(name);
        // Access keys of a source profile take precedence over its role. In the selected profile, the role takes
        // precedence.
        if seen.len() > 1
            && let Some(keys) = keys(name, profile)?
        {
            break Base::Keys(keys);
        }
        let Some(role) = role(profile) else { break base(name, profile)? };
        let unusable = |reason| ProfileError::Unusable { name: name.to_owned(), reason };
        match (profile.get("source_profile"), profile.get("credential_source")) {
            // A profile that is its own source assumes its role with its own credentials.
            (Some(source), None) if source == name => match base(name, profile)? {
                // The SDK assumes the role as well.
                base @ Base::Sdk(_) => break base,
                base => {
                    roles.push(role);
                    break base;
                }
            },
            (Some(source), None) => {
                roles.push(role);
                let next = profiles.get_profile(source);
                profile = next.ok_or_else(|| ProfileError::NoSource {
                    name: name.to_owned(),
                    source_profile: source.to_owned(),
                })?;
                name = source;
            }
            (None, Some(_)) => {
                roles.push(role);
                break base(name, profile)?;
            }
            (Some(_), Some(_)) => {
                return Err(unusable("it has both source_profile and credential_source. Keep one of them"));
            }
            (None, None) => {
                return Err(unusable(
                    "it has role_arn, but no source_profile, credential_source or web_identity_token_file to assume \
                     the role with",
                ));
            }
        }
    };
    // Collected from the selected profile to its source, and assumed in the opposite order.
    roles.reverse();
    Ok(Origin { base, roles })
}

/// The role to assume; `None` if the profile assumes it with a web identity.
fn role(profile: &Profile) -> Option<AssumeRole> {
    let text = |key| profile.get(key).map(str::to_owned);
    let role_arn = text("role_arn").filter(|_| profile.get("web_identity_token_file").is_none())?;
    Some(AssumeRole {
        role_arn,
        session_name: text("role_session_name"),
        external_id: text("external_id"),
        duration: duration(profile),
        ..AssumeRole::default()
    })
}

fn duration(profile: &Profile) -> Option<Duration> {
    profile.get("duration_seconds").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs)
}

fn base(name: &str, profile: &Profile) -> Result<Base, ProfileError> {
    let has = |key: &str| profile.get(key).is_some();
    let text = |key| profile.get(key).map(str::to_owned);
    if let Some(source) = profile.get("credential_source") {
        return source_of(source).map(Base::Named).ok_or_else(|| ProfileError::Unusable {
            name: name.to_owned(),
            reason: "its credential_source must be Environment, Ec2InstanceMetadata or EcsContainer",
        });
    }
    if let Some(token_file) = text("web_identity_token_file") {
        let role_arn = text("role_arn").ok_or_else(|| ProfileError::Unusable {
            name: name.to_owned(),
            reason: "it has web_identity_token_file without role_arn",
        })?;
        let (session_name, duration) = (text("role_session_name"), duration(profile));
        return Ok(Base::WebIdentity(WebIdentity { role_arn, token_file, session_name, duration }));
    }
    if ["sso_session", "sso_start_url", "sso_account_id"].into_iter().any(has) {
        return Ok(Base::Sdk(name.to_owned()));
    }
    if let Some(process) = text("credential_process") {
        return Ok(Base::Process(Process(process)));
    }
    match keys(name, profile)? {
        Some(keys) => Ok(Base::Keys(keys)),
        None if has("login_session") => Err(ProfileError::Unusable {
            name: name.to_owned(),
            reason: "it was created by \"aws login\" (login_session), which this provider does not support. Create \
                     another profile with \"credential_process = aws configure export-credentials --profile NAME \
                     --format process\", where NAME is this profile, and use that",
        }),
        None => Err(ProfileError::Empty { name: name.to_owned() }),
    }
}

fn source_of(text: &str) -> Option<Source> {
    let sources = [
        ("Environment", Source::Environment),
        ("Ec2InstanceMetadata", Source::Instance),
        ("EcsContainer", Source::Container),
    ];
    sources.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, source)| source)
}

fn keys(name: &str, profile: &Profile) -> Result<Option<Credentials>, ProfileError> {
    let token = profile.get("aws_session_token").map(str::to_owned);
    match (profile.get("aws_access_key_id"), profile.get("aws_secret_access_key")) {
        (Some(id), Some(secret)) => Ok(Some(Credentials::new(id, secret, token, None, "profile"))),
        (None, None) => Ok(None),
        _ => Err(ProfileError::Unusable {
            name: name.to_owned(),
            reason: "it has only one of aws_access_key_id and aws_secret_access_key. Set both",
        }),
    }
}

#[cfg(test)]
mod tests {
    use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
    use aws_types::os_shim_internal::{Env, Fs};

    use super::*;

    /// The origin of profile `name` in a configuration file with this text.
    async fn origin_of(name: &str, text: &str) -> Result<Origin, String> {
        let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, text).build();
        let (fs, env) = (Fs::from_slice(&[]), Env::from_slice(&[]));
        let profiles = aws_config::profile::load(&fs, &env, &files, Some(name.to_owned().into())).await.unwrap();
        origin(&profiles).map_err(|error| error.to_string())
    }

    fn assumed(role_arn: &str) -> AssumeRole {
        AssumeRole { role_arn: role_arn.to_owned(), ..AssumeRole::default() }
    }

    fn pair(id: &str) -> Base {
        Base::Keys(Credentials::new(id, "s", None, None, "profile"))
    }

    const KEYS: &str = "aws_access_key_id = AKIA\naws_secret_access_key = s\n";

    #[tokio::test]
    async fn role_chain_is_assumed_in_order() {
        let text = format!(
            "[profile ci]\nrole_arn = outer\nsource_profile = admin\nexternal_id = x\nrole_session_name = me\n\
             duration_seconds = 1800\n[profile admin]\nrole_arn = inner\nsource_profile = keys\n[profile keys]\n{KEYS}"
        );
        let outer = AssumeRole {
            session_name: Some("me".to_owned()),
            external_id: Some("x".to_owned()),
            duration: Some(Duration::from_mins(30)),
            ..assumed("outer")
        };
        let roles = vec![assumed("inner"), outer];
        assert_eq!(origin_of("ci", &text).await, Ok(Origin { base: pair("AKIA"), roles }));
    }

    #[tokio::test]
    async fn profile_can_be_its_own_source() {
        let itself = "[profile ci]\nrole_arn = role\nsource_profile = ci\n";
        let with_keys = Origin { base: pair("AKIA"), roles: vec![assumed("role")] };
        assert_eq!(origin_of("ci", &format!("{itself}{KEYS}")).await, Ok(with_keys));
        let base = Base::Process(Process("get".to_owned()));
        let by_process = Origin { base, roles: vec![assumed("role")] };
        assert_eq!(origin_of("ci", &format!("{itself}credential_process = get\n")).await, Ok(by_process));
        let on_an_instance = "[profile ci]\nrole_arn = role\ncredential_source = Ec2InstanceMetadata\n";
        let instance = Origin { base: Base::Named(Source::Instance), roles: vec![assumed("role")] };
        assert_eq!(origin_of("ci", on_an_instance).await, Ok(instance));
    }

    #[tokio::test]
    async fn web_identity_profile_needs_no_source() {
        let text = "[default]\nrole_arn = tfc\nweb_identity_token_file = /t\nrole_session_name = run-1\n";
        let identity = WebIdentity {
            role_arn: "tfc".to_owned(),
            token_file: "/t".to_owned(),
            session_name: Some("run-1".to_owned()),
            duration: None,
        };
        assert_eq!(origin_of("default", text).await, Ok(Origin { base: Base::WebIdentity(identity), roles: vec![] }));
    }

    #[tokio::test]
    async fn invalid_profile_is_explained() {
        let text = "[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = r\nsource_profile = a\n\
                    [profile c]\nrole_arn = r\n[profile d]\nrole_arn = r\nsource_profile = none\n[profile e]\nregion = x\n\
                    [profile f]\naws_access_key_id = A\n[profile g]\nlogin_session = arn\n";
        let mut found = Vec::new();
        for name in ["prod", "a", "c", "d", "e", "f", "g"] {
            found.push(origin_of(name, text).await.unwrap_err());
        }
        assert_eq!(
            found,
            [
                "the profile \"prod\" does not exist in the shared configuration files; existing profiles: a, b, c, d, \
                 e, f, g",
                "the profiles a, b refer to each other as source_profile in a cycle",
                "the profile \"c\" cannot be used: it has role_arn, but no source_profile, credential_source or \
                 web_identity_token_file to assume the role with",
                "the profile \"d\" has \"source_profile = none\", and that profile does not exist",
                "the profile \"e\" has no credentials: it has neither keys nor a role, credential_process or \
                 sso_session",
                "the profile \"f\" cannot be used: it has only one of aws_access_key_id and \
                 aws_secret_access_key. Set both",
                "the profile \"g\" cannot be used: it was created by \"aws login\" (login_session), which this \
                 provider does not support. Create another profile with \"credential_process = aws configure \
                 export-credentials --profile NAME --format process\", where NAME is this profile, and use that",
            ]
        );
    }
}
