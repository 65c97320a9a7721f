//! Words of shell commands.

/// One command of a line.
#[derive(Debug, Default)]
pub(super) struct Command {
    /// Its words without quotes.
    pub(super) words: Vec<String>,
    /// Whether its output is the input of the next command.
    pub(super) is_piped: bool,
}

impl Command {
    pub(super) fn has(&self, word: &str) -> bool {
        self.words.iter().any(|other| other == word)
    }

    /// Whether the command runs one of these programs, also after `sudo`, variables and a path.
    pub(super) fn runs(&self, programs: &[&str]) -> bool {
        let name = |word: &String| word.rsplit('/').next().unwrap_or(word).to_owned();
        self.words.iter().any(|word| programs.contains(&name(word).as_str()))
    }

    /// The single text that `echo` or `printf` prints.
    pub(super) fn printed(&self) -> Option<&str> {
        let (first, rest) = self.words.split_first()?;
        let mut texts = rest.iter().filter(|word| !word.starts_with('-') && !word.starts_with('%'));
        match (first.as_str(), texts.next(), texts.next()) {
            ("echo" | "printf", Some(text), None) => Some(text),
            _ => None,
        }
    }

    /// Whether the command reads a password from its input.
    pub(super) fn reads_password(&self) -> bool {
        ["--password-stdin", "--with-token", "--stdin"].iter().any(|option| self.has(option))
    }
}

/// The commands of a line. A quote without its end ends with the line.
pub(super) fn commands(line: &str) -> Vec<Command> {
    let mut reader = Reader::default();
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match (reader.quote, letter) {
            (Some('\''), '\'') | (Some('"'), '"') => reader.quote = None,
            (Some('"') | None, '\\') => reader.word.extend(letters.next()),
            (Some(_), letter) => reader.word.push(letter),
            (None, '\'' | '"') => {
                reader.quote = Some(letter);
                reader.is_quoted = true;
            }
            (None, '|') if letters.peek() != Some(&'|') => reader.command(true),
            (None, ';' | '|' | '&') => reader.command(false),
            (None, letter) if letter.is_whitespace() => reader.word(),
            (None, letter) => reader.word.push(letter),
        }
    }
    reader.command(false);
    reader.commands
}

#[derive(Default)]
struct Reader {
    commands: Vec<Command>,
    words: Vec<String>,
    word: String,
    quote: Option<char>,
    /// Whether the word has quotes, so that an empty one counts.
    is_quoted: bool,
}

impl Reader {
    fn word(&mut self) {
        if self.is_quoted || !self.word.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
        }
        self.is_quoted = false;
    }

    fn command(&mut self, is_piped: bool) {
        self.word();
        // `&&` and `||` end a command twice.
        if !self.words.is_empty() {
            self.commands.push(Command { words: std::mem::take(&mut self.words), is_piped });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_like_a_shell_does() {
        let found = |line: &str| {
            let line = commands(line);
            line.into_iter().map(|command| (command.words.join("|"), command.is_piped)).collect::<Vec<_>>()
        };
        assert_eq!(found("a 'b c' \"d \\\" e\" f\\ g"), [("a|b c|d \" e|f g".to_owned(), false)]);
        assert_eq!(
            found("a|b && c; d || e &"),
            [("a", true), ("b", false), ("c", false), ("d", false), ("e", false)]
                .map(|(words, piped)| (words.to_owned(), piped))
        );
        assert_eq!(found("it's a"), [("its a".to_owned(), false)]);
        assert_eq!(found("a ''"), [("a|".to_owned(), false)]);
    }

    #[test]
    fn programs_are_found_by_name() {
        let command = commands("sudo /usr/bin/curl x").remove(0);
        assert!(command.runs(&["curl"]) && !command.runs(&["wget"]));
        assert_eq!(commands("printf %s x").remove(0).printed(), Some("x"));
    }
}
