//! Secrets in commands and in lines of configuration files, such as `export NAME=value`, `curl -u user:password` and
//! `docker login -p password`.

mod words;

use self::words::{Command, commands};
use super::value::{can_be_secret, is_literal};
use super::{is_name, is_named, is_option, structure};

/// Schemes of the header `Authorization`.
const SCHEMES: [&str; 6] = ["apikey", "basic", "bearer", "digest", "key", "token"];

/// Programs whose option `-u` has a user with a password.
const CLIENTS: [&str; 4] = ["curl", "wget", "http", "https"];

/// Programs whose option `-p` has a password without a space before it.
const DATABASES: [&str; 5] = ["mariadb", "mariadb-dump", "mysql", "mysqladmin", "mysqldump"];

/// Programs whose option `-p` has a password as the next word.
const WITH_PASSWORD: [&str; 5] = ["mongo", "mongodump", "mongorestore", "mongosh", "sshpass"];

/// Depth of commands in quotes: `sh -c "..."`.
const DEEPEST: usize = 3;

/// Whether a text has a command or a line with a secret.
pub(super) fn has_secret(text: &str) -> bool {
    let joined = text.replace("\\\n", " ");
    joined.lines().any(|line| is_setting(line) || is_secret(line, 0))
}

fn is_secret(line: &str, depth: usize) -> bool {
    let commands = commands(line);
    let is_piped = |(index, command): (usize, &Command)| {
        let next = commands.get(index + 1).filter(|_| command.is_piped);
        next.is_some_and(|next| next.reads_password()) && command.printed().is_some_and(can_be_secret)
    };
    commands.iter().enumerate().any(is_piped) || commands.iter().any(|command| is_command(command, depth))
}

fn is_command(command: &Command, depth: usize) -> bool {
    let has_word = |word: &String| {
        has_assignment(word)
            || is_header(word)
            || word.strip_prefix("pass:").is_some_and(can_be_secret)
            || word.starts_with('{') && structure::has_secret(word)
            || depth < DEEPEST && word.contains(char::is_whitespace) && is_secret(word, depth + 1)
    };
    command.words.iter().any(has_word)
        || command.words.windows(2).any(|pair| is_pair(command, pair))
        || is_joined(command)
}

/// Whether two words are an option and its secret, or a setting and its secret.
fn is_pair(command: &Command, pair: &[String]) -> bool {
    let [name, value] = pair else { return false };
    if value.starts_with('-') {
        return false;
    }
    match name.as_str() {
        "-u" | "-U" | "--user" | "--proxy-user" if command.runs(&CLIENTS) => is_login(value),
        "-p" if command.has("login") || command.runs(&WITH_PASSWORD) => can_be_secret(value),
        "-a" if command.runs(&["redis-cli"]) => can_be_secret(value),
        "password" if command.has("machine") => can_be_secret(value),
        option if is_option(option) => can_be_secret(value),
        name => command.has("set") && !name.starts_with('-') && is_named(name, value),
    }
}

/// Whether an option and its secret are one word: `-uuser:password`, `-ppassword`.
fn is_joined(command: &Command) -> bool {
    let after = |option: &str| command.words.iter().filter_map(|word| word.strip_prefix(option)).collect::<Vec<_>>();
    command.runs(&CLIENTS) && after("-u").into_iter().any(is_login)
        || (command.runs(&DATABASES) || command.runs(&["sshpass"])) && after("-p").into_iter().any(can_be_secret)
}

/// Whether a text is a user with a literal password: `user:password`.
fn is_login(text: &str) -> bool {
    text.split_once(':').is_some_and(|(_, password)| can_be_secret(password))
}

/// Whether a word has a header or an entry with a secret: `Authorization: Bearer ...`.
fn is_header(word: &str) -> bool {
    word.split_once(':').is_some_and(|(name, value)| {
        // The name follows an option: `--header=NAME: value`, `-HNAME: value`.
        let name = name.rsplit('=').next().unwrap_or(name);
        let name = name.strip_prefix("-H").unwrap_or(name).trim_matches(['"', '\'', ' ']);
        !name.is_empty() && !name.contains(['/', '.', '$']) && is_name(name) && has_credentials(value)
    })
}

/// Whether the value of a header contains literal credentials.
fn has_credentials(value: &str) -> bool {
    let mut words = value.split_whitespace();
    let first = words.next().unwrap_or_default();
    let is_scheme = SCHEMES.contains(&first.to_ascii_lowercase().as_str());
    let word = if is_scheme { words.next().unwrap_or_default() } else { first };
    // More words are a sentence.
    words.next().is_none() && is_value(word)
}

/// Whether a word assigns a secret: `NAME=value`, `--name=value`, `https://host/?name=value`.
fn has_assignment(word: &str) -> bool {
    word.match_indices('=').any(|(at, _)| {
        let (before, after) = (&word[..at], &word[at + 1..]);
        let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
        let name = before.rsplit(|letter: char| !is_of_name(letter)).next().unwrap_or_default();
        let after = after.trim_start_matches(['"', '\'']);
        let value = after.split(['&', ';', '"', '\'']).next().unwrap_or_default();
        is_name(name) && is_value(value)
    })
}

/// Whether a line of a configuration file sets a secret: `password: value`, `password = "value"`.
fn is_setting(line: &str) -> bool {
    let line = line.trim().trim_start_matches("- ").trim_end_matches(',');
    let Some(at) = line.find([':', '=']) else { return false };
    let name = line[..at].trim().trim_matches(['"', '\'']);
    let value = line[at + 1..].trim();
    let is_name_alone = !name.contains(|letter: char| letter.is_whitespace() || "#/$(".contains(letter));
    let is_word = !value.trim_matches(['"', '\'']).contains(char::is_whitespace);
    is_name_alone && is_word && is_name(name) && is_value(value)
}

/// Whether a value is literal and not a pattern of a search or a placeholder of a format.
fn is_value(value: &str) -> bool {
    is_literal(value)
        && can_be_secret(value)
        && !value.starts_with(['.', '*', '[', '(', '<', '^', '?', '\\', '|', '%', '{', '='])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_commands_are_recognised() {
        for text in [
            "export DB_PASSWORD=hunter2; run",
            "export DB_PASS='hunter2 2'",
            "curl --token=abc",
            "curl -H 'Authorization: Bearer abc123def' https://example.com",
            "curl -H \"Authorization: Basic YTpi\" https://example.com",
            "curl --header 'PRIVATE-TOKEN: abcdef' https://example.com",
            "curl -u admin:hunter2 https://example.com",
            "curl -sSf -uadmin:hunter2 https://example.com",
            "curl --user \"admin:hunter2\" \\\n  https://example.com",
            "curl 'https://example.com/?private_token=abcdef'",
            "docker login -u ci -p hunter2 registry.example.com",
            "docker login --username ci --password hunter2",
            "echo hunter2 | docker login -u ci --password-stdin",
            "echo \"hunter2\"|docker login -u ci --password-stdin registry.example.com",
            "mysql -uroot -phunter2",
            "sshpass -p hunter2 ssh host",
            "redis-cli -a hunter2",
            "mongosh -u ci -p hunter2",
            "wget --header=\"PRIVATE-TOKEN: abcdef\" https://example.com",
            "curl -H'Authorization: token abcdef' https://example.com",
            "curl -d '{\"password\":\"hunter2\"}' https://example.com",
            r#"echo "{\"auths\":{\"r\":{\"auth\":\"YTpi\"}}}" > config.json"#,
            "openssl enc -d -passin pass:hunter2",
            "keytool -storepass hunter2",
            "java -Djavax.net.ssl.keyStorePassword=hunter2",
            "aws configure set aws_secret_access_key wJalrXUtnFEMI",
            "npm config set //registry.npmjs.org/:_authToken=abcdef",
            "kubectl create secret generic x --from-literal=password=hunter2",
            "sh -c \"curl -u admin:hunter2 https://example.com\"",
            "cat > f <<E\npassword: hunter2\nE",
            "cat > f <<E\n  password = \"hunter2\"\nE",
            "echo 'machine example.com login ci password hunter2' > ~/.netrc",
            "# export TOKEN=abcdef",
            "true && PGPASSWORD=hunter2 psql",
            "git config --global http.extraheader \"AUTHORIZATION: basic YTpi\"",
        ] {
            assert!(has_secret(text), "{text}");
        }
    }

    #[test]
    fn references_in_commands_are_no_secrets() {
        for text in [
            "export TOKEN=$VAULT_TOKEN",
            "export TOKEN=\"$(cat /run/token)\"",
            "export TOKEN=`cat token`",
            "curl -H \"Authorization: Bearer $TOKEN\" https://example.com",
            "curl -H \"Authorization: Bearer ${TOKEN}\" https://example.com",
            "curl --header \"JOB-TOKEN: $CI_JOB_TOKEN\" https://example.com",
            "curl -u \"$USER:$PASSWORD\" https://example.com",
            "curl -u admin:$PASSWORD https://example.com",
            "curl -sSf https://example.com",
            "docker login -u \"$CI_REGISTRY_USER\" -p \"$CI_REGISTRY_PASSWORD\" $CI_REGISTRY",
            "echo \"$CI_REGISTRY_PASSWORD\" | docker login --password-stdin",
            "docker run -u 1000:1000 -p 8080:80 image",
            "aws ecr get-login-password | docker login --username AWS --password-stdin x",
            "echo 'Enter your password:'",
            "echo \"Token: see the wiki\"",
            "serve --auth basic",
            r#"echo "{\"auths\":{\"r\":{\"auth\":\"$AUTH\"}}}" > config.json"#,
            "wget --header=\"PRIVATE-TOKEN: $TOKEN\" https://example.com",
            "openssl enc -d -passin pass:$PASS",
            "helm upgrade x y --set image.tag=1 --set auth.existingSecretName=ci",
            "# The token: see the wiki",
            "export SSH_KEY_PATH=/root/.ssh/id_rsa",
            "export KEYBOARD=de AUTHOR=ann PASSIVE=yes1 MONKEY=1",
            "sed -i s/TOKEN=.*/TOKEN=$TOKEN/ file",
            "test \"$TOKEN\" = \"\"",
            "mkdir -p /cache && chmod 700 /cache",
            "git config --global url.https://example.com/.insteadOf git@example.com:",
            "psql -p 5432 -U postgres",
            "export PASSWORD=",
            "kubectl get secret ci -o jsonpath='{.data.password}'",
            "set -euo pipefail",
        ] {
            assert!(!has_secret(text), "{text}");
        }
    }
}
