//! The Unix socket, in its own directory, which is deleted when the process ends.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use tokio::net::UnixListener;

use super::{Address, Endpoint, Listener, Placement, TransportError};

/// Short, because the whole path of a socket is limited to about 100 bytes.
const FILE: &str = "s";

/// Binds a socket in a new directory below that of `placement`.
///
/// # Errors
/// If the directory or the socket cannot be created, or the group does not exist.
pub(super) fn bind(placement: &Placement) -> Result<Endpoint, TransportError> {
    let parent = placement.socket_directory.clone().unwrap_or_else(std::env::temp_dir);
    let directory = tempfile::Builder::new()
        .prefix("plugin")
        // A process that can connect can use the credentials of the provider; mutual TLS is the second barrier.
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(&parent)
        .map_err(|source| TransportError::Directory { directory: parent, source })?;
    let path = directory.path().join(FILE);
    let address = match path.to_str() {
        // `|` separates the fields of the handshake line, and a line feed ends it.
        Some(address) if !address.contains(['|', '\n']) => Address { network: "unix", address: address.to_owned() },
        _ => return Err(TransportError::Path { path }),
    };
    let listener = UnixListener::bind(&path).map_err(|source| TransportError::Listen { path: path.clone(), source })?;
    if let Some(group) = &placement.socket_group {
        admit(group, directory.path(), &path)
            .map_err(|source| TransportError::Group { group: group.clone(), source })?;
    }
    Ok(Endpoint { listener: Listener::UnixSocket(listener), address, directory: Some(directory) })
}

/// Grants `group` the permissions to connect: access to the socket, and passage through its directory.
fn admit(group: &str, directory: &Path, socket: &Path) -> io::Result<()> {
    let id = match group.parse() {
        Ok(id) => id,
        Err(_) => group_id(group, &fs::read_to_string("/etc/group")?)
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the group does not exist in /etc/group"))?,
    };
    // 0660 is the mode of the socket in go-plugin too.
    chown(socket, None, Some(id))?;
    fs::set_permissions(socket, Permissions::from_mode(0o660))?;
    chown(directory, None, Some(id))?;
    fs::set_permissions(directory, Permissions::from_mode(0o710))
}

/// Returns the ID of a group. `groups` has lines of the form `name:password:id:members`.
fn group_id(name: &str, groups: &str) -> Option<u32> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;
    use std::path::PathBuf;

    fn bind_in(parent: &Path, group: Option<&str>) -> Result<Endpoint, TransportError> {
        bind(&Placement {
            socket_directory: Some(parent.to_owned()),
            socket_group: group.map(str::to_owned),
            ..Placement::default()
        })
    }

    fn path(endpoint: &Endpoint) -> PathBuf {
        assert_eq!(endpoint.address().network, "unix");
        PathBuf::from(&endpoint.address().address)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[tokio::test]
    async fn directory_is_private_and_deleted_with_the_socket() {
        let parent = tempfile::tempdir().unwrap();
        let socket = bind_in(parent.path(), None).unwrap();
        let path = path(&socket);
        let directory = path.parent().unwrap();
        assert_eq!(directory.parent(), Some(parent.path()));
        assert_eq!(mode(directory), 0o700);

        drop(socket);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn group_can_use_the_socket_but_not_list_the_directory() {
        let parent = tempfile::tempdir().unwrap();
        let own = fs::metadata(parent.path()).unwrap().gid();
        let socket = bind_in(parent.path(), Some(&own.to_string())).unwrap();
        let path = path(&socket);
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o660, 0o710));
        assert_eq!(fs::metadata(&path).unwrap().gid(), own);
    }

    #[tokio::test]
    async fn unusable_directory_or_group_is_named() {
        let parent = tempfile::tempdir().unwrap();
        let error = |parent: &Path, group| bind_in(parent, group).unwrap_err().to_string();

        let missing = parent.path().join("missing");
        assert!(error(&missing, None).contains(&missing.display().to_string()));
        assert!(error(parent.path(), Some("no such group")).contains("the group does not exist"));

        let long = parent.path().join("long".repeat(30));
        fs::create_dir(&long).unwrap();
        assert!(error(&long, None).contains("short path"));

        let odd = parent.path().join("a|b");
        fs::create_dir(&odd).unwrap();
        assert!(error(&odd, None).contains("without '|'"));
    }

    #[test]
    fn group_is_found_by_its_complete_name() {
        let groups = "root:x:0:\nterraformers:x:7:\nterraform:x:991:ci,me\nbroken:x\n";
        assert_eq!(group_id("terraform", groups), Some(991));
        assert_eq!(group_id("broken", groups), None);
        assert_eq!(group_id("absent", groups), None);
    }
}
