//! Secrets with a known format: tokens with a prefix, keys in PEM format, and passwords in URLs.

use super::value::is_literal;

/// Prefixes of tokens of letters and digits, and the minimum number of characters after them.
const PLAIN: [(&str, usize); 24] = [
    // AWS: access keys of users and of sessions.
    ("AKIA", 16),
    ("ASIA", 16),
    // GitHub: personal, OAuth, user-to-server, server-to-server, refresh.
    ("ghp_", 16),
    ("gho_", 16),
    ("ghu_", 16),
    ("ghs_", 16),
    ("ghr_", 16),
    ("github_pat_", 16),
    // npm, RubyGems, PyPI, Docker Hub, Hugging Face.
    ("npm_", 16),
    ("rubygems_", 16),
    ("pypi-", 16),
    ("dckr_pat_", 8),
    ("dckr_oat_", 8),
    ("hf_", 16),
    // Stripe, OpenAI.
    ("sk_live_", 8),
    ("sk_test_", 8),
    ("rk_live_", 8),
    ("sk-", 32),
    // DigitalOcean, Linear, Doppler, Shopify, Databricks.
    ("dop_v1_", 16),
    ("lin_api_", 16),
    ("dp.pt.", 16),
    ("shpat_", 16),
    ("dapi", 32),
    // OpenShift.
    ("sha256~", 20),
];

/// The same for tokens that can contain `-`, `_`, `.`, `/`, `+` and `=`.
const DASHED: [(&str, usize); 40] = [
    // GitLab: runners, users, deploy tokens, CI jobs, registration, agents, feeds, incoming mail, triggers, SCIM, flags.
    ("glrt-", 8),
    ("glrtr-", 8),
    ("glpat-", 8),
    ("gldt-", 8),
    ("glcbt-", 8),
    ("GR1348941", 4),
    ("glagent-", 8),
    ("glft-", 8),
    ("glimt-", 8),
    ("glptt-", 8),
    ("glsoat-", 8),
    ("glffct-", 8),
    ("gloas-", 8),
    // Slack, with the addresses of its webhooks.
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxa-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("xapp-", 10),
    ("hooks.slack.com/services/", 8),
    ("hooks.slack.com/workflows/", 8),
    ("discord.com/api/webhooks/", 8),
    ("webhook.office.com/webhookb2/", 8),
    // OpenAI, Anthropic.
    ("sk-proj-", 8),
    ("sk-ant-", 8),
    // Vault: service, batch and recovery tokens.
    ("hvs.", 8),
    ("hvb.", 8),
    ("hvr.", 8),
    // Google: API keys, OAuth secrets. JSON in Base64: JWT, Docker configurations.
    ("AIza", 20),
    ("GOCSPX-", 12),
    ("ya29.", 12),
    ("eyJ", 16),
    ("SG.", 20),
    // Private keys in Base64. Values of the header `Authorization`.
    ("LS0tLS1CRUdJTiBFQyBQUklWQVRF", 8),
    ("LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZB", 8),
    ("LS0tLS1CRUdJTiBQUklWQVRF", 8),
    ("LS0tLS1CRUdJTiBSU0EgUFJJVkFU", 8),
    ("Bearer ", 16),
    ("bearer ", 16),
    ("Basic ", 16),
];

/// Whether a text contains a secret with a known format.
pub(super) fn has(text: &str) -> bool {
    PLAIN.iter().any(|(prefix, length)| begins(text, prefix, *length, |c| c.is_ascii_alphanumeric()))
        || DASHED.iter().any(|(prefix, length)| begins(text, prefix, *length, is_of_dashed))
        || has_private_key(text)
        || has_password(text)
}

fn is_of_dashed(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_-./+=".contains(letter)
}

fn begins(text: &str, prefix: &str, length: usize, is_letter: fn(char) -> bool) -> bool {
    text.match_indices(prefix).any(|(at, _)| {
        let is_start = text[..at].chars().next_back().is_none_or(|before| !before.is_ascii_alphanumeric());
        is_start && text[at + prefix.len()..].chars().take_while(|letter| is_letter(*letter)).count() >= length
    })
}

/// Whether a text contains a private key in PEM format. Certificates and public keys are not secret.
fn has_private_key(text: &str) -> bool {
    let kinds = text.split("-----BEGIN ").skip(1).filter_map(|rest| rest.split("-----").next());
    kinds.into_iter().any(|kind| kind.contains("PRIVATE KEY"))
}

/// Whether a text contains a URL with a password: `https://user:password@host`, or with a token instead of the user.
fn has_password(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let is_end = |c: char| c.is_whitespace() || "/?\"'`,".contains(c);
        let authority = rest.split(is_end).next();
        let user = authority.and_then(|authority| authority.rsplit_once('@')).map(|(user, _)| user);
        match user.and_then(|user| user.split_once(':')) {
            Some((_, password)) => is_literal(password),
            None => user.is_some_and(is_random),
        }
    })
}

/// Whether a word looks as if it were generated: it is long and mixes letters with digits.
fn is_random(word: &str) -> bool {
    word.len() >= 20
        && word.chars().all(|letter| letter.is_ascii_alphanumeric())
        && word.chars().any(|letter| letter.is_ascii_digit())
        && word.chars().any(|letter| letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_formats_are_recognised() {
        for text in [
            "glrt-abcdefgh12345",
            "GR1348941abcdef",
            "AKIAIOSFODNN7EXAMPLE",
            "npm_0123456789abcdefABCDEF0123456789abcd",
            "ghs_0123456789abcdefABCD",
            "github_pat_11ABCDEFG0123456789_abcdefghij",
            "sk_live_0123456789abcdef",
            "sk-proj-abc_def-0123456789",
            "hf_abcdefghijklmnopqrstuvwxyz",
            "hvs.CAESIJ0123456789",
            "AIzaSyA0123456789abcdefghijklmnopqrstuv",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
            "xoxp-0123456789-abc",
            "https://hooks.slack.com/services/T000/B000/XXXX",
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
            "git clone https://me:hunter22@example.com/x.git",
            "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQ==",
            "Bearer 0123456789abcdef",
            "https://0123456789abcdef0123456789abcdef@sentry.example.com/1",
        ] {
            assert!(has(text), "{text}");
        }
    }

    #[test]
    fn other_texts_have_no_known_format() {
        for text in [
            "npm_config_cache=/cache npm_config_registry=https://registry.example.com",
            "hf_cache_directory_of_all_jobs",
            "sk-runner",
            "Basic authentication is not supported",
            "registry.example.com/glrt-x",
            "-----BEGIN CERTIFICATE-----\nMIIE",
            "-----BEGIN PUBLIC KEY-----\nMIIE",
            "https://$USER:$PASS@example.com",
            "https://git@example.com/x.git",
            "tcp://docker:2376",
        ] {
            assert!(!has(text), "{text}");
        }
    }
}
