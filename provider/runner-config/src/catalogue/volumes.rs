//! `[runners.kubernetes.volumes]`.

use super::*;

pub(super) static VOLUMES: Table = Table {
    groups: &[&[
        tables("host_path", &HOST_PATH, "Directories of the node."),
        tables("pvc", &PVC, "PersistentVolumeClaims."),
        tables("config_map", &CONFIG_MAP, "ConfigMaps as files."),
        tables("secret", &SECRET, "Secrets as files."),
        tables("empty_dir", &EMPTY_DIR, "Empty directories with the lifetime of the pod."),
        tables("csi", &CSI, "Volumes of a CSI driver."),
        tables("nfs", &NFS, "NFS shares.").since(19, 0),
    ]],
};

static PLACE: &[Key] = &[
    text("name", "Name of the volume."),
    text("mount_path", "Path at which the volume is mounted."),
    text("sub_path", "Directory of the volume that is mounted."),
];

static READ_ONLY: &[Key] = &[flag("read_only", "Whether the volume is mounted read-only.")];

const fn propagation() -> Key {
    choice(
        "mount_propagation",
        &["None", "HostToContainer", "Bidirectional"],
        "Mount propagation between container and node.",
    )
}

static ITEMS: &[Key] = &[text_map("items", "Keys to mount, as a map of keys to files.")];

static HOST_PATH: Table = Table {
    groups: &[
        PLACE,
        READ_ONLY,
        &[text("host_path", "Directory of the node. Defaults to the mount path."), propagation().since(17, 8)],
    ],
};

static PVC: Table = Table { groups: &[PLACE, READ_ONLY, &[propagation().since(17, 2)]] };

static CONFIG_MAP: Table = Table { groups: &[PLACE, READ_ONLY, ITEMS] };

static SECRET: Table = Table { groups: &[PLACE, READ_ONLY, ITEMS] };

static EMPTY_DIR: Table = Table {
    groups: &[
        PLACE,
        &[
            text("medium", "Storage medium. `Memory` stores the volume in memory."),
            text("size_limit", "Maximum size, as a Kubernetes quantity.").since(16, 6),
            propagation().since(19, 0),
        ],
    ],
};

static CSI: Table = Table {
    groups: &[
        PLACE,
        &[text("driver", "Name of the driver."), text("fs_type", "Filesystem of the volume.")],
        READ_ONLY,
        &[text_map("volume_attributes", "Settings of the driver.")],
    ],
};

static NFS: Table =
    Table { groups: &[PLACE, &[text("server", "Host of the share."), text("path", "Path of the share.")], READ_ONLY] };
