//! The formatting of events as lines of JSON, the format of HashiCorp's hclog, which hosts read.

use std::error::Error;
use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// Length of the longest line. The host splits a longer one, and can parse neither part.
const LONGEST_LINE: usize = 60_000;
/// Bytes of the message that a shortened line keeps. JSON needs up to six bytes for one.
const LONGEST_MESSAGE: usize = 8_000;

/// Writes events, with the fields of the spans around them, as lines.
pub(super) struct Hclog<W> {
    module: String,
    write: W,
}

impl<W: Fn(&str)> Hclog<W> {
    /// `write` receives whole lines, with their line end.
    pub(super) fn new(provider: &str, write: W) -> Self {
        Self { module: format!("provider.{provider}"), write }
    }
}

impl<W> fmt::Debug for Hclog<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Hclog").field("module", &self.module).finish_non_exhaustive()
    }
}

impl<S, W> Layer<S> for Hclog<W>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    W: Fn(&str) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields.0.extend(of_span.0.clone());
            }
        }
        event.record(&mut fields);
        (self.write)(&line(&self.module, event.metadata().level(), Timestamp::now(), fields));
    }
}

/// The values of an event or span by name. The text of an event is the value of `message`.
#[derive(Debug, Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, field: &Field, value: Value) {
        // Names with an @ are reserved by hclog: a host crashes if one of them has an unexpected type.
        self.0.insert(field.name().trim_start_matches('@').to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.set(field, value.to_string().into());
    }
}

/// Formats a line with its line end. Message, level and time are strings, and the time has six digits after the point:
/// hosts treat anything else as plain text, or crash.
fn line(module: &str, level: &Level, time: Timestamp, fields: Fields) -> String {
    let Fields(mut entry) = fields;
    let message = match entry.remove("message") {
        Some(Value::String(message)) => message,
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let own = |message: &str| {
        [
            ("@level", level.as_str().to_lowercase()),
            ("@message", message.to_owned()),
            ("@module", module.to_owned()),
            // go-plugin parses exactly six digits; with any other number the line counts as plain text.
            ("@timestamp", format!("{time:.6}")),
        ]
        .map(|(name, value)| (name.to_owned(), Value::String(value)))
    };
    entry.extend(own(&message));
    let text = Value::Object(entry).to_string();
    // go-plugin reads stderr in pieces of 64 KiB.
    if text.len() <= LONGEST_LINE {
        return text + "\n";
    }

    let start = &message[..message.floor_char_boundary(LONGEST_MESSAGE)];
    let mut short = Map::from_iter(own(start));
    short.insert("shortened".to_owned(), true.into());
    Value::Object(short).to_string() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::registry::Registry;

    /// The lines written while `log` runs.
    fn lines(log: impl FnOnce()) -> Vec<Value> {
        let text = Arc::new(Mutex::new(String::new()));
        let written = Arc::clone(&text);
        let layer = Hclog::new("example", move |line: &str| written.lock().unwrap().push_str(line));
        tracing::subscriber::with_default(Registry::default().with(layer), log);
        text.lock().unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The only line, without its time.
    fn entry(log: impl FnOnce()) -> Value {
        let mut lines = lines(log);
        assert_eq!(lines.len(), 1);
        let time = lines[0].as_object_mut().unwrap().remove("@timestamp").unwrap();
        assert_eq!(time.as_str().unwrap().len(), "2006-01-02T15:04:05.000000Z".len());
        lines.remove(0)
    }

    #[test]
    fn line_has_the_format_of_hclog() {
        let mut fields = Fields::default();
        fields.0.insert("message".to_owned(), "read\nit".into());
        fields.0.insert("tries".to_owned(), 2.into());
        let time = "2006-01-02T15:04:05.00012Z".parse().unwrap();
        let line = line("provider.example", &Level::WARN, time, fields);
        let object = line.strip_suffix('\n').unwrap();
        assert!(!object.contains('\n'));
        assert_eq!(
            serde_json::from_str::<Value>(object).unwrap(),
            json!({
                "@level": "warn",
                "@message": "read\nit",
                "@module": "provider.example",
                "@timestamp": "2006-01-02T15:04:05.000120Z",
                "tries": 2,
            })
        );
    }

    #[test]
    fn fields_keep_their_types() {
        let error = "x".parse::<i32>().unwrap_err();
        let written = entry(|| {
            tracing::info!(
                name = "a", count = 3, less = -3, ratio = 0.5, ready = true, list = ?[1, 2],
                error = &error as &dyn Error, "hello {}", 1
            );
        });
        assert_eq!(
            written,
            json!({
                "@level": "info", "@message": "hello 1", "@module": "provider.example",
                "name": "a", "count": 3, "less": -3, "ratio": 0.5, "ready": true, "list": "[1, 2]",
                "error": "invalid digit found in string",
            })
        );
    }

    #[test]
    fn event_has_the_fields_of_its_spans() {
        let written = entry(|| {
            let rpc = tracing::info_span!("rpc", tf_rpc = "ReadResource", tf_resource_type = tracing::field::Empty);
            let _rpc = rpc.enter();
            rpc.record("tf_resource_type", "example_thing");
            let _inner = tracing::info_span!("attempt", tf_rpc = "inner").entered();
            tracing::trace!("asked");
        });
        assert_eq!(
            written,
            json!({
                "@level": "trace", "@message": "asked", "@module": "provider.example",
                "tf_rpc": "inner", "tf_resource_type": "example_thing",
            })
        );
    }

    #[test]
    fn reserved_fields_are_not_overwritten() {
        let written = entry(|| tracing::error!("@level" = 7, "@message" = 8));
        assert_eq!(written, json!({"@level": "error", "@message": "8", "@module": "provider.example", "level": 7}));
    }

    #[test]
    fn long_line_is_truncated_to_the_limit_of_the_host() {
        let long = "ä".repeat(LONGEST_LINE);
        let written = entry(|| tracing::error!(long, "{long}"));
        assert_eq!(
            written,
            json!({
                "@level": "error", "@message": "ä".repeat(LONGEST_MESSAGE / 2), "@module": "provider.example",
                "shortened": true,
            })
        );
    }
}
