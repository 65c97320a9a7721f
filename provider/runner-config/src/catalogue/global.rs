//! The global section of config.toml, before the first `[[runners]]`.

use super::*;

pub static GLOBAL: Table = Table {
    groups: &[&[
        integer("concurrent", "Maximum number of concurrent jobs of all runners of the manager."),
        integer("check_interval", "Number of seconds between two requests for new jobs. Defaults to 3."),
        Key::new(
            "log_level",
            Kind::Choice(
                Choice::any_case(&["panic", "fatal", "error", "warn", "info", "debug", "trace"]).or(&["warning"]),
            ),
            "Log level.",
        ),
        choice("log_format", &["runner", "text", "json"], "Log format."),
        integer(
            "shutdown_timeout",
            "Number of seconds after which a forceful shutdown ends the process. `0` means 30.",
        )
        .since(15, 6),
        text("listen_address", "Listen address of the Prometheus metrics, for example `:9252`."),
        text("sentry_dsn", "DSN of the Sentry project to which errors of the manager are reported.").secret(),
        duration("connection_max_age", "Maximum age of a connection to GitLab.").since(16, 9),
        text("user", "User that runs the jobs. No effect with the Kubernetes executor."),
        text_map("labels", "Labels of all runners in this file.").since(18, 5),
        table("session_server", &SESSION_SERVER, "Session server for interactive web terminals of jobs."),
        table("experimental", &EXPERIMENTAL, "Experimental features.").since(17, 9),
    ]],
};

static SESSION_SERVER: Table = Table {
    groups: &[&[
        text("listen_address", "Listen address in the pod, for example `:8093`."),
        text("advertise_address", "Address at which GitLab can reach the session server."),
        integer("session_timeout", "Number of seconds for which a session stays open after its job. Defaults to 1800."),
    ]],
};

static EXPERIMENTAL: Table = Table { groups: &[&[table("usage_logger", &USAGE_LOGGER, "Usage records of jobs.")]] };

static USAGE_LOGGER: Table = Table {
    groups: &[
        &[
            flag("enabled", "Whether usage records are enabled."),
            texts("writers", "Targets of the records: `logrotate`, `snowplow_billing`.").since(19, 2),
            table("logrotate", &LOGROTATE, "Records in local files with rotation.").since(19, 2),
            table("snowplow_billing", &SNOWPLOW, "Records for a Snowplow collector.").since(19, 2),
        ],
        LOGROTATE_KEYS,
    ],
};

static LOGROTATE_KEYS: &[Key] = &[
    text("log_dir", "Directory of the record files."),
    integer("max_backup_files", "Maximum number of rotated files."),
    duration("max_rotation_age", "Maximum age of a file before it is rotated."),
    text_map("labels", "Labels of each record."),
];

static LOGROTATE: Table = Table { groups: &[LOGROTATE_KEYS] };

static SNOWPLOW: Table = Table {
    groups: &[&[
        text("collector_uri", "URI of the collector."),
        text("app_id", "Application ID of the events."),
        text("category", "Category of the events."),
        text("realm", "Realm of the events."),
        text("deployment_type", "Type of the GitLab installation in the events."),
        text_map("metadata", "Additional fields of each event."),
        flag("enable_oidc", "Whether the runner authenticates to the collector with OIDC."),
        floats("batch_delivery_duration_buckets", "Histogram buckets of the delivery time, in seconds."),
        flag(
            "skip_oidc_if_unsupported_cloud",
            "Whether the runner continues without OIDC on clouds that do not support it.",
        ),
        flag("skip_runner_system_failure", "Whether jobs that failed because of the runner are omitted."),
    ]],
};
