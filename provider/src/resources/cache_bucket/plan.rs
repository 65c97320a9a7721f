//! Completes the plan: computed attributes, replacements and repairs.

use tfplugin::framework::{Plan, Value};

use super::private::Private;
use super::schema::{CacheBucket, Encryption, Protection, RunnerCache, RunnerCacheS3};
use crate::names::needs_another_name;
use crate::provider_tags::ProviderTags;
use crate::{cache_path, partition};

/// Completes a plan. `region` is `None` while the region of the provider is unknown. `endpoint` is the configured
/// endpoint of S3.
pub(super) fn complete(
    plan: &mut Plan<CacheBucket, Private>,
    region: Option<&str>,
    endpoint: Option<&str>,
    tags: &ProviderTags,
) {
    if let Some(prior) = &plan.prior
        && needs_another_name(&prior.bucket, &prior.bucket_prefix, &plan.planned.bucket_prefix)
    {
        plan.require_replace("bucket_prefix");
    }
    let region = match &plan.prior {
        // A change of the provider's region does not move the bucket.
        Some(prior) if prior.region.known().is_some() => prior.region.as_str().map(str::to_owned),
        _ => region.map(str::to_owned),
    };
    derive(&mut plan.planned, &plan.config, region.as_deref(), endpoint, tags);
}

/// Sets the attributes that are derived from the configuration: in the plan, and in the apply when all values are
/// known.
pub(super) fn derive(
    model: &mut CacheBucket,
    config: &CacheBucket,
    region: Option<&str>,
    endpoint: Option<&str>,
    tags: &ProviderTags,
) {
    if config.prefix.is_null() {
        model.prefix = layout(&model.cache_path, &model.shared);
    }
    if config.encryption.is_null() {
        model.encryption = Value::Known(Encryption {
            sse_algorithm: "AES256".into(),
            kms_key_id: Value::Null,
            bucket_key_enabled: false.into(),
        });
    }
    model.protection =
        Value::Known(Protection { public_access_blocked: true.into(), bucket_owner_enforced: true.into() });
    model.tags_all = tags.all(&model.tags);
    identify(model, region, endpoint);
}

/// Sets the attributes that are derived from name, region and endpoint.
pub(super) fn identify(model: &mut CacheBucket, region: Option<&str>, endpoint: Option<&str>) {
    let name = model.bucket.clone();
    model.region = region.map_or(Value::Unknown, Value::from);
    model.arn = match region {
        Some(region) => name.clone().map(|name| arn(&name, region)),
        None => Value::Unknown,
    };
    let place = region.map(|region| Place::of(region, endpoint));
    model.bucket_domain_name = match &place {
        Some(place) => name.clone().map(|name| format!("{name}.{}", place.host)),
        None => Value::Unknown,
    };
    model.id = name;
    model.runner_cache = runner_cache(model, place.as_ref());
}

pub(super) fn arn(bucket: &str, region: &str) -> String {
    format!("arn:{}:s3:::{bucket}", partition::name(region))
}

/// Address of S3.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    /// Host, with its port if the endpoint contains one.
    host: String,
    /// Whether the endpoint uses HTTP without TLS.
    is_insecure: bool,
}

impl Place {
    /// Returns the address of the configured endpoint, otherwise of AWS. That is the global host in the partition
    /// `aws`, where the runner determines the region itself, and the regional host in partitions without a global one.
    fn of(region: &str, endpoint: Option<&str>) -> Self {
        let (host, is_insecure) = match endpoint.map(|url| url.split_once("://").unwrap_or(("https", url))) {
            Some((scheme, rest)) => {
                let host = rest.split(['/', '?']).next().unwrap_or_default();
                // User name and password of a URL are not part of the host.
                (host.rsplit('@').next().unwrap_or_default().to_owned(), scheme.eq_ignore_ascii_case("http"))
            }
            None if partition::name(region) == "aws" => ("s3.amazonaws.com".to_owned(), false),
            None => (format!("s3.{region}.{}", partition::dns_suffix(region)), false),
        };
        Self { host, is_insecure }
    }
}

fn runner_cache(model: &CacheBucket, place: Option<&Place>) -> Value<RunnerCache> {
    Value::Known(RunnerCache {
        kind: "s3".into(),
        path: model.cache_path.clone(),
        shared: model.shared.clone(),
        s3: Value::Known(RunnerCacheS3 {
            server_address: place.map_or(Value::Unknown, |place| place.host.as_str().into()),
            bucket_name: model.bucket.clone(),
            bucket_location: model.region.clone(),
            insecure: place.map_or(Value::Unknown, |place| place.is_insecure.then_some(true).into()),
        }),
    })
}

/// Returns the prefix of the runner's object keys: the runner joins the path, `runner/TOKEN` unless the cache is
/// shared, and `project/ID/KEY`.
fn layout(cache_path: &Value<String>, shared: &Value<bool>) -> Value<String> {
    let (Value::Known(path), Value::Known(shared)) = (cache_path, shared) else { return Value::Unknown };
    let last = if *shared { "project" } else { "runner" };
    format!("{}{last}/", cache_path::directory(path)).into()
}

/// Returns cache path and `shared` of a prefix, the reverse of [`layout`]; `None` for any other prefix.
pub(super) fn from_prefix(prefix: &str) -> Option<(String, bool)> {
    let path = |last: &str| {
        let path = prefix.strip_suffix(last)?;
        match path.strip_suffix('/') {
            Some(path) => Some(path.to_owned()),
            None => path.is_empty().then(String::new),
        }
    };
    path("project/").map(|path| (path, true)).or_else(|| path("runner/").map(|path| (path, false)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> ProviderTags {
        ProviderTags { default: Some(std::collections::BTreeMap::new()), ..ProviderTags::default() }
    }

    #[test]
    fn the_lifecycle_follows_the_runner() {
        let prefix = |path: &str, shared: bool| layout(&path.into(), &shared.into());
        assert_eq!(prefix("", true), "project/".into());
        assert_eq!(prefix("", false), "runner/".into());
        assert_eq!(prefix("/ci//linux/", true), "ci/linux/project/".into());
        assert_eq!(layout(&Value::Unknown, &true.into()), Value::Unknown);
        assert_eq!(from_prefix("project/"), Some((String::new(), true)));
        assert_eq!(from_prefix("ci/linux/runner/"), Some(("ci/linux".to_owned(), false)));
        assert_eq!(from_prefix("myproject/"), None);
        assert_eq!(from_prefix(""), None);
    }

    #[test]
    fn a_known_name_gives_everything() {
        let mut model = CacheBucket {
            bucket: "ci-cache".into(),
            cache_path: "".into(),
            shared: true.into(),
            ..CacheBucket::default()
        };
        derive(&mut model, &CacheBucket::default(), Some("eu-west-1"), None, &known());
        assert_eq!(model.arn, "arn:aws:s3:::ci-cache".into());
        assert_eq!(model.bucket_domain_name, "ci-cache.s3.amazonaws.com".into());
        let cache = model.runner_cache.known().unwrap();
        let s3 = RunnerCacheS3 {
            server_address: "s3.amazonaws.com".into(),
            bucket_name: "ci-cache".into(),
            bucket_location: "eu-west-1".into(),
            insecure: Value::Null,
        };
        let expected = RunnerCache { kind: "s3".into(), path: "".into(), shared: true.into(), s3: Value::Known(s3) };
        assert_eq!(cache, &expected);

        model.bucket = "c".into();
        derive(&mut model, &CacheBucket::default(), Some("cn-north-1"), None, &known());
        assert_eq!(model.arn, "arn:aws-cn:s3:::c".into());
        assert_eq!(model.bucket_domain_name, "c.s3.cn-north-1.amazonaws.com.cn".into());
    }

    #[test]
    fn each_partition_has_its_arns_and_addresses() {
        for (region, partition, suffix) in partition::EACH {
            let mut model = CacheBucket { bucket: "c".into(), ..CacheBucket::default() };
            identify(&mut model, Some(region), None);
            let host = if partition == "aws" { "s3.amazonaws.com".to_owned() } else { format!("s3.{region}.{suffix}") };
            assert_eq!(model.arn, format!("arn:{partition}:s3:::c").into());
            assert_eq!(model.bucket_domain_name, format!("c.{host}").into());
            let s3 = model.runner_cache.into_known().unwrap().s3.into_known().unwrap();
            assert_eq!((s3.server_address, s3.bucket_location), (host.into(), region.into()));
        }
    }

    #[test]
    fn custom_endpoint_determines_the_server_address() {
        for (endpoint, host, is_insecure) in [
            ("https://minio.example.com", "minio.example.com", false),
            ("http://127.0.0.1:9000", "127.0.0.1:9000", true),
            ("HTTP://me:secret@minio:9000/path?x=y", "minio:9000", true),
            ("https://[::1]:9000/", "[::1]:9000", false),
            ("minio.example.com", "minio.example.com", false),
        ] {
            let expected = Place { host: host.to_owned(), is_insecure };
            assert_eq!(Place::of("eu-west-1", Some(endpoint)), expected, "{endpoint}");
        }
    }
}
