//! Writes blocks as text.

use super::text::{heredoc, is_identifier, quoted};
use super::{Block, Item, Value};

/// Maximum column of a list of plain values on one line.
const WIDEST: usize = 100;

/// The text of the blocks, separated by empty lines.
pub(crate) fn render(blocks: &[Block]) -> String {
    blocks.iter().map(|block| self::block(block, 0)).collect::<Vec<_>>().join("\n")
}

fn block(block: &Block, indent: usize) -> String {
    let space = " ".repeat(indent);
    let comment = block.comment.as_deref().map(|text| comment(text, indent)).unwrap_or_default();
    let labels: String = block.labels.iter().map(|label| format!(" {}", quoted(label))).collect();
    if block.body.is_empty() {
        return format!("{comment}{space}{}{labels} {{}}\n", block.kind);
    }
    format!("{comment}{space}{}{labels} {{\n{}{space}}}\n", block.kind, body(&block.body, indent + 2))
}

fn body(items: &[Item], indent: usize) -> String {
    let mut lines = Lines::new(indent, true);
    for item in items {
        match item {
            Item::Attribute(name, value) => lines.attribute(name, " = ", value, ""),
            Item::Block(inner) => lines.apart(&block(inner, indent)),
            Item::Comment(text) => lines.comment(&comment(text, indent)),
        }
    }
    lines.finish()
}

fn comment(text: &str, indent: usize) -> String {
    let space = " ".repeat(indent);
    let line = |line: &str| match line {
        "" => format!("{space}#\n"),
        line => format!("{space}# {line}\n"),
    };
    // `# ` takes two of 120 columns.
    wrapped(text, 118 - indent.min(60)).iter().map(|text| line(text)).collect()
}

/// Wraps a text into lines of at most `width` characters. Longer words are not split.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

/// Lines of a body or an object. The equals signs of consecutive values on one line are aligned, as in `tofu fmt`.
struct Lines {
    indent: usize,
    /// Whether an item on several lines has an empty line before and after it.
    is_spaced: bool,
    out: String,
    /// Names and values that are not written yet, because their alignment depends on the names that follow.
    aligned: Vec<(String, String)>,
    needs_space: bool,
}

impl Lines {
    fn new(indent: usize, is_spaced: bool) -> Self {
        Self { indent, is_spaced, out: String::new(), aligned: Vec::new(), needs_space: false }
    }

    fn attribute(&mut self, name: &str, equals: &str, value: &Value, end: &str) {
        let name = if is_identifier(name) { name.to_owned() } else { quoted(name) };
        let text = expression(value, self.indent, name.len() + equals.len());
        // `fmt` aligns a heredoc like a value on one line. In a block it has empty lines around it instead.
        let is_heredoc = !self.is_spaced && text.starts_with("<<-");
        if is_heredoc || !text.contains('\n') {
            if self.needs_space {
                self.space();
            }
            self.aligned.push((name, format!("{text}{end}")));
            return;
        }
        let space = " ".repeat(self.indent);
        self.apart(&format!("{space}{name}{equals}{text}{end}\n"));
    }

    /// Adds an item on several lines.
    fn apart(&mut self, text: &str) {
        self.flush();
        if self.is_spaced && !self.out.is_empty() && !self.ends_with_comment() {
            self.space();
        }
        self.out.push_str(text);
        self.needs_space = self.is_spaced;
    }

    fn comment(&mut self, text: &str) {
        self.flush();
        if !self.out.is_empty() {
            self.space();
        }
        self.out.push_str(text);
        self.needs_space = false;
    }

    fn ends_with_comment(&self) -> bool {
        self.out.lines().next_back().is_some_and(|line| line.trim_start().starts_with('#'))
    }

    fn space(&mut self) {
        self.flush();
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
        self.needs_space = false;
    }

    fn flush(&mut self) {
        let width = self.aligned.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        let space = " ".repeat(self.indent);
        for (name, value) in self.aligned.drain(..) {
            let padding = " ".repeat(width - name.chars().count());
            self.out.push_str(&format!("{space}{name}{padding} = {value}\n"));
        }
    }

    fn finish(mut self) -> String {
        self.flush();
        self.out
    }
}

/// Formats a value. `before` is the number of characters between the indentation and the value on its first line.
fn expression(value: &Value, indent: usize, before: usize) -> String {
    match value {
        Value::Plain(text) | Value::Expression(text) => text.clone(),
        Value::Text(text) => heredoc(text, indent).unwrap_or_else(|| quoted(text)),
        Value::List(items) => list(items, indent, before),
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let mut lines = Lines::new(indent + 2, false);
            for (name, value) in fields {
                lines.attribute(name, " = ", value, "");
            }
            format!("{{\n{}{}}}", lines.finish(), " ".repeat(indent))
        }
    }
}

fn list(items: &[Value], indent: usize, before: usize) -> String {
    let is_plain = |item: &Value| !matches!(item, Value::List(_) | Value::Object(_));
    // A heredoc in a list would require its comma on a line of its own.
    let item = |item: &Value, indent: usize| match item {
        Value::Text(text) => quoted(text),
        item => expression(item, indent, 0),
    };
    if items.iter().all(is_plain) {
        let line = format!("[{}]", items.iter().map(|one| item(one, indent)).collect::<Vec<_>>().join(", "));
        if items.len() < 2 || indent + before + line.chars().count() <= WIDEST {
            return line;
        }
    }
    let space = " ".repeat(indent + 2);
    let lines: String = items.iter().map(|one| format!("{space}{},\n", item(one, indent + 2))).collect();
    format!("[\n{lines}{}]", " ".repeat(indent))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn block_is_formatted_as_by_fmt() {
        let mut block = Block::new("resource", ["kind", "name"]).commented("What it is.");
        block.set("name", "x");
        block.set("instance_types", Value::texts(["a", "b"]));
        block.set("labels", &json!({ "a/b": "1", "long_name": true, "empty": {}, "list": [{ "x": 1 }] }));
        block.set("min", 0);
        block.note("Why.");
        block.set("max", Value::expression("var.max"));
        let block = block.with_block(Block::new("lifecycle", [""; 0]).with("destroy", false));
        let expected = r#"# What it is.
resource "kind" "name" {
  name           = "x"
  instance_types = ["a", "b"]

  labels = {
    "a/b"     = "1"
    long_name = true
    empty     = {}
    list = [
      {
        x = 1
      },
    ]
  }

  min = 0

  # Why.
  max = var.max

  lifecycle {
    destroy = false
  }
}
"#;
        assert_eq!(render(&[block]), expected);
    }

    #[test]
    fn heredocs_in_objects_are_aligned() {
        let files = Value::from(&json!({ "a": "1", "long": "x\ny\n", "b": "2" }));
        let text = render(&[Block::new("a", [""; 0]).with("files", files)]);
        assert_eq!(
            text,
            "a {\n  files = {\n    a    = \"1\"\n    long = <<-EOT\n      x\n      y\n    EOT\n    b    = \"2\"\n  }\n}\n"
        );
    }

    #[test]
    fn long_lists_have_one_element_per_line() {
        let items: Vec<String> = (0..20).map(|number| format!("item-{number}")).collect();
        let text = render(&[Block::new("a", [""; 0]).with("list", Value::texts(&items))]);
        assert!(text.starts_with("a {\n  list = [\n    \"item-0\",\n"), "{text}");
        assert_eq!(wrapped("aa bb cc\ndd", 5), ["aa bb", "cc", "dd"]);
    }
}
