//! `[[runners]]` and its small tables.

use super::cache::CACHE;
use super::kubernetes::KUBERNETES;
use super::*;

pub static RUNNER: Table = Table { groups: &[IDENTITY, LIMITS, JOBS, TABLES] };

static IDENTITY: &[Key] = &[
    text("name", "Name of the runner, shown in GitLab and in logs."),
    text("url", "URL of GitLab."),
    integer("id", "ID of the runner in GitLab.").since(15, 3),
    text("token", "Authentication token of the runner.").secret(),
    timestamp("token_obtained_at", "Creation time of the token.").since(15, 3),
    timestamp("token_expires_at", "Expiry time of the token.").since(15, 3),
    text("tls-ca-file", "File with the certificate authorities for the certificate of GitLab.").hcl("tls_ca_file"),
    text("tls-cert-file", "File with the client certificate for GitLab.").hcl("tls_cert_file"),
    text("tls-key-file", "File with the key of the client certificate.").hcl("tls_key_file"),
    text_map("labels", "Labels of this runner. They take precedence over the global ones.").since(18, 5),
];

static LIMITS: &[Key] = &[
    integer("limit", "Maximum number of concurrent jobs of this runner. `0` means no limit other than `concurrent`."),
    integer("output_limit", "Maximum size of a job log in kilobytes."),
    integer("request_concurrency", "Maximum number of concurrent requests for new jobs."),
    flag("strict_check_interval", "Whether the runner never requests jobs more often than `check_interval`.")
        .since(18, 9),
    integer("unhealthy_requests_limit", "Number of consecutive failed requests after which the runner pauses.")
        .since(15, 7),
    duration("unhealthy_interval", "Duration of the pause after `unhealthy_requests_limit`.").since(15, 7),
    integer("job_status_final_update_retry_limit", "Maximum number of retries of the final status update of a job.")
        .since(17, 9),
];

static JOBS: &[Key] = &[
    choice("executor", &["kubernetes"], "Executor, always `kubernetes`."),
    text("builds_dir", "Directory of the checked-out projects."),
    text("cache_dir", "Directory of local caches."),
    text("clone_url", "URL from which repositories are cloned, instead of the one that GitLab specifies."),
    texts("environment", "Environment variables of all jobs, each as `NAME=value`.").hidden(),
    flag("proxy_exec", "Whether commands are run through the binary of the runner (experimental).").since(17, 10),
    text("pre_clone_script", "Commands before the repository is fetched.").hidden().until(
        16,
        11,
        "pre_get_sources_script",
    ),
    text("post_clone_script", "Commands after the repository is fetched.").hidden().until(
        16,
        11,
        "post_get_sources_script",
    ),
    text("pre_get_sources_script", "Commands before the repository is fetched.").hidden().since(15, 9),
    text("post_get_sources_script", "Commands after the repository is fetched.").hidden().since(15, 9),
    text("pre_build_script", "Commands before the job's script.").hidden(),
    text("post_build_script", "Commands after the job's script, before after_script.").hidden(),
    duration("prepare_timeout", "Timeout of the preparation of a job.").since(19, 0),
    duration("get_sources_timeout", "Timeout of fetching the repository.").since(19, 1),
    flag("debug_trace_disabled", "Whether `CI_DEBUG_TRACE` is disabled in jobs."),
    flag(
        "safe_directory_checkout",
        "Whether the checkout is marked as a safe directory in the global Git configuration.",
    )
    .since(16, 3),
    flag("clean_git_config", "Whether the Git configuration is cleaned before and after a job.").since(17, 10),
    choice("shell", &["bash", "sh", "cmd", "pwsh", "powershell"], "Shell of the job scripts."),
    text("step_runner_image", "Image that contains the step-runner binary.").since(17, 9),
    flag("use_slot_cgroups", "Whether control groups are named after the job slot.").since(18, 6),
    text("slot_cgroup_template", "Template of the names of control groups, which contains `${slot}`.").since(18, 6),
    flag_map("feature_flags", "Feature flags. Jobs cannot change the flags that are set here."),
];

static TABLES: &[Key] = &[
    table("custom_build_dir", &CUSTOM_BUILD_DIR, "Settings of `GIT_CLONE_PATH` in jobs."),
    table("cache", &CACHE, "Distributed cache of the jobs."),
    table("artifact", &ARTIFACT, "Timeouts of artifact uploads.").since(18, 10),
    table("referees", &REFEREES, "Metrics that are added to the artifacts of a job."),
    table("monitoring", &MONITORING, "Additional metrics of this runner (experimental).").since(16, 10),
    table("experimental", &EXPERIMENTAL, "Experimental features.").since(19, 2),
    table("kubernetes", &KUBERNETES, "Settings of job pods."),
];

static CUSTOM_BUILD_DIR: Table = Table { groups: &[&[flag("enabled", "Whether jobs can set `GIT_CLONE_PATH`.")]] };

static ARTIFACT: Table = Table {
    groups: &[&[
        duration("upload_timeout", "Timeout of an upload."),
        duration("response_header_timeout", "Timeout of the response of GitLab to an upload."),
    ]],
};

static REFEREES: Table =
    Table { groups: &[&[table("metrics", &METRICS_REFEREE, "Prometheus queries about the job.")]] };

static METRICS_REFEREE: Table = Table {
    groups: &[&[
        text("prometheus_address", "Address of the Prometheus server."),
        integer("query_interval", "Number of seconds between two data points."),
        texts("queries", "Queries, each as `name:expression`."),
    ]],
};

static MONITORING: Table = Table {
    groups: &[&[tables(
        "job_queuing_durations",
        &JOB_QUEUING_DURATIONS,
        "Counters of jobs that were queued for too long.",
    )]],
};

static JOB_QUEUING_DURATIONS: Table = Table {
    groups: &[&[
        texts("periods", "Cron expressions of the times at which this entry applies."),
        text("timezone", "Time zone of the cron expressions."),
        duration("threshold", "Queuing time above which a job is counted."),
        text("jobs_running_for_project", "Pattern of the number of running jobs of the project."),
    ]],
};

static EXPERIMENTAL: Table =
    Table { groups: &[&[table("boot_verify", &BOOT_VERIFY, "Verification of the runner before it accepts jobs.")]] };

static BOOT_VERIFY: Table = Table {
    groups: &[&[
        flag("enabled", "Whether the verification is enabled."),
        duration("timeout", "Timeout of the verification."),
        duration("acquire_min_backoff", "Minimum pause between two attempts."),
        duration("acquire_max_backoff", "Maximum pause between two attempts."),
    ]],
};
