//! Names of releases with several `[[runners]]`.

/// Maximum length of the name of a release, as in Helm.
const LONGEST: usize = 53;

/// Names of the releases. The first one is that of the existing release.
pub(super) fn releases(base: &str, runners: &[Option<String>]) -> Vec<String> {
    let mut names = Vec::new();
    for (index, runner) in runners.iter().enumerate() {
        let number = (index + 1).to_string();
        let part = runner.as_deref().map(dns).filter(|part| !part.is_empty()).unwrap_or(number);
        let wish = if index == 0 { base.to_owned() } else { joined(base, &part) };
        let numbered = (2..).map(|number: usize| joined(&wish, &number.to_string()));
        let free = [wish.clone()].into_iter().chain(numbered).find(|name| !names.contains(name));
        names.extend(free);
    }
    names
}

/// Both parts with a dash. The first one is shortened if necessary, and the second one if it is too long by itself.
fn joined(first: &str, second: &str) -> String {
    let whole = format!("{first}-{second}");
    if whole.len() <= LONGEST {
        return whole;
    }
    // A number must not be lost, because it is what distinguishes names.
    let is_number = second.chars().all(|letter| letter.is_ascii_digit());
    let cut = match is_number {
        true => format!("{}-{second}", start(first, LONGEST - second.len() - 1)),
        false if first.len() + 2 > LONGEST => format!("{}-{}", start(first, LONGEST / 2), start(second, LONGEST / 2)),
        false => start(&whole, LONGEST).to_owned(),
    };
    cut.trim_end_matches('-').to_owned()
}

/// The first bytes of a text, cut at a character.
fn start(text: &str, length: usize) -> &str {
    let end = (0..=length.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    text[..end].trim_end_matches(['-', '.'])
}

/// Converts a text to a part of a Kubernetes name. It is empty for a text without Latin letters and digits.
fn dns(name: &str) -> String {
    let mut part = String::new();
    for letter in name.chars() {
        match letter {
            letter if letter.is_ascii_alphanumeric() => part.push(letter.to_ascii_lowercase()),
            _ if part.is_empty() || part.ends_with('-') => {}
            _ => part.push('-'),
        }
    }
    part.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_valid() {
        let long = "x".repeat(80);
        for (given, expected) in [
            (["a", "Large Jobs", ""], ["gitlab-runner", "gitlab-runner-large-jobs", "gitlab-runner-3"]),
            (["same", "same", "same"], ["gitlab-runner", "gitlab-runner-same", "gitlab-runner-same-2"]),
            (["a", "раннер", "3"], ["gitlab-runner", "gitlab-runner-2", "gitlab-runner-3"]),
            (["a", "3", "раннер"], ["gitlab-runner", "gitlab-runner-3", "gitlab-runner-3-2"]),
            (["a", "__a  (b)__", "b"], ["gitlab-runner", "gitlab-runner-a-b", "gitlab-runner-b"]),
            (
                ["a", &long, &long],
                [
                    "gitlab-runner",
                    &format!("gitlab-runner-{}", "x".repeat(39)),
                    &format!("gitlab-runner-{}-2", "x".repeat(37)),
                ],
            ),
        ] {
            assert_eq!(releases("gitlab-runner", &given.map(|name| Some(name.to_owned()))), expected);
        }
        let base = "b".repeat(53);
        let names = releases(&base, &[None, None, Some("x".repeat(60))]);
        assert!(names.iter().all(|name| name.len() <= 53 && !name.ends_with('-')), "{names:?}");
        assert_ne!(names[0], names[1]);
        assert_ne!(names[1], names[2]);
    }
}
