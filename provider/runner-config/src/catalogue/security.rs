//! Security contexts of the job pod and of its containers.

use super::*;

pub(super) static POD_SECURITY: Table = Table {
    groups: &[
        &[integer("fs_group", "Group ID of the files in volumes.")],
        IDENTITY,
        &[
            integers("supplemental_groups", "Supplemental group IDs of the processes."),
            text("selinux_type", "SELinux type.").since(15, 3),
        ],
        PROFILES,
    ],
};

pub(super) static CONTAINER_SECURITY: Table = Table {
    groups: &[
        &[
            table("capabilities", &CAPABILITIES, "Linux capabilities."),
            flag("privileged", "Whether the container is privileged."),
        ],
        IDENTITY,
        &[
            flag("read_only_root_filesystem", "Whether the root filesystem is read-only."),
            flag("allow_privilege_escalation", "Whether processes can gain more privileges than their parent."),
            text("selinux_type", "SELinux type.").since(15, 3),
            Key::new("proc_mount", Kind::Choice(Choice::any_case(&["Default", "Unmasked"])), "Type of the proc mount.")
                .since(15, 9),
        ],
        PROFILES,
    ],
};

static IDENTITY: &[Key] = &[
    integer("run_as_user", "User ID of the processes."),
    integer("run_as_group", "Group ID of the processes."),
    flag("run_as_non_root", "Whether the container must run as a non-root user."),
];

static PROFILES: &[Key] = &[
    table("seccomp_profile", &PROFILE, "Seccomp profile.").since(18, 11),
    table("app_armor_profile", &PROFILE, "AppArmor profile. Requires Kubernetes 1.30 or newer.").since(18, 11),
];

static PROFILE: Table = Table {
    groups: &[&[
        choice("type", &["RuntimeDefault", "Localhost", "Unconfined"], "Type of the profile."),
        text("localhost_profile", "File or name of a `Localhost` profile."),
    ]],
};

static CAPABILITIES: Table =
    Table { groups: &[&[texts("add", "Capabilities to add."), texts("drop", "Capabilities to drop.")]] };
