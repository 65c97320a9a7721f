use serde_json::json;

use super::*;

fn values(text: &str) -> Value {
    Value::Object(read(text).unwrap().values)
}

fn refused(text: &str) -> String {
    read(text).unwrap_err().detail
}

#[test]
fn scalars_are_read_as_yaml_1_1() {
    assert_eq!(
        values("a: yes\nb: Off\nc: 'yes'\nd: n\ne: ~\nf:\n"),
        json!({ "a": true, "b": false, "c": "yes", "d": false, "e": null, "f": null })
    );
    assert_eq!(
        values("a: 0400\nb: 0o17\nc: 0x1F\nd: 1_000\ne: -5\nf: '0400'\ng: 08\nh: 0b11\n"),
        json!({ "a": 256, "b": 15, "c": 31, "d": 1000, "e": -5, "f": "0400", "g": 8, "h": 3 })
    );
    assert_eq!(
        values("a: 1.10\nb: 1e3\nc: .5\nd: 8.0\ne: 1.2.3\nf: 500m\ng: 2026-11-28\nh: [-1]\n"),
        json!({ "a": 1.1, "b": 1000, "c": 0.5, "d": 8, "e": "1.2.3", "f": "500m", "g": "2026-11-28", "h": [-1] })
    );
    assert_eq!(values("a: !!str 5\nb: !!int '5'\nc: !vault x\n"), json!({ "a": "5", "b": 5, "c": "x" }));
}

#[test]
fn keys_are_text() {
    assert_eq!(values("1: a\non: b\n2.5: c\n"), json!({ "1": "a", "true": "b", "2.5": "c" }));
}

#[test]
fn merge_keys_and_repeated_keys_behave_as_in_go() {
    let text = "base: &a {x: 1, w: 1}\nmore: &b {w: 2, z: 2}\none: {<<: *a, w: 3}\nafter: {w: 3, <<: *a}\ntwo: {<<: [*a, *b]}\nquoted: {'<<': 1}\n";
    let read = values(text);
    assert_eq!(read["one"], json!({ "x": 1, "w": 3 }));
    assert_eq!(read["after"], json!({ "x": 1, "w": 1 }));
    assert_eq!(read["two"], json!({ "x": 1, "w": 1, "z": 2 }));
    assert_eq!(read["quoted"], json!({ "<<": 1 }));
    assert_eq!(values("a: 1\na: 2\n"), json!({ "a": 2 }));
    assert_eq!(refused("a: {<<: 1}"), "line 1: `<<` merges a map or a list of maps, but this is neither.");
}

#[test]
fn alias_expansion_is_bounded() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..8 {
        let before = level - 1;
        text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{before}"); 10].join(", ")));
    }
    assert!(refused(&text).contains("aliases"), "{}", refused(&text));
    let deep = format!("a: {}{}", "[".repeat(200), "]".repeat(200));
    assert!(read(&deep).is_err());
}

#[test]
fn keys_have_their_lines() {
    let document = read("# first\na:\n  b: 1\n  c: |\n    x\n    y\nd: [1,\n  2]\ne:\n  |-\n  z\n").unwrap();
    let of = |path| document.lines.of(path);
    assert_eq!(
        (of("a"), of("a.b"), of("a.c"), of("d.1"), of("a.b.gone"), of("x")),
        (Some(2), Some(3), Some(4), Some(8), Some(3), None)
    );
    assert_eq!(document.lines.of_block("a.c"), Some(5));
    assert_eq!(document.lines.of_block("e"), Some(11));
    assert_eq!(document.lines.of_block("a.b"), None);
    assert_eq!(document.lines.below("a").of("b"), Some(3));
}

#[test]
fn only_the_first_document_is_read() {
    let document = read("---\na: 1\n---\nb: 1\n").unwrap();
    assert_eq!((Value::Object(document.values), document.has_more), (json!({ "a": 1 }), true));
    for text in ["", "# nothing\n", "---\n", "---\na: 1\n...\n", "a: 1\n---\n"] {
        assert!(!read(text).unwrap().has_more, "{text:?}");
    }
}

#[test]
fn errors_have_a_line_and_no_content() {
    assert_eq!(refused("a: 1\n\tb: 2\n"), "line 2: YAML is indented with spaces, not with tabs.");
    assert_eq!(
        refused("a: 1\nb: {{ .Values.x }}\n").split(". ").next(),
        Some("line 2: this is a template and not YAML")
    );
    assert!(!refused("a: 'glrt-secret\n").contains("glrt"));
    assert_eq!(
        refused("base.yaml"),
        "this is the name of a file and not its content. In HCL, use file(\"base.yaml\")."
    );
    assert_eq!(refused("- a"), "this is a list, but a values file is a map.");
    assert!(refused("glrt-secret").starts_with("this is a single value"));
    assert!(refused("a: *missing").starts_with("line 1:"));
}
