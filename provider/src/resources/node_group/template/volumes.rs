//! EBS volumes of the nodes, and their limits in EC2.

use serde::Serialize;
use tfplugin::framework::{AttributePath, Diagnostics, Value};

use super::schema::{RootVolume, Template};
use super::user_data::Family;

/// A volume as it is requested from EC2.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Volume {
    pub(super) device: String,
    pub(super) size: Option<i32>,
    pub(super) r#type: Option<String>,
    pub(super) iops: Option<i32>,
    pub(super) throughput: Option<i32>,
    pub(super) encrypted: Option<bool>,
    pub(super) kms_key_id: Option<String>,
}

/// The volumes of a template, the root volume first; `None` while a part of them is unknown.
pub(super) fn of(template: &Template, family: Family) -> Option<Vec<Volume>> {
    let root = match &template.root_volume {
        Value::Unknown => return None,
        Value::Null => None,
        Value::Known(root) => Some(volume(&family.root_device().into(), root)?),
    };
    let further = match &template.volumes {
        Value::Unknown => return None,
        Value::Null => Vec::new(),
        Value::Known(volumes) => volumes
            .iter()
            .filter(|volume| !volume.is_null())
            .map(|one| {
                let one = one.known()?;
                volume(&one.device_name, &like_root(one))
            })
            .collect::<Option<_>>()?,
    };
    Some(root.into_iter().chain(further).collect())
}

fn like_root(volume: &super::schema::Volume) -> RootVolume {
    let super::schema::Volume { device_name: _, size, r#type, iops, throughput, encrypted, kms_key_id } =
        volume.clone();
    RootVolume { size, r#type, iops, throughput, encrypted, kms_key_id }
}

fn volume(device: &Value<String>, of: &RootVolume) -> Option<Volume> {
    let RootVolume { size, r#type, iops, throughput, encrypted, kms_key_id } = of;
    let number = |value: &Value<i64>| match value {
        Value::Unknown => None,
        Value::Null => Some(None),
        Value::Known(number) => Some(Some(i32::try_from(*number).unwrap_or(i32::MAX))),
    };
    Some(Volume {
        device: device.known()?.clone(),
        size: number(size)?,
        r#type: Some(super::text(r#type)?.unwrap_or_else(|| "gp3".to_owned())),
        iops: number(iops)?,
        throughput: number(throughput)?,
        encrypted: match encrypted {
            Value::Unknown => return None,
            other => other.known().copied(),
        },
        kms_key_id: super::text(kms_key_id)?,
    })
}

/// The attributes for these volumes.
pub(super) fn attributes(volumes: &[Volume], family: Family) -> (Value<RootVolume>, Vec<super::schema::Volume>) {
    let attribute = |volume: &Volume| RootVolume {
        size: volume.size.map(i64::from).into(),
        r#type: volume.r#type.as_deref().unwrap_or("gp3").into(),
        iops: volume.iops.map(i64::from).into(),
        throughput: volume.throughput.map(i64::from).into(),
        encrypted: volume.encrypted.into(),
        kms_key_id: volume.kms_key_id.clone().into(),
    };
    let (root, further): (Vec<_>, Vec<_>) = volumes.iter().partition(|volume| volume.device == family.root_device());
    let further = further.into_iter().map(|volume| {
        let RootVolume { size, r#type, iops, throughput, encrypted, kms_key_id } = attribute(volume);
        let device_name = volume.device.as_str().into();
        super::schema::Volume { device_name, size, r#type, iops, throughput, encrypted, kms_key_id }
    });
    (root.first().map(|volume| attribute(volume)).into(), further.collect())
}

/// Limits of a volume type: sizes in GiB, IOPS, IOPS for each GiB, and throughput in MiB/s.
struct Offer {
    name: &'static str,
    sizes: (i64, i64),
    iops: Option<(i64, i64)>,
    iops_of_a_gib: i64,
    throughput: Option<(i64, i64)>,
    can_boot: bool,
}

/// Source: "Amazon EBS volume types" in the user guide of Amazon EBS.
const OFFERS: [Offer; 7] = [
    provisioned("gp3", (1, 65_536), (3_000, 80_000), 500, Some((125, 2_000))),
    plain("gp2", (1, 16_384), true),
    provisioned("io2", (4, 65_536), (100, 256_000), 1_000, None),
    provisioned("io1", (4, 16_384), (100, 64_000), 50, None),
    plain("st1", (125, 16_384), false),
    plain("sc1", (125, 16_384), false),
    plain("standard", (1, 1_024), true),
];

const fn plain(name: &'static str, sizes: (i64, i64), can_boot: bool) -> Offer {
    Offer { name, sizes, iops: None, iops_of_a_gib: 0, throughput: None, can_boot }
}

const fn provisioned(
    name: &'static str,
    sizes: (i64, i64),
    iops: (i64, i64),
    iops_of_a_gib: i64,
    throughput: Option<(i64, i64)>,
) -> Offer {
    Offer { name, sizes, iops: Some(iops), iops_of_a_gib, throughput, can_boot: true }
}

/// Minimum size of the root volume in GiB: that of its snapshot, with Amazon Linux 2023 and with Bottlerocket.
const SMALLEST_ROOT: i64 = 20;

/// Checks the root volume and the additional ones.
pub(super) fn check(template: &Template, family: Family, path: &AttributePath, diagnostics: &mut Diagnostics) {
    if let Value::Known(root) = &template.root_volume {
        let path = path.attribute("root_volume");
        check_one(root, &path, true, diagnostics);
        if family.has_settings() && root.size.known().is_some_and(|size| (1..SMALLEST_ROOT).contains(size)) {
            let text = format!("The volume is created from a snapshot of {SMALLEST_ROOT} GiB and cannot be smaller.");
            diagnostics.error(path.attribute("size"), "Invalid volume", text);
        }
    }
    let mut devices = std::collections::BTreeSet::from([family.root_device().to_owned()]);
    for (index, volume) in template.volumes.known().into_iter().flatten().enumerate() {
        let Value::Known(volume) = volume else { continue };
        let path = path.attribute("volumes").index(index);
        check_one(&like_root(volume), &path, false, diagnostics);
        let Some(device) = volume.device_name.as_str() else { continue };
        if !is_device(device) {
            let text = format!(
                "{device:?} is not a device name. Use \"/dev/xvdf\" to \"/dev/xvdp\", or \"/dev/sdf\" to \"/dev/sdp\"."
            );
            diagnostics.error(path.attribute("device_name"), "Invalid volume", text);
        } else if !devices.insert(device.to_owned()) {
            let text = format!(
                "The device {device} is used by another volume of the template, or by the root volume. Choose another \
                 device."
            );
            diagnostics.error(path.attribute("device_name"), "Invalid volume", text);
        }
    }
}

fn is_device(name: &str) -> bool {
    let rest = name.strip_prefix("/dev/xvd").or_else(|| name.strip_prefix("/dev/sd")).unwrap_or_default();
    (1..=2).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn check_one(volume: &RootVolume, path: &AttributePath, is_root: bool, diagnostics: &mut Diagnostics) {
    let mut wrong = |attribute: &'static str, text: String| {
        diagnostics.error(path.attribute(attribute), "Invalid volume", text);
    };
    if volume.kms_key_id.known().is_some() && matches!(volume.encrypted, Value::Null | Value::Known(false)) {
        wrong("kms_key_id", "A KMS key needs encrypted = true.".to_owned());
    }
    let kind = match &volume.r#type {
        Value::Unknown => return,
        Value::Null => "gp3",
        Value::Known(kind) => kind.as_str(),
    };
    let Some(offer) = OFFERS.iter().find(|offer| offer.name == kind && (offer.can_boot || !is_root)) else {
        let known: Vec<&str> =
            OFFERS.iter().filter(|offer| offer.can_boot || !is_root).map(|offer| offer.name).collect();
        let what = if is_root { "a type of a root volume" } else { "a volume type" };
        wrong("type", format!("{kind:?} is not {what}. Use one of: {}.", known.join(", ")));
        return;
    };
    let size = volume.size.known().copied();
    if let Some(size) = size
        && !(offer.sizes.0..=offer.sizes.1).contains(&size)
    {
        let (least, most) = offer.sizes;
        wrong("size", format!("{size} GiB is not between {least} and {most} GiB, the limits of a {kind} volume."));
    }
    let iops = volume.iops.known().copied();
    match (iops, offer.iops) {
        (Some(_), None) => wrong("iops", format!("A {kind} volume does not support iops. Omit it, or use gp3.")),
        (Some(iops), Some((least, most))) if !(least..=most).contains(&iops) => {
            wrong("iops", format!("{iops} IOPS is not between {least} and {most}, the limits of a {kind} volume."));
        }
        (Some(iops), Some((least, _))) if size.is_some_and(|size| iops > (size * offer.iops_of_a_gib).max(least)) => {
            let most = offer.iops_of_a_gib;
            wrong("iops", format!("{iops} IOPS is more than {most} for each GiB of the volume's size."));
        }
        (None, Some(_)) if kind.starts_with("io") && volume.iops.is_null() => {
            wrong("iops", format!("A {kind} volume needs iops."));
        }
        _ => {}
    }
    match (volume.throughput.known().copied(), offer.throughput) {
        (Some(_), None) => wrong("throughput", format!("A {kind} volume does not support throughput. Only gp3 does.")),
        (Some(throughput), Some((least, most))) if !(least..=most).contains(&throughput) => {
            wrong(
                "throughput",
                format!(
                    "{throughput} MiB/s is not between {least} and {most}, the limits of a {kind} \
                volume."
                ),
            );
        }
        (Some(throughput), Some(_)) if !volume.iops.is_unknown() && throughput * 4 > iops.unwrap_or(3_000) => {
            let needed = throughput * 4;
            wrong(
                "throughput",
                format!("{throughput} MiB/s needs at least {needed} IOPS, 4 for each MiB/s. Set iops."),
            );
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(template: &Template) -> Vec<String> {
        let mut diagnostics = Diagnostics::new();
        check(template, Family::AmazonLinux2023, &AttributePath::of("template"), &mut diagnostics);
        diagnostics.iter().map(|problem| format!("{}: {}", problem.path, problem.detail)).collect()
    }

    fn root(root: RootVolume) -> Vec<String> {
        problems(&Template { root_volume: Value::Known(root), ..Template::default() })
    }

    fn sized(size: i64, kind: &str) -> RootVolume {
        RootVolume { size: size.into(), r#type: kind.into(), ..RootVolume::default() }
    }

    #[test]
    fn parameters_within_ec2_limits_are_valid() {
        assert_eq!(root(sized(80, "gp3")), [""; 0]);
        assert_eq!(root(RootVolume { iops: 16_000.into(), throughput: 1_000.into(), ..sized(200, "gp3") }), [""; 0]);
        assert_eq!(root(RootVolume { iops: 6_400.into(), ..sized(128, "io1") }), [""; 0]);
        let key = || Value::from("alias/ci");
        assert_eq!(root(RootVolume { encrypted: true.into(), kms_key_id: key(), ..sized(80, "gp3") }), [""; 0]);
        assert_eq!(root(RootVolume { size: Value::Unknown, iops: Value::Unknown, ..sized(1, "io2") }), [""; 0]);
    }

    #[test]
    fn settings_rejected_by_ec2_at_launch_are_refused() {
        let first = |volume: RootVolume| root(volume).into_iter().next().unwrap_or_default();
        assert!(first(sized(8, "gp3")).contains("snapshot of 20 GiB"));
        assert!(first(sized(100, "ssd")).contains("Use one of: gp3, gp2, io2, io1, standard."));
        assert!(first(sized(500, "st1")).contains("not a type of a root volume"));
        assert!(first(sized(70_000, "gp3")).contains("not between 1 and 65536 GiB"));
        assert!(first(sized(100, "io1")).contains("needs iops"));
        assert!(first(RootVolume { iops: 3_000.into(), ..sized(100, "gp2") }).contains("does not support iops"));
        assert!(first(RootVolume { iops: 2_000.into(), ..sized(100, "gp3") }).contains("not between 3000 and 80000"));
        assert!(first(RootVolume { iops: 6_000.into(), ..sized(100, "io1") }).contains("more than 50 for each GiB"));
        assert!(first(RootVolume { throughput: 1_000.into(), ..sized(100, "gp3") }).contains("at least 4000 IOPS"));
        assert!(first(RootVolume { throughput: 200.into(), ..sized(100, "gp2") }).contains("Only gp3 does"));
        assert!(first(RootVolume { kms_key_id: "k".into(), ..sized(100, "gp3") }).contains("encrypted = true"));
    }

    #[test]
    fn devices_are_used_once() {
        let volume = |device: &str| {
            let device_name = device.into();
            Value::Known(super::super::schema::Volume { device_name, size: 100.into(), ..Default::default() })
        };
        let of = |devices: &[&str]| {
            let volumes = devices.iter().map(|device| volume(device)).collect();
            problems(&Template { volumes: Value::Known(volumes), ..Template::default() })
        };
        assert_eq!(of(&["/dev/xvdf", "/dev/sdg"]), [""; 0]);
        assert!(of(&["/dev/xvda"])[0].starts_with("template.volumes[0].device_name: The device /dev/xvda is used"));
        assert_eq!(of(&["/dev/xvdf", "/dev/xvdf"]).len(), 1);
        assert!(of(&["nvme1n1"])[0].contains("not a device name"));
    }

    #[test]
    fn volumes_are_read_back_as_attributes() {
        let template = Template {
            root_volume: Value::Known(RootVolume { iops: 4_000.into(), ..sized(80, "gp3") }),
            volumes: Value::Known(vec![Value::Known(super::super::schema::Volume {
                device_name: "/dev/xvdf".into(),
                size: 500.into(),
                r#type: "st1".into(),
                encrypted: true.into(),
                ..Default::default()
            })]),
            ..Template::default()
        };
        for family in [Family::AmazonLinux2023, Family::Bottlerocket] {
            let volumes = of(&template, family).unwrap();
            assert_eq!(volumes[0].device, family.root_device());
            let (root, further) = attributes(&volumes, family);
            assert_eq!(root, template.root_volume);
            let further: Vec<_> = further.into_iter().map(Value::Known).collect();
            assert_eq!(Value::Known(further), template.volumes);
        }
    }
}
