//! [`Config`] as the text of a config.toml.

use toml::Value;

use super::Config;

/// Renders a configuration deterministically: keys are sorted, simple values before tables.
///
/// # Errors
///
/// None for a configuration that was read with the catalogue; the error type is that of the TOML writer.
pub fn render(config: &Config) -> Result<String, toml::ser::Error> {
    let mut whole = config.global.clone();
    if !config.runner.is_empty() {
        whole.insert("runners".to_owned(), Value::Array(vec![Value::Table(config.runner.clone())]));
    }
    toml::to_string(&whole)
}
