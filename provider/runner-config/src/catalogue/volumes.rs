//! `[runners.kubernetes.volumes]`.

use super::*;

pub(super) static VOLUMES: Table = Table {
    groups: &[&[
        tables("host_path", &HOST_PATH, "Folders of the node."),
        tables("pvc", &PVC, "Persistent volume claims."),
        tables("config_map", &CONFIG_MAP, "ConfigMaps as files."),
        tables("secret", &SECRET, "Secrets as files."),
        tables("empty_dir", &EMPTY_DIR, "Empty folders that live as long as the pod."),
        tables("csi", &CSI, "Volumes of a CSI driver."),
        tables("nfs", &NFS, "NFS shares.").since(19, 0),
    ]],
};

static PLACE: &[Key] = &[
    text("name", "Name of the volume."),
    text("mount_path", "Where it is mounted."),
    text("sub_path", "Folder of the volume that is mounted."),
];

static READ_ONLY: &[Key] = &[flag("read_only", "Mounts it read-only.")];

const fn propagation() -> Key {
    choice(
        "mount_propagation",
        &["None", "HostToContainer", "Bidirectional"],
        "Whether later mounts inside it are shared with the node.",
    )
}

static ITEMS: &[Key] = &[text_map("items", "Keys to mount and the file of each.")];

static HOST_PATH: Table = Table {
    groups: &[
        PLACE,
        READ_ONLY,
        &[text("host_path", "Folder on the node; the mount path when unset."), propagation().since(17, 8)],
    ],
};

static PVC: Table = Table { groups: &[PLACE, READ_ONLY, &[propagation().since(17, 2)]] };

static CONFIG_MAP: Table = Table { groups: &[PLACE, READ_ONLY, ITEMS] };

static SECRET: Table = Table { groups: &[PLACE, READ_ONLY, ITEMS] };

static EMPTY_DIR: Table = Table {
    groups: &[
        PLACE,
        &[
            text("medium", "\"Memory\" keeps it in memory."),
            text("size_limit", "Largest size, as a Kubernetes quantity.").since(16, 6),
            propagation().since(19, 0),
        ],
    ],
};

static CSI: Table = Table {
    groups: &[
        PLACE,
        &[text("driver", "Name of the driver."), text("fs_type", "File system of the volume.")],
        READ_ONLY,
        &[text_map("volume_attributes", "Settings of the driver.")],
    ],
};

static NFS: Table =
    Table { groups: &[PLACE, &[text("server", "Host of the share."), text("path", "Path of the share.")], READ_ONLY] };
