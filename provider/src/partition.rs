//! AWS partitions: their names in ARNs, and their DNS suffixes.

pub(crate) use gitlabspot_clients::aws::dns_suffix;

/// The partition of a region, as in ARNs: `aws`, `aws-cn`, `aws-us-gov`, and so on.
pub(crate) fn name(region: &str) -> &'static str {
    const PARTITIONS: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("us-iso-", "aws-iso"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
    ];
    PARTITIONS.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, name)| name)
}

/// The service principal of EC2 in trust policies. It is not derived from the DNS suffix of the partition: the newer
/// partitions use the principal of `aws`.
pub(crate) fn ec2_principal(region: &str) -> &'static str {
    match name(region) {
        "aws-cn" => "ec2.amazonaws.com.cn",
        "aws-iso" => "ec2.c2s.ic.gov",
        "aws-iso-b" => "ec2.sc2s.sgov.gov",
        _ => "ec2.amazonaws.com",
    }
}

/// A region of each partition, with the name and the DNS suffix of the partition.
#[cfg(test)]
pub(crate) const EACH: [(&str, &str, &str); 8] = [
    ("af-south-1", "aws", "amazonaws.com"),
    ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
    ("us-iso-east-1", "aws-iso", "c2s.ic.gov"),
    ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
    ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"),
    ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"),
    ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partition_follows_the_region() {
        assert_eq!(
            EACH.map(|(region, ..)| (name(region), dns_suffix(region))),
            EACH.map(|(_, name, suffix)| (name, suffix))
        );
    }

    #[test]
    fn ec2_principal_follows_the_partition() {
        let principals = EACH.map(|(region, ..)| ec2_principal(region));
        let named = ["ec2.amazonaws.com.cn", "ec2.amazonaws.com", "ec2.c2s.ic.gov", "ec2.sc2s.sgov.gov"];
        assert_eq!(principals[0], "ec2.amazonaws.com");
        assert_eq!(principals[1..5], named);
        assert_eq!(principals[5..], ["ec2.amazonaws.com"; 3]);
    }

    /// For another partition, the files of docs/permissions only need its name in place of `aws`.
    #[test]
    fn permission_files_fit_every_partition() {
        let files = [
            include_str!("../../docs/permissions/cache_bucket.json"),
            include_str!("../../docs/permissions/node_group.json"),
            include_str!("../../docs/permissions/provider.json"),
            include_str!("../../docs/permissions/runner_credentials.json"),
            include_str!("../../docs/permissions/spot_instance_types.json"),
        ];
        for text in files {
            assert_eq!(text.matches("\"arn:").count(), text.matches("\"arn:aws:").count(), "{text}");
        }
        let node_group: serde_json::Value = serde_json::from_str(files[1]).unwrap();
        let statements = node_group["Statement"].as_array().unwrap();
        let passed_to =
            statements.iter().find_map(|it| it["Condition"]["StringEquals"]["iam:PassedToService"].as_array());
        for (region, ..) in EACH {
            assert!(passed_to.unwrap().contains(&ec2_principal(region).into()), "{region}");
        }
    }
}
