//! The syntax of Helm's `--set`, which helm_release has in `set`, `set_list` and `set_sensitive`.

use std::str::Chars;

use serde_json::{Map, Value as Json};

/// Highest index of a list that Helm accepts.
const MAX_INDEX: usize = 65_536;

/// Types of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Booleans, integers and null are recognised.
    Auto,
    /// Every value is a text.
    Text,
}

/// Error of a text that Helm refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not in the syntax of `--set`")]
pub(super) struct SyntaxError;

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Key(String),
    Index(usize),
}

/// Sets the values of a text such as `a.b=1,c[0]=x`.
///
/// Helm changes the merged values files, in which it keeps the other elements of a list. These are taken from `below`
/// when the text sets an element, because a list in `values` replaces the one in `below`.
///
/// # Errors
///
/// Helm refuses the text. `values` is not changed.
pub(super) fn set(
    values: &mut Map<String, Json>,
    below: &Map<String, Json>,
    text: &str,
    kind: Kind,
) -> Result<(), SyntaxError> {
    let mut reader = Reader { letters: text.chars(), kind };
    let mut assignments = Vec::new();
    while let Some((first, mut rest, value)) = reader.assignment()? {
        // Helm ignores an empty key.
        let is_named = |step: &Step| !matches!(step, Step::Key(key) if key.is_empty());
        if !first.is_empty() && rest.iter().all(is_named) {
            rest.reverse();
            assignments.push((first, rest, value));
        }
    }
    for (first, rest, value) in assignments {
        let at = values.entry(first.clone()).or_insert(Json::Null);
        put(at, below.get(&first), rest, value);
    }
    Ok(())
}

/// Sets the value at a path, whose last element is its first step.
fn put(at: &mut Json, below: Option<&Json>, mut path: Vec<Step>, value: Json) {
    match path.pop() {
        None => *at = value,
        Some(Step::Key(key)) => {
            if !at.is_object() {
                *at = Json::Object(Map::new());
            }
            let Some(fields) = at.as_object_mut() else { return };
            let below = below.and_then(|below| below.get(&key));
            put(fields.entry(key).or_insert(Json::Null), below, path, value);
        }
        Some(Step::Index(index)) => {
            if !at.is_array() {
                *at = below.filter(|below| below.is_array()).cloned().unwrap_or_else(|| Json::Array(Vec::new()));
            }
            let Some(items) = at.as_array_mut() else { return };
            if items.len() <= index {
                items.resize(index + 1, Json::Null);
            }
            // The elements are those of `below` already.
            if let Some(item) = items.get_mut(index) {
                put(item, None, path, value);
            }
        }
    }
}

type Assignment = (String, Vec<Step>, Json);

struct Reader<'a> {
    letters: Chars<'a>,
    kind: Kind,
}

impl Reader<'_> {
    /// Reads a path and its value. `None` at the end of the text.
    fn assignment(&mut self) -> Result<Option<Assignment>, SyntaxError> {
        let (first, mut end) = self.until(&['=', '[', ',', '.']);
        if first.is_empty() && end.is_none() {
            return Ok(None);
        }
        let mut path = Vec::new();
        loop {
            end = match end {
                Some('=') => return Ok(Some((first, path, self.value()?))),
                Some('.') => {
                    let (key, end) = self.until(&['=', '[', ',', '.']);
                    path.push(Step::Key(key));
                    end
                }
                Some('[') => {
                    path.push(Step::Index(self.index()?));
                    let (rest, end) = self.until(&['=', '[', '.']);
                    if !rest.is_empty() {
                        return Err(SyntaxError);
                    }
                    end
                }
                _ => return Err(SyntaxError),
            }
        }
    }

    fn index(&mut self) -> Result<usize, SyntaxError> {
        let (number, end) = self.until(&[']']);
        let number = number.parse().ok().filter(|number| end.is_some() && *number <= MAX_INDEX);
        number.ok_or(SyntaxError)
    }

    fn value(&mut self) -> Result<Json, SyntaxError> {
        let mut ahead = self.letters.clone();
        if ahead.next() != Some('{') {
            let (text, _) = self.until(&[',']);
            return Ok(self.typed(text));
        }
        self.letters = ahead;
        self.list()
    }

    fn list(&mut self) -> Result<Json, SyntaxError> {
        let mut items = Vec::new();
        loop {
            let (text, end) = self.until(&[',', '}']);
            // Helm makes a list with an empty text of `{}`. No list of the chart can have one: the list is empty.
            if end == Some('}') && text.is_empty() && items.is_empty() {
                break;
            }
            items.push(self.typed(text));
            match end {
                Some(',') => {}
                Some(_) => break,
                None => return Err(SyntaxError),
            }
        }
        let mut ahead = self.letters.clone();
        if ahead.next() == Some(',') {
            self.letters = ahead;
        }
        Ok(Json::Array(items))
    }

    /// Reads up to one of the letters, which is returned and not part of the text. A backslash escapes any letter.
    fn until(&mut self, ends: &[char]) -> (String, Option<char>) {
        let mut text = String::new();
        while let Some(letter) = self.letters.next() {
            match letter {
                letter if ends.contains(&letter) => return (text, Some(letter)),
                '\\' => text.extend(self.letters.next()),
                letter => text.push(letter),
            }
        }
        (text, None)
    }

    fn typed(&self, text: String) -> Json {
        if self.kind == Kind::Text {
            return text.into();
        }
        match text.to_ascii_lowercase().as_str() {
            "true" => true.into(),
            "false" => false.into(),
            "null" => Json::Null,
            "0" => 0.into(),
            // A number with leading zeros stays a text.
            lower if lower.starts_with('0') => text.into(),
            _ => text.parse::<i64>().map_or_else(|_| text.into(), Json::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values(below: &Json, texts: &[&str], kind: Kind) -> Result<Json, SyntaxError> {
        let mut values = Map::new();
        for text in texts {
            set(&mut values, below.as_object().unwrap(), text, kind)?;
        }
        Ok(values.into())
    }

    #[test]
    fn paths_are_read_as_by_helm() {
        for (text, expected) in [
            ("a=b", json!({ "a": "b" })),
            ("a.b.c=d", json!({ "a": { "b": { "c": "d" } } })),
            (r"a.b\.c/d=e", json!({ "a": { "b.c/d": "e" } })),
            (r"a\=b=c", json!({ "a=b": "c" })),
            ("a=1,b.c=2", json!({ "a": 1, "b": { "c": 2 } })),
            ("a[0].b=c", json!({ "a": [{ "b": "c" }] })),
            ("a[1]=c", json!({ "a": [null, "c"] })),
            ("a[0][1]=c", json!({ "a": [[null, "c"]] })),
            ("a.b[0].c.d=e", json!({ "a": { "b": [{ "c": { "d": "e" } }] } })),
            ("a={b,c},d={},e=f", json!({ "a": ["b", "c"], "d": [], "e": "f" })),
            ("a[0]={b,2}", json!({ "a": [["b", 2]] })),
            ("a={,b}", json!({ "a": ["", "b"] })),
            (r"a={b\,c,d\}}", json!({ "a": ["b,c", "d}"] })),
            (r"a=b\,c", json!({ "a": "b,c" })),
            (r"a=C:\\d", json!({ "a": r"C:\d" })),
            ("a=b=c", json!({ "a": "b=c" })),
            ("a=x{b}", json!({ "a": "x{b}" })),
            ("a=", json!({ "a": "" })),
            ("=b,a=c", json!({ "a": "c" })),
            ("a=one two\nthree", json!({ "a": "one two\nthree" })),
        ] {
            assert_eq!(values(&json!({}), &[text], Kind::Auto).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn types_are_recognised_as_by_helm() {
        for (text, expected) in [
            ("true", json!(true)),
            ("False", json!(false)),
            ("null", json!(null)),
            ("0", json!(0)),
            ("42", json!(42)),
            ("-7", json!(-7)),
            ("007", json!("007")),
            ("0x1", json!("0x1")),
            ("1.50", json!("1.50")),
            ("1e3", json!("1e3")),
            ("99999999999999999999", json!("99999999999999999999")),
            ("yes", json!("yes")),
            ("{true,1,01}", json!([true, 1, "01"])),
        ] {
            let line = format!("a={text}");
            assert_eq!(values(&json!({}), &[&line], Kind::Auto).unwrap()["a"], expected, "{text}");
            let text = values(&json!({}), &[&line], Kind::Text).unwrap()["a"].clone();
            assert!(text.is_string() || text == json!(["true", "1", "01"]), "{text}");
        }
    }

    #[test]
    fn elements_are_set_in_the_list_of_the_files() {
        let below = json!({ "t": [{ "key": "a", "effect": "x" }, { "key": "b" }], "m": { "k": [1, 2] }, "n": 1 });
        let texts = ["t[0].key=c", "t[2].key=d", "m.k[1]=3", "n[0]=4"];
        assert_eq!(
            values(&below, &texts, Kind::Auto).unwrap(),
            json!({
                "t": [{ "key": "c", "effect": "x" }, { "key": "b" }, { "key": "d" }], "m": { "k": [1, 3] }, "n": [4],
            })
        );
        // A value for the whole list replaces it.
        assert_eq!(values(&below, &["t={}", "t[0]=x"], Kind::Auto).unwrap(), json!({ "t": ["x"] }));
    }

    #[test]
    fn texts_that_helm_refuses_are_errors() {
        for text in ["a", "a,b=c", "a=b,c", "a[x]=1", "a[-1]=1", "a[0", "a[0]x=1", "a[65537]=1", "a={b", "a={b}c", "a."]
        {
            assert_eq!(values(&json!({}), &[text], Kind::Auto), Err(SyntaxError), "{text}");
        }
    }
}
