//! Parser of templates.

use super::Unsupported;
use super::comment::Comments;

/// A node of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Text(String),
    Value(Action),
    /// Branches, of which the first with a true condition applies. `else` has no condition.
    If(Vec<(Option<Action>, Vec<Self>)>),
}

/// An expression in braces.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Action {
    pub(super) line: usize,
    /// The source, with its braces.
    pub(super) source: String,
    /// Whether it is in a comment of TOML.
    pub(super) is_comment: bool,
    /// Commands, each of which passes its value to the next.
    pub(super) pipeline: Vec<Vec<Operand>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    /// `.Values.a`, without the first dot.
    Field(Vec<String>),
    Text(String),
    Integer(i64),
    Flag(bool),
    Function(String),
    /// `.` or `$`: everything that an expression can read.
    Root,
    Group(Vec<Vec<Self>>),
}

/// Parses a template. Returns its nodes, and the expressions that are not pipelines, such as `range` and `with`.
///
/// # Errors
///
/// An expression without closing braces.
pub(super) fn parse(text: &str) -> Result<(Vec<Node>, Vec<Unsupported>), Vec<Unsupported>> {
    let pieces = pieces(text)?;
    let mut parser = Parser { pieces: pieces.into_iter(), unsupported: Vec::new() };
    let (nodes, _) = parser.nodes(false);
    Ok((nodes, parser.unsupported))
}

enum Piece {
    Text(String),
    Action { line: usize, source: String, code: String, is_comment: bool },
}

/// Splits the text at the braces and removes the white space at `{{-` and `-}}`.
fn pieces(text: &str) -> Result<Vec<Piece>, Vec<Unsupported>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut trims = false;
    let mut comments = Comments::default();
    loop {
        let line = text.get(..text.len() - rest.len()).unwrap_or_default().matches('\n').count() + 1;
        let Some((before, after)) = rest.split_once("{{") else {
            pieces.push(Piece::Text(if trims { rest.trim_start() } else { rest }.to_owned()));
            return Ok(pieces);
        };
        let line = line + before.matches('\n').count();
        comments.pass(before);
        let Some((inside, tail)) = split_end(after) else {
            let expression = format!("{{{{{}", after.lines().next().unwrap_or_default());
            return Err(vec![Unsupported { line, expression, is_comment: false }]);
        };
        let before = if trims { before.trim_start() } else { before };
        // White space is required: `{{-3}}` is the number -3.
        let code = inside.strip_prefix('-').filter(|code| code.starts_with(char::is_whitespace));
        pieces.push(Piece::Text(if code.is_some() { before.trim_end() } else { before }.to_owned()));
        let code = code.unwrap_or(inside);
        let trimmed = code.strip_suffix('-').filter(|code| code.ends_with(char::is_whitespace));
        trims = trimmed.is_some();
        let code = trimmed.unwrap_or(code).trim().to_owned();
        pieces.push(Piece::Action {
            line,
            source: format!("{{{{{inside}}}}}"),
            code,
            is_comment: comments.is_inside(),
        });
        rest = tail;
    }
}

/// Splits the text at the closing braces, ignoring those in strings and comments.
fn split_end(text: &str) -> Option<(&str, &str)> {
    let mut quote: Option<char> = None;
    let mut before = ' ';
    if text.trim_start_matches('-').trim_start().starts_with("/*") {
        let end = text.find("*/")?;
        let close = end + text.get(end..)?.find("}}")?;
        return Some((text.get(..close)?, text.get(close + 2..)?));
    }
    for (index, letter) in text.char_indices() {
        match quote {
            // Go has no escapes in backquotes.
            Some(open) if letter == open && (open == '`' || before != '\\') => quote = None,
            Some(_) => {}
            None if matches!(letter, '"' | '`') => quote = Some(letter),
            None if text.get(index..)?.starts_with("}}") => return Some((text.get(..index)?, text.get(index + 2..)?)),
            None => {}
        }
        before = if before == '\\' && letter == '\\' { ' ' } else { letter };
    }
    None
}

struct Parser {
    pieces: std::vec::IntoIter<Piece>,
    unsupported: Vec<Unsupported>,
}

/// The end of a list of nodes.
enum Stop {
    Text,
    End,
    Else(usize, String, String),
}

impl Parser {
    fn refuse(&mut self, line: usize, source: String) {
        self.unsupported.push(Unsupported { line, expression: source, is_comment: false });
    }

    fn nodes(&mut self, is_inside: bool) -> (Vec<Node>, Stop) {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            let (line, source, code, is_comment) = match piece {
                Piece::Text(text) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Piece::Action { line, source, code, is_comment } => (line, source, code, is_comment),
            };
            let (word, more) = code.split_once(char::is_whitespace).unwrap_or((&code, ""));
            match word {
                _ if code.starts_with("/*") => {}
                "end" if is_inside => return (nodes, Stop::End),
                "else" if is_inside => return (nodes, Stop::Else(line, source, more.trim().to_owned())),
                "if" => nodes.push(self.conditional(line, source, more)),
                "range" | "with" | "define" | "block" => {
                    self.refuse(line, source);
                    // The body is only parsed to find its end.
                    while let (_, Stop::Else(..)) = self.nodes(true) {}
                }
                _ => match pipeline(&code) {
                    Some(pipeline) => nodes.push(Node::Value(Action { line, source, is_comment, pipeline })),
                    None => self.unsupported.push(Unsupported { line, expression: source, is_comment }),
                },
            }
        }
        (nodes, Stop::Text)
    }

    fn conditional(&mut self, line: usize, source: String, condition: &str) -> Node {
        let mut branches = Vec::new();
        let mut next = Some((line, source, condition.to_owned()));
        while let Some((line, source, code)) = next.take() {
            let condition = match code.as_str() {
                "" => None,
                code => match pipeline(code) {
                    Some(pipeline) => Some(Action { line, source: source.clone(), is_comment: false, pipeline }),
                    None => {
                        self.refuse(line, source.clone());
                        None
                    }
                },
            };
            let (nodes, end) = self.nodes(true);
            branches.push((condition, nodes));
            match end {
                Stop::Else(line, source, more) => {
                    next = Some((line, source, more.strip_prefix("if ").unwrap_or(&more).trim().to_owned()));
                }
                Stop::End => {}
                Stop::Text => self.refuse(line, source),
            }
        }
        Node::If(branches)
    }
}

fn pipeline(code: &str) -> Option<Vec<Vec<Operand>>> {
    let mut letters = code.chars().peekable();
    let pipeline = commands(&mut letters, false)?;
    letters.next().is_none().then_some(pipeline)
}

type Letters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn commands(letters: &mut Letters<'_>, is_group: bool) -> Option<Vec<Vec<Operand>>> {
    let mut commands = vec![Vec::new()];
    while let Some(letter) = letters.peek().copied() {
        match letter {
            _ if letter.is_whitespace() => _ = letters.next(),
            ')' if is_group => break,
            '|' => {
                letters.next();
                commands.push(Vec::new());
            }
            '(' => {
                letters.next();
                let group = commands_of_group(letters)?;
                commands.last_mut()?.push(Operand::Group(group));
            }
            '"' | '`' => {
                letters.next();
                let text = quoted(letters, letter)?;
                commands.last_mut()?.push(Operand::Text(text));
            }
            _ => {
                let mut word = String::new();
                while let Some(letter) =
                    letters.next_if(|letter| !letter.is_whitespace() && !matches!(letter, '|' | '(' | ')' | '"' | '`'))
                {
                    word.push(letter);
                }
                commands.last_mut()?.push(operand(&word)?);
            }
        }
    }
    commands.iter().all(|command| !command.is_empty()).then_some(commands)
}

fn commands_of_group(letters: &mut Letters<'_>) -> Option<Vec<Vec<Operand>>> {
    let group = commands(letters, true)?;
    letters.next_if_eq(&')').map(|_| group)
}

fn quoted(letters: &mut Letters<'_>, quote: char) -> Option<String> {
    let mut text = String::new();
    loop {
        match letters.next()? {
            letter if letter == quote => return Some(text),
            '\\' if quote == '"' => match letters.next()? {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                letter @ ('"' | '\\') => text.push(letter),
                _ => return None,
            },
            letter => text.push(letter),
        }
    }
}

fn operand(word: &str) -> Option<Operand> {
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    if let Ok(number) = word.parse() {
        return Some(Operand::Integer(number));
    }
    if word == "." {
        return Some(Operand::Root);
    }
    // `$` is the root, so that `$.Values` and `.Values` are the same.
    if let Some(path) = word.strip_prefix("$.").or_else(|| word.strip_prefix('.')) {
        let names: Vec<String> = path.split('.').map(str::to_owned).collect();
        return names.iter().all(|name| is_name(name)).then_some(Operand::Field(names));
    }
    match word {
        "$" => Some(Operand::Root),
        "true" => Some(Operand::Flag(true)),
        "false" => Some(Operand::Flag(false)),
        name if is_name(name) => Some(Operand::Function(name.to_owned())),
        _ => None,
    }
}
