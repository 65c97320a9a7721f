//! Compares the instance types of a group: the cluster autoscaler assumes that every node has the size of the first
//! type.
//!
//! The sizes are requested when the creation of a group is planned, once for each type in all groups, and only for a
//! warning: without credentials or a response in time there is no warning.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::config::timeout::TimeoutConfig;
use aws_sdk_ec2::error::DisplayErrorContext;
use aws_sdk_ec2::types::InstanceTypeInfo;
use tfplugin::framework::Diagnostic;
use tokio::sync::Mutex;

/// Timeout of the request: a plan does not wait longer for a warning.
const PATIENCE: Duration = Duration::from_secs(5);

/// The properties of an instance type that the autoscaler uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Size {
    vcpus: i32,
    memory_mib: i64,
    architectures: Vec<String>,
}

/// The sizes that were requested so far; `None` for a type that EC2 did not return, which is not requested again.
#[derive(Debug, Default)]
pub(super) struct Sizes(Mutex<BTreeMap<String, Option<Size>>>);

impl Sizes {
    /// The warning about these types, if their sizes differ.
    pub(super) async fn warning(&self, ec2: &Client, names: &[String]) -> Option<Diagnostic> {
        let sizes = self.of(ec2, names).await;
        differences(names, &sizes)
            .map(|text| Diagnostic::warning("Instance types of different sizes", text).at("instance_types"))
    }

    /// Returns the sizes of these types. The lock is held during the request, so that concurrent plans use one
    /// response.
    async fn of(&self, ec2: &Client, names: &[String]) -> BTreeMap<String, Size> {
        let mut known = self.0.lock().await;
        let lacking: Vec<&String> = names.iter().filter(|name| !known.contains_key(*name)).collect();
        if !lacking.is_empty() {
            let mut found = ask(ec2, &lacking).await;
            known.extend(lacking.into_iter().map(|name| (name.clone(), found.remove(name))));
        }
        names.iter().filter_map(|name| Some((name.clone(), known.get(name)?.clone()?))).collect()
    }
}

/// Client settings for requests that may fail without consequences: no retries, and a short timeout.
pub(super) fn hasty() -> aws_sdk_ec2::config::Builder {
    aws_sdk_ec2::config::Builder::new()
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().operation_timeout(PATIENCE).build())
}

async fn ask(ec2: &Client, names: &[&String]) -> BTreeMap<String, Size> {
    let request = ec2.describe_instance_types();
    let request = request.set_instance_types(Some(names.iter().map(|name| name.as_str().into()).collect()));
    match request.customize().config_override(hasty()).send().await {
        Ok(found) => found.instance_types().iter().filter_map(size).collect(),
        Err(error) => {
            tracing::debug!("could not compare the sizes of the instance types: {}", DisplayErrorContext(error));
            BTreeMap::new()
        }
    }
}

fn size(info: &InstanceTypeInfo) -> Option<(String, Size)> {
    let architectures = info.processor_info.iter().flat_map(|processor| processor.supported_architectures());
    let size = Size {
        vcpus: info.v_cpu_info.as_ref()?.default_v_cpus?,
        memory_mib: info.memory_info.as_ref()?.size_in_mib?,
        // `i386` is an additional mode of 64-bit processors, which does not distinguish instance types.
        architectures: architectures.map(|kind| kind.as_str().to_owned()).filter(|kind| kind != "i386").collect(),
    };
    Some((info.instance_type.as_ref()?.as_str().to_owned(), size))
}

fn differences(names: &[String], sizes: &BTreeMap<String, Size>) -> Option<String> {
    let first = names.first()?;
    let expected = sizes.get(first)?;
    let unlike = names.iter().filter_map(|name| Some((name, sizes.get(name)?))).filter(|(_, size)| *size != expected);
    let unlike: Vec<String> = unlike.map(|(name, size)| format!("{name} has {}", size.text(expected))).collect();
    let all = Size::default();
    (!unlike.is_empty()).then(|| {
        format!(
            "The cluster autoscaler assumes that every node of the group has the size of the first instance type: \
             {first} has {}. Other types differ: {}. Nodes may be too small for pending jobs, or be partly unused. Use \
             instance types of the same size.",
            expected.text(&all),
            unlike.join(", ")
        )
    })
}

impl Size {
    /// The values that differ from another size, as text.
    fn text(&self, other: &Self) -> String {
        let mut parts = Vec::new();
        if self.vcpus != other.vcpus {
            parts.push(format!("{} vCPUs", self.vcpus));
        }
        if self.memory_mib != other.memory_mib {
            #[expect(clippy::cast_precision_loss, reason = "memory in MiB is far below 2^52")]
            let gib = self.memory_mib as f64 / 1024.0;
            parts.push(format!("{gib} GiB"));
        }
        if self.architectures != other.architectures {
            parts.push(self.architectures.join(" and "));
        }
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(types: &[(&str, i32, i64, &str)]) -> (Vec<String>, BTreeMap<String, Size>) {
        let size = |(name, vcpus, gib, architecture): &(&str, i32, i64, &str)| {
            let size = Size { vcpus: *vcpus, memory_mib: gib * 1024, architectures: vec![(*architecture).to_owned()] };
            ((*name).to_owned(), size)
        };
        (types.iter().map(|(name, ..)| (*name).to_owned()).collect(), types.iter().map(size).collect())
    }

    #[test]
    fn differences_from_the_first_are_named() {
        let (names, sizes) = sizes(&[
            ("c5a.2xlarge", 8, 16, "x86_64"),
            ("c5.2xlarge", 8, 16, "x86_64"),
            ("m5.2xlarge", 8, 32, "x86_64"),
            ("m6g.xlarge", 4, 16, "arm64"),
        ]);
        let text = differences(&names, &sizes).unwrap();
        assert!(
            text.contains(
                "c5a.2xlarge has 8 vCPUs, 16 GiB, x86_64. Other types differ: m5.2xlarge has 32 GiB, m6g.xlarge has 4 \
                 vCPUs, arm64."
            ),
            "{text}"
        );
    }

    #[test]
    fn equal_or_unknown_values_give_no_warning() {
        let (names, all) = sizes(&[("c5a.2xlarge", 8, 16, "x86_64"), ("c5.2xlarge", 8, 16, "x86_64")]);
        assert_eq!(differences(&names, &all), None);
        assert_eq!(differences(&names, &BTreeMap::new()), None);
    }
}
