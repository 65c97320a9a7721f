//! The global section of config.toml, before the first `[[runners]]`.

use super::*;

pub static GLOBAL: Table = Table {
    groups: &[&[
        integer("concurrent", "How many jobs the manager runs at once, over all its runners."),
        integer("check_interval", "Seconds between two requests for new jobs; 3 when unset."),
        Key::new(
            "log_level",
            Kind::Choice(
                Choice::any_case(&["panic", "fatal", "error", "warn", "info", "debug", "trace"]).or(&["warning"]),
            ),
            "Least severe message that is logged.",
        ),
        choice("log_format", &["runner", "text", "json"], "Shape of log lines."),
        integer("shutdown_timeout", "Seconds until a forced stop ends the process; 30 when 0.").since(15, 6),
        text("listen_address", "Address of the Prometheus metrics endpoint, such as :9252."),
        text("sentry_dsn", "Sentry project that receives errors of the manager.").secret(),
        duration("connection_max_age", "Age at which a connection to GitLab is closed and opened anew.").since(16, 9),
        text("user", "Account that runs jobs; of no use to the Kubernetes executor."),
        text_map("labels", "Labels of every runner in this file.").since(18, 5),
        table("session_server", &SESSION_SERVER, "Interactive web terminals of running jobs."),
        table("experimental", &EXPERIMENTAL, "Features that may still change.").since(17, 9),
    ]],
};

static SESSION_SERVER: Table = Table {
    groups: &[&[
        text("listen_address", "Address inside the pod, such as :8093."),
        text("advertise_address", "Address under which GitLab reaches the session server."),
        integer("session_timeout", "Seconds for which a session outlives its job; 1800 when unset."),
    ]],
};

static EXPERIMENTAL: Table =
    Table { groups: &[&[table("usage_logger", &USAGE_LOGGER, "Records what each job used.")]] };

static USAGE_LOGGER: Table = Table {
    groups: &[
        &[
            flag("enabled", "Switches usage records on."),
            texts("writers", "Where records go: logrotate, snowplow_billing.").since(19, 2),
            table("logrotate", &LOGROTATE, "Records in rotated local files.").since(19, 2),
            table("snowplow_billing", &SNOWPLOW, "Records sent to a Snowplow collector.").since(19, 2),
        ],
        LOGROTATE_KEYS,
    ],
};

static LOGROTATE_KEYS: &[Key] = &[
    text("log_dir", "Folder of the record files."),
    integer("max_backup_files", "How many rotated files are kept."),
    duration("max_rotation_age", "Age at which a file is rotated."),
    text_map("labels", "Labels written with every record."),
];

static LOGROTATE: Table = Table { groups: &[LOGROTATE_KEYS] };

static SNOWPLOW: Table = Table {
    groups: &[&[
        text("collector_uri", "Address of the collector."),
        text("app_id", "Application name in the events."),
        text("category", "Event category."),
        text("realm", "Realm in the events."),
        text("deployment_type", "Kind of GitLab installation in the events."),
        text_map("metadata", "Further fields of every event."),
        flag("enable_oidc", "Authenticates to the collector with OIDC."),
        floats("batch_delivery_duration_buckets", "Histogram buckets, in seconds, for the delivery time."),
        flag("skip_oidc_if_unsupported_cloud", "Goes on without OIDC where the cloud has none."),
        flag("skip_runner_system_failure", "Leaves out jobs that failed because of the runner."),
    ]],
};
