//! [`Config`] as the text of a config.toml.

use toml::Value;

use super::Config;

/// The same configuration always gives the same text: keys are sorted, plain ones before tables.
///
/// # Errors
///
/// None for a configuration that was read by the catalogue; the type is the TOML writer's.
pub fn render(config: &Config) -> Result<String, toml::ser::Error> {
    let mut whole = config.global.clone();
    if !config.runner.is_empty() {
        whole.insert("runners".to_owned(), Value::Array(vec![Value::Table(config.runner.clone())]));
    }
    toml::to_string(&whole)
}
