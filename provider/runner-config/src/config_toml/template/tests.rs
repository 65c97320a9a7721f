use serde_json::json;

use super::*;

fn release(values: Option<&Value>) -> Release<'_> {
    Release { name: "r", namespace: "ns", values, app_version: "19.3.0" }
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
            "a\n{{ include \"y\" . }}\n{{ range .Values.x }}{{ .a }}{{ else }}{{ end }} {{ printf \"%s\" 1 }}\n{{ .Files.Get \"x\" }} {{ $x := 1 }}"
        ),
        [
            "2 {{ include \"y\" . }}",
            "3 {{ range .Values.x }}",
            "3 {{ printf \"%s\" 1 }}",
            "4 {{ $x := 1 }}",
            "4 {{ .Files.Get \"x\" }}"
        ],
    );
    assert_eq!(refused("{{ printf \"%s\" 1 }}"), ["1 {{ printf \"%s\" 1 }}"]);
    assert_eq!(refused("x\n{{ z"), ["2 {{ z"]);
    assert_eq!(refused("{{ if .Values.x }}a"), ["1 {{ if .Values.x }}"]);
    let found = release(None).expand("{{- .Values.x -}}").unwrap_err();
    assert_eq!(found, [Unsupported { line: 1, expression: "{{- .Values.x -}}".to_owned() }]);
}

#[test]
fn unsupported_expressions_are_summarised() {
    let one = Unsupported { line: 4, expression: "{{ .Values.x }}".to_owned() };
    assert!(unsupported_detail(std::slice::from_ref(&one)).starts_with("{{ .Values.x }} cannot be evaluated. Render"));
    assert!(
        unsupported_detail(&vec![one; 40])
            .starts_with("40 template expressions cannot be evaluated, the first {{ .Values.x }}.")
    );
}
