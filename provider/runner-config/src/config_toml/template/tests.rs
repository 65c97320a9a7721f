use serde_json::json;

use super::*;

fn release(values: Option<&Value>) -> Release<'_> {
    Release { name: "r", namespace: "ns", values, app_version: "19.3.0", chart_version: "0.86.0" }
}

fn expand(text: &str) -> String {
    let values = json!({
        "concurrent": 6, "gitlabUrl": "https://gitlab.example.com/", "flag": true, "off": false, "text": "a b",
        "runners": { "jobNamespace": "jobs", "tags": ["a"] }, "image": {},
    });
    release(Some(&values)).expand(text).unwrap_or_else(|found| panic!("{text}: {found:?}"))
}

fn refused(text: &str) -> Vec<String> {
    let found = release(Some(&Value::Null)).expand(text).unwrap_err();
    found.into_iter().map(|one| format!("{} {}", one.line, one.expression)).collect()
}

#[test]
fn expressions_are_replaced_by_values() {
    assert_eq!(expand("a = \"{{.Release.Namespace}}\" {{ .Release.Name }} ${x}"), "a = \"ns\" r ${x}");
    assert_eq!(
        expand("{{ .Values.gitlabUrl }} {{ $.Values.concurrent }} {{ .Values.gone }}|"),
        "https://gitlab.example.com/ 6 |"
    );
    assert_eq!(expand("alpine-v{{.Chart.AppVersion}}"), "alpine-v19.3.0");
    assert_eq!(expand("{{ default .Release.Namespace .Values.runners.jobNamespace }}"), "jobs");
    assert_eq!(
        release(None).expand("{{ default .Release.Namespace .Values.runners.jobNamespace }}"),
        Ok("ns".to_owned())
    );
}

#[test]
fn pipelines_and_functions_are_evaluated() {
    assert_eq!(expand("{{ .Values.gone | default \"x\" | quote }}"), "\"x\"");
    assert_eq!(expand("{{ .Values.concurrent | default 4 }} {{ default 4 .Values.gone }}"), "6 4");
    assert_eq!(
        expand("{{ upper (trim \" a \") }} {{ .Values.gitlabUrl | trimSuffix \"/\" }}"),
        "A https://gitlab.example.com"
    );
    assert_eq!(
        expand("{{ squote .Values.text }} {{ \"{{\" }} {{ `}}` }} {{ coalesce .Values.gone .Values.text }}"),
        "'a b' {{ }} a b"
    );
}

#[test]
fn names_of_the_chart_are_evaluated() {
    assert_eq!(expand("{{ .Chart.Version }} {{ .Chart.Name }}"), "0.86.0 gitlab-runner");
    assert_eq!(
        expand("{{ include \"gitlab-runner.fullname\" . }}-{{ include \"gitlab-runner.name\" $ | upper }}"),
        "r-gitlab-runner-GITLAB-RUNNER"
    );
    // Without values, overrides of the name are not known.
    assert!(release(None).expand("{{ include \"gitlab-runner.fullname\" . }}").is_err());
}

#[test]
fn texts_are_formatted_and_cut() {
    assert_eq!(
        expand(
            "{{ printf \"%s-%d%%\" .Release.Name .Values.concurrent | trunc 4 }} {{ trunc -3 \"abcde\" }} {{ trunc 9 \"ab\" }}"
        ),
        "r-6% cde ab"
    );
    assert_eq!(
        expand(
            "{{ if hasPrefix \"a\" .Values.text }}{{ replace \" \" \"-\" .Values.text }}{{ end }}{{ contains \"z\" \"a\" }} {{ hasSuffix \"b\" \"ab\" }}"
        ),
        "a-bfalse true"
    );
}

#[test]
fn expressions_in_comments_of_toml_have_no_effect() {
    let values = json!({ "x": 1 });
    let of = |text: &str| release(Some(&values)).expand_toml(text);
    assert_eq!(
        of("# {{ include \"y\" . }} {{ $z := 1 }}\nname = \"{{ .Values.x }}\" # {{ tpl \"a\" . }}\n"),
        Ok("#  \nname = \"1\" # \n".to_owned())
    );
    // A conditional in a comment does apply to the lines after it.
    assert_eq!(of("# {{ if .Values.x }}\na = 1\n# {{ else }}\na = 2\n# {{ end }}\n"), Ok("# \na = 1\n# \n".to_owned()));
    for text in ["a = \"#{{ include \"y\" . }}\"", "a = 1 {{ tpl \"a\" . }}", "# {{ range .Values.x }}{{ end }}"] {
        assert_eq!(of(text).unwrap_err().len(), 1, "{text}");
    }
}

#[test]
fn conditions_are_evaluated() {
    let text = "{{- if .Values.flag }}a{{ else }}b{{ end }}{{ if .Values.off }}c{{ else if eq .Values.concurrent 6 }}d{{ end }}";
    assert_eq!(expand(text), "ad");
    assert_eq!(expand("x\n  {{- if not .Values.flag }}\n  y\n  {{- end }}\nz"), "x\nz");
    assert_eq!(
        expand(
            "{{ if and .Values.flag (ne .Values.text \"x\") }}1{{ end }}{{ if or .Values.off .Values.gone }}2{{ end }}"
        ),
        "1"
    );
}

#[test]
fn white_space_is_trimmed_at_markers() {
    assert_eq!(expand("a {{- .Release.Name -}} b"), "arb");
    assert_eq!(expand("a\n{{- /* a comment }} */ -}}\nb"), "ab");
    assert_eq!(expand("{{/* x */}}a"), "a");
}

#[test]
fn unsupported_expressions_are_named_by_line() {
    assert_eq!(
        refused(
            "a\n{{ include \"y\" . }}\n{{ range .Values.x }}{{ .a }}{{ else }}{{ end }} {{ printf \"%v\" 1 }}\n{{ .Files.Get \"x\" }} {{ $x := 1 }}"
        ),
        [
            "2 {{ include \"y\" . }}",
            "3 {{ range .Values.x }}",
            "3 {{ printf \"%v\" 1 }}",
            "4 {{ $x := 1 }}",
            "4 {{ .Files.Get \"x\" }}"
        ],
    );
    assert_eq!(refused("{{ printf \"%s\" 1 }}"), ["1 {{ printf \"%s\" 1 }}"]);
    assert_eq!(refused("x\n{{ z"), ["2 {{ z"]);
    assert_eq!(refused("{{ if .Values.x }}a"), ["1 {{ if .Values.x }}"]);
    let found = release(None).expand("{{- .Values.x -}}").unwrap_err();
    assert_eq!(found, [Unsupported { line: 1, expression: "{{- .Values.x -}}".to_owned(), is_comment: false }]);
}

#[test]
fn unsupported_expressions_are_summarised() {
    let one = Unsupported { line: 4, expression: "{{ .Values.x }}".to_owned(), is_comment: false };
    assert!(unsupported_detail(std::slice::from_ref(&one)).starts_with("{{ .Values.x }} cannot be evaluated. Replace"));
    assert!(
        unsupported_detail(&vec![one; 40])
            .starts_with("40 template expressions cannot be evaluated, the first {{ .Values.x }}.")
    );
}
