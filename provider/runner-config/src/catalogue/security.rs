//! Security contexts of the job pod and of its containers.

use super::*;

pub(super) static POD_SECURITY: Table = Table {
    groups: &[
        &[integer("fs_group", "Group that owns the volumes.")],
        IDENTITY,
        &[
            integers("supplemental_groups", "Further groups of every process."),
            text("selinux_type", "SELinux type.").since(15, 3),
        ],
        PROFILES,
    ],
};

pub(super) static CONTAINER_SECURITY: Table = Table {
    groups: &[
        &[
            table("capabilities", &CAPABILITIES, "Linux capabilities."),
            flag("privileged", "Runs the container privileged."),
        ],
        IDENTITY,
        &[
            flag("read_only_root_filesystem", "Makes the image's files read-only."),
            flag("allow_privilege_escalation", "Lets processes gain privileges."),
            text("selinux_type", "SELinux type.").since(15, 3),
            Key::new("proc_mount", Kind::Choice(Choice::any_case(&["Default", "Unmasked"])), "How /proc is mounted.")
                .since(15, 9),
        ],
        PROFILES,
    ],
};

static IDENTITY: &[Key] = &[
    integer("run_as_user", "User id of the processes."),
    integer("run_as_group", "Group id of the processes."),
    flag("run_as_non_root", "Refuses to run as root."),
];

static PROFILES: &[Key] = &[
    table("seccomp_profile", &PROFILE, "Filter of system calls.").since(18, 11),
    table("app_armor_profile", &PROFILE, "AppArmor profile; Kubernetes 1.30 or newer.").since(18, 11),
];

static PROFILE: Table = Table {
    groups: &[&[
        choice("type", &["RuntimeDefault", "Localhost", "Unconfined"], "Which profile."),
        text("localhost_profile", "File or name of a Localhost profile."),
    ]],
};

static CAPABILITIES: Table =
    Table { groups: &[&[texts("add", "Capabilities to add."), texts("drop", "Capabilities to drop.")]] };
