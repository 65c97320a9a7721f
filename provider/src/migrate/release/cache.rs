//! Cache settings of a release.

use serde_json::{Map, Value as Json};

/// The cache of a runner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cache {
    pub(crate) bucket: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) shared: Option<bool>,
    /// Whether its bucket is in another service than S3.
    pub(crate) is_elsewhere: bool,
    /// Name of the Secret with its credentials.
    pub(crate) secret: Option<String>,
}

impl Cache {
    /// Reads the cache settings from the attributes of a release.
    pub(super) fn of(attributes: &Map<String, Json>) -> Self {
        let cache = attributes.get("config").map(|config| config["cache"].clone()).unwrap_or_default();
        let text = |value: &Json| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        // Other services with the API of S3, such as MinIO, have a different address. Their buckets are not migrated.
        let is_aws = cache["s3"]["server_address"].as_str().is_none_or(|address| address.contains("amazonaws.com"))
            && cache["type"].as_str().is_none_or(|kind| kind.eq_ignore_ascii_case("s3"));
        Self {
            bucket: text(&cache["s3"]["bucket_name"]).filter(|_| is_aws),
            region: text(&cache["s3"]["bucket_location"]).filter(|_| is_aws),
            path: text(&cache["path"]),
            is_elsewhere: !is_aws,
            shared: cache["shared"].as_bool(),
            secret: attributes.get("cache_secret_name").and_then(text_of).filter(|_| is_aws),
        }
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            bucket: self.bucket.or(other.bucket),
            region: self.region.or(other.region),
            path: self.path.or(other.path),
            is_elsewhere: self.is_elsewhere && other.is_elsewhere,
            shared: self.shared.or(other.shared),
            secret: self.secret.or(other.secret),
        }
    }
}

fn text_of(value: &Json) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_caches_in_s3_of_aws_are_migrated() {
        let s3 = |address: &str| json!({ "type": "s3", "s3": { "server_address": address, "bucket_name": "b" } });
        for (cache, is_aws) in [
            (s3("s3.amazonaws.com"), true),
            (s3("minio.example.com:9000"), false),
            (json!({ "type": "gcs", "gcs": { "bucket_name": "b" } }), false),
            (json!({ "s3": { "bucket_name": "b" } }), true),
        ] {
            let attributes = json!({ "config": { "cache": cache }, "cache_secret_name": "s" });
            let found = Cache::of(attributes.as_object().unwrap());
            assert_eq!(found.secret.is_some(), is_aws, "{attributes}");
            assert_eq!(found.bucket.is_some(), is_aws, "{attributes}");
        }
    }
}
