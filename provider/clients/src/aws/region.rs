//! Names of regions, and the domains of their services.

/// Whether `name` has the format of a region name, such as `eu-west-1` or `us-gov-east-1`.
///
/// Only the format is checked: new regions must work without a new release.
pub(super) fn is_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let [area, middle @ .., number] = parts.as_slice() else {
        return false;
    };
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    (2..=4).contains(&area.len())
        && word(area)
        && !middle.is_empty()
        && middle.iter().all(word)
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

const DOMAIN: &str = "amazonaws.com";

/// Domains of the other partitions, by the prefix of their region names.
const DOMAINS: [(&str, &str); 6] = [
    ("cn-", "amazonaws.com.cn"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("us-iso-", "c2s.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("eusc-", "amazonaws.eu"),
];

/// The domain of the partition that `region` belongs to.
#[must_use]
pub fn dns_suffix(region: &str) -> &'static str {
    DOMAINS.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or(DOMAIN, |(_, domain)| domain)
}

/// Whether a host belongs to AWS, in any partition.
pub(super) fn is_of_aws(host: &str) -> bool {
    let domains = DOMAINS.iter().map(|(_, domain)| *domain).chain([DOMAIN]);
    domains.into_iter().any(|domain| host.strip_suffix(domain).is_some_and(|before| before.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_names_are_validated() {
        let regions =
            ["eu-west-1", "af-south-1", "us-gov-east-1", "us-isob-west-1", "eusc-de-east-1", "cn-northwest-1"];
        assert_eq!(regions.map(is_region), [true; 6]);
        let others = ["", "eu", "eu-west", "eu-west-1a", "EU-WEST-1", "eu--1", "eu-west-1.example.com/"];
        assert_eq!(others.map(is_region), [false; 7]);
    }

    #[test]
    fn domain_follows_the_partition() {
        let regions = ["af-south-1", "us-gov-west-1", "cn-north-1", "us-isob-east-1", "eusc-de-east-1"];
        assert_eq!(
            regions.map(dns_suffix),
            ["amazonaws.com", "amazonaws.com", "amazonaws.com.cn", "sc2s.sgov.gov", "amazonaws.eu"]
        );
    }

    #[test]
    fn aws_hosts_are_recognised() {
        let own = ["c.s3.eu-west-1.amazonaws.com", "s3.amazonaws.com", "s3.cn-north-1.amazonaws.com.cn"];
        assert_eq!(own.map(is_of_aws), [true; 3]);
        assert_eq!(["minio", "127.0.0.1", "notamazonaws.com", "amazonaws.com.example.com"].map(is_of_aws), [false; 4]);
    }
}
