//! Versions of GitLab Runner that affect the configuration.

use std::fmt;

/// The patch release of [`RunnerVersion::DEFAULT`].
pub const DEFAULT_RELEASE: &str = "19.3.0";

/// Major and minor version. Patch releases do not add configuration keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunnerVersion {
    pub major: u16,
    pub minor: u16,
}

impl RunnerVersion {
    /// The version of keys that every supported runner has.
    pub const ANY: Self = Self::new(0, 0);

    /// An unknown version, which accepts every key.
    pub const UNKNOWN: Self = Self::new(u16::MAX, 0);

    /// The oldest version that this provider supports.
    pub const OLDEST: Self = Self::new(15, 0);

    /// The first version that expands environment variables in `token` and `url`, so that a complete config.toml needs
    /// no registration.
    pub const EXPANDS_TOKEN: Self = Self::new(18, 10);

    /// The default version; [`DEFAULT_RELEASE`] is its patch release.
    pub const DEFAULT: Self = Self::new(19, 3);

    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// The version in a tag of the official image, `alpine-v19.3.0` or `v19.3.0`, or of a mirror without the `v`.
    /// Versions before [`Self::OLDEST`] are ignored: the image then has its own version numbers.
    pub fn of_image_tag(tag: &str) -> Option<Self> {
        let parts = || tag.split(['-', '_']);
        let marked = parts().find_map(|part| Self::parse(part.strip_prefix('v')?));
        let bare = || parts().filter(|part| part.split('.').count() == 3).find_map(Self::parse);
        marked.or_else(bare).filter(|version| *version >= Self::OLDEST)
    }

    /// The version in an image reference or a tag, if it is older than [`Self::OLDEST`]. Versions before 9 are those of
    /// other images: GitLab Runner had none between 1.11 and 9.0.
    pub fn too_old(image: &str) -> Option<Self> {
        let tag = image.rsplit(['/', ':']).next().unwrap_or(image);
        let version = tag.split(['-', '_']).find_map(|part| Self::parse(part.strip_prefix('v')?))?;
        (version >= Self::new(9, 0) && version < Self::OLDEST).then_some(version)
    }

    /// The version in an image reference.
    pub fn of_image(image: &str) -> Option<Self> {
        // The registry can contain a colon as well, before its port, and a digest can follow the tag.
        let name = image.rsplit('/').next().unwrap_or(image);
        let name = name.split('@').next().unwrap_or(name);
        Self::of_image_tag(name.split_once(':')?.1)
    }

    /// The version in an image reference, or in a tag if there is no reference.
    pub fn of_image_or_tag(image: Option<&str>, tag: Option<&str>) -> Option<Self> {
        match image {
            Some(image) => Self::of_image(image),
            None => Self::of_image_tag(tag?),
        }
    }

    /// Parses `19.3.0`, `v19.3.0` or `19.3`. `None` for other formats.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?.parse().ok()?;
        match (parts.next(), parts.next()) {
            (None, None) => Some(Self { major, minor }),
            (Some(patch), None) if patch.starts_with(|c: char| c.is_ascii_digit()) => Some(Self { major, minor }),
            _ => None,
        }
    }
}

impl fmt::Display for RunnerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_spellings_are_parsed() {
        let expected = Some(RunnerVersion::new(19, 3));
        for text in ["19.3.0", "v19.3.0", "19.3", "19.3.0-rc1"] {
            assert_eq!(RunnerVersion::parse(text), expected, "{text}");
        }
        for text in ["", "19", "latest", "19.x", "19.3.", "19.3.0.1"] {
            assert_eq!(RunnerVersion::parse(text), None, "{text}");
        }
    }

    #[test]
    fn version_is_found_in_an_image_tag() {
        let expected = Some(RunnerVersion::new(18, 9));
        for tag in
            ["alpine-v18.9.0", "v18.9.0", "ubi-fips-v18.9.0", "alpine3.21-v18.9.1", "18.9.0", "18.9.0-debian-12-r3"]
        {
            assert_eq!(RunnerVersion::of_image_tag(tag), expected, "{tag}");
        }
        for tag in ["latest", "alpine-bleeding", "18.9", "1.2.3", ""] {
            assert_eq!(RunnerVersion::of_image_tag(tag), None, "{tag}");
        }
        assert_eq!(RunnerVersion::parse(DEFAULT_RELEASE), Some(RunnerVersion::DEFAULT));
    }

    #[test]
    fn versions_that_are_too_old_are_found() {
        let expected = Some(RunnerVersion::new(13, 5));
        for image in ["alpine-v13.5.0", "host:5000/a/b:alpine-v13.5.0", "a:v13.5.0-x"] {
            assert_eq!(RunnerVersion::too_old(image), expected, "{image}");
        }
        for image in ["alpine-v15.0.0", "a:v1.4.2", "a:13.5.0", "v13.5.0/a", ""] {
            assert_eq!(RunnerVersion::too_old(image), None, "{image}");
        }
    }

    #[test]
    fn versions_are_ordered_by_major_and_minor() {
        assert!(RunnerVersion::new(18, 11) < RunnerVersion::new(19, 0));
        assert!(RunnerVersion::ANY < RunnerVersion::EXPANDS_TOKEN);
    }
}
