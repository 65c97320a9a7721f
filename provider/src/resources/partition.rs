//! AWS partitions: what stands in ARNs, and the domain of the services.

pub(crate) use crate::clients::aws::dns_suffix;

/// The partition of a region, as it stands in ARNs: `aws`, `aws-cn`, `aws-us-gov`, and so on.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_of_regions() {
        assert_eq!(["eu-west-1", "cn-north-1", "us-gov-west-1"].map(name), ["aws", "aws-cn", "aws-us-gov"]);
    }
}
