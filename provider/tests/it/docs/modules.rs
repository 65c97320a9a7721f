//! The inputs and outputs of the modules in `examples/modules`, as tables in their READMEs.

use std::fmt::Write;

use crate::repository::{assert_current, files, text};

const MODULES: &str = "examples/modules/";
const BEGIN: &str = "<!-- inputs and outputs: written by `make docs` from the .tf files -->\n";
const END: &str = "<!-- end -->";

/// A `variable` or an `output`.
#[derive(Debug, Default, PartialEq)]
struct Block {
    name: String,
    /// Names and expressions, in the format of `tofu fmt`.
    arguments: Vec<(String, String)>,
}

impl Block {
    fn argument(&self, name: &str) -> Option<&str> {
        self.arguments.iter().find(|(found, _)| found == name).map(|(_, text)| text.trim_end())
    }

    fn description(&self) -> String {
        let text = self.argument("description").unwrap_or_default();
        match text.strip_prefix("<<-EOT\n") {
            Some(lines) => one_line(lines.trim_end().trim_end_matches("EOT")),
            None => text.trim_matches('"').replace("\\\"", "\""),
        }
    }

    /// The marks of a variable. Ephemeral values are neither in the plan nor in the state.
    fn marks(&self) -> String {
        let is_set = |mark: &&str| self.argument(mark) == Some("true");
        ["sensitive", "ephemeral"].into_iter().filter(is_set).map(|mark| format!(", {mark}")).collect()
    }
}

/// The blocks of this kind in a file in the format of `tofu fmt`.
fn blocks(file: &str, kind: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut inside = false;
    for line in file.lines() {
        if let Some(name) = line.strip_prefix(kind).and_then(|rest| rest.strip_prefix(" \"")) {
            found.push(Block { name: name.split('"').next().unwrap_or_default().to_owned(), ..Block::default() });
            inside = true;
        } else if line == "}" {
            inside = false;
        } else if inside {
            read_line(line, &mut found.last_mut().unwrap().arguments);
        }
    }
    found
}

/// Reads a line. An argument begins with an indent of two; deeper lines belong to it.
fn read_line(line: &str, arguments: &mut Vec<(String, String)>) {
    let own = line.strip_prefix("  ").filter(|rest| !rest.starts_with([' ', '}', ']', ')']));
    let argument = own.and_then(|own| own.split_once(" = ")).filter(|(name, _)| !name.trim_end().contains(' '));
    if let Some((name, value)) = argument {
        arguments.push((name.trim_end().to_owned(), value.to_owned()));
    } else if own.is_some_and(|own| own.ends_with('{')) {
        arguments.push((String::new(), String::new()));
    } else if let Some((_, value)) = arguments.last_mut() {
        *value = format!("{value}\n{line}");
    }
}

/// A multi-line value in one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A type or default in one line: lines are joined with commas.
fn expression(text: &str) -> String {
    let mut whole = String::new();
    for line in text.lines() {
        let line = one_line(line);
        let opens = whole.is_empty() || whole.ends_with(['{', '(', '[', ',']);
        let closes = line.starts_with(['}', ')', ']']);
        let separator = match (opens, closes) {
            _ if whole.is_empty() => "",
            (false, false) => ", ",
            _ => " ",
        };
        whole = whole + separator + &line;
    }
    whole
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn tables(variables: &[Block], outputs: &[Block]) -> String {
    let mut text = "### Inputs\n\n| name | description | type | default |\n| --- | --- | --- | --- |\n".to_owned();
    for variable in variables {
        let default = variable.argument("default").map_or("required".to_owned(), |it| format!("`{}`", expression(it)));
        let ty = format!("`{}`{}", expression(variable.argument("type").unwrap_or_default()), variable.marks());
        let row = [&format!("`{}`", variable.name), &variable.description(), &ty, &default].map(|it| cell(it));
        writeln!(text, "| {} |", row.join(" | ")).unwrap();
    }
    text += "\n### Outputs\n\n| name | description |\n| --- | --- |\n";
    for output in outputs {
        writeln!(text, "| `{}` | {} |", output.name, cell(&output.description())).unwrap();
    }
    text
}

/// The folders of modules, with their variables and outputs.
fn modules() -> Vec<(String, Vec<Block>, Vec<Block>)> {
    let variables = files().into_iter().filter(|path| path.starts_with(MODULES) && path.ends_with("/variables.tf"));
    let folders = variables.map(|path| path.trim_end_matches("variables.tf").to_owned());
    let read = |folder: String| {
        let of = |file: &str, kind: &str| blocks(&text(format!("{folder}{file}")).unwrap_or_default(), kind);
        (folder.clone(), of("variables.tf", "variable"), of("outputs.tf", "output"))
    };
    folders.filter(|folder| !folder.contains("/examples/")).map(read).collect()
}

#[test]
fn tables_of_modules_are_current() {
    let modules = modules();
    assert!(modules.len() >= 3, "{modules:?}");
    for (folder, variables, outputs) in modules {
        let path = format!("{folder}README.md");
        let page = text(&path).unwrap_or_default();
        let (before, rest) = page.split_once(BEGIN).unwrap_or_else(|| panic!("{path} has no place for the tables"));
        let (_, after) = rest.split_once(END).unwrap_or_else(|| panic!("{path}: the place for the tables ends"));
        let tables = tables(&variables, &outputs);
        assert_current(&path, &format!("{before}{BEGIN}\n{tables}\n{END}{after}"), "UPDATE_DOCS");
    }
}

#[test]
fn modules_meet_the_layout_of_the_registry() {
    let mut lacking = Vec::new();
    for (folder, variables, outputs) in modules() {
        let of_module = ["main.tf", "outputs.tf", "versions.tf", "README.md"];
        lacking.extend(of_module.map(|file| format!("{folder}{file}")).into_iter().filter(|it| text(it).is_none()));
        let undescribed = |it: &&Block| it.description().is_empty();
        lacking.extend(variables.iter().chain(&outputs).filter(undescribed).map(|it| format!("{folder}{}", it.name)));
        let untyped = variables.iter().filter(|it| it.argument("type").is_none());
        lacking.extend(untyped.map(|it| format!("{folder}{}: type", it.name)));
    }
    assert_eq!(lacking, [""; 0]);
}

#[test]
fn blocks_of_modules_are_parsed() {
    let file = r#"variable "a" {
  description = "One `x` | two."
  type        = object({
    b = optional(string, "c")
    d = number
  })
  default = {}

  validation {
    condition     = var.a != null
    error_message = "a"
  }
}

variable "token" {
  description = <<-EOT
    First
    second.
  EOT
  type      = string
  ephemeral = true
}
"#;
    let variables = blocks(file, "variable");
    let output = Block { name: "o".to_owned(), arguments: vec![("description".to_owned(), "\"What.\"".to_owned())] };
    let expected = "### Inputs\n\n| name | description | type | default |\n| --- | --- | --- | --- |\n\
        | `a` | One `x` \\| two. | `object({ b = optional(string, \"c\"), d = number })` | `{}` |\n\
        | `token` | First second. | `string`, ephemeral | required |\n\n\
        ### Outputs\n\n| name | description |\n| --- | --- |\n| `o` | What. |\n";
    assert_eq!(tables(&variables, &[output]), expected);
}
