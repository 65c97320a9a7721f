//! The remaining parts of the job pod: hosts, services, DNS, hooks, patches, pause pods.

use super::*;

pub(super) static HOST_ALIASES: Table =
    Table { groups: &[&[text("ip", "Address of the hosts."), texts("hostnames", "Their names.")]] };

pub(super) static SERVICES: Table = Table {
    groups: &[&[
        text("name", "Image of the service."),
        text("alias", "Host name under which jobs reach it."),
        texts("command", "Command instead of the image's.").hidden(),
        texts("entrypoint", "Entrypoint instead of the image's.").hidden(),
        texts("environment", "Variables of the service, each as NAME=value.").hidden().since(15, 10),
        text("suspend_data_path", "Folder that is kept when the job is suspended.").since(19, 4),
    ]],
};

pub(super) static DNS_CONFIG: Table = Table {
    groups: &[&[
        texts("nameservers", "Addresses of name servers."),
        tables("options", &DNS_OPTIONS, "Options of the resolver."),
        texts("searches", "Search domains."),
    ]],
};

static DNS_OPTIONS: Table = Table { groups: &[NAME_AND_VALUE] };

static NAME_AND_VALUE: &[Key] = &[text("name", "Name of the entry."), text("value", "Value of the entry.")];

pub(super) static CONTAINER_LIFECYCLE: Table = Table {
    groups: &[&[
        table("post_start", &HANDLER, "Right after the container started."),
        table("pre_stop", &HANDLER, "Before the container is stopped."),
    ]],
};

static HANDLER: Table = Table {
    groups: &[&[
        table("exec", &EXEC, "Runs a command in the container."),
        table("http_get", &HTTP_GET, "Sends an HTTP request."),
        table("tcp_socket", &TCP_SOCKET, "Opens a TCP connection."),
    ]],
};

static EXEC: Table = Table { groups: &[&[texts("command", "Command with its arguments.").hidden()]] };

static HTTP_GET: Table = Table {
    groups: &[&[
        text("host", "Host; the pod's own address when unset."),
        tables("http_headers", &HTTP_HEADERS, "Headers of the request."),
        text("path", "Path of the request."),
        integer("port", "Port of the request."),
        choice("scheme", &["HTTP", "HTTPS"], "Protocol of the request."),
    ]],
};

static HTTP_HEADERS: Table =
    Table { groups: &[&[text("name", "Name of the header."), text("value", "Value of the header.").hidden()]] };

static TCP_SOCKET: Table = Table {
    groups: &[&[text("host", "Host; the pod's own address when unset."), integer("port", "Port of the connection.")]],
};

pub(super) static POD_SPEC: Table = Table {
    groups: &[&[
        text("name", "Name of the patch."),
        text("patch_path", "File with the patch, instead of `patch`."),
        text("patch", "The patch, as JSON or YAML.").hidden(),
        choice("patch_type", &["json", "merge", "strategic"], "How it is applied."),
    ]],
};

pub(super) static AUTOSCALER: Table = Table {
    groups: &[&[
        integer("max_pause_pods", "Most pause pods at once."),
        text("pause_pod_image", "Image of the pause pods."),
        text("pause_pod_priority_class_name", "Their priority class; a given one need not be made."),
        texts("pause_pod_image_pull_secrets", "Secrets for their image.").since(19, 1),
        tables("policy", &AUTOSCALER_POLICY, "How many pause pods at which time; the last match wins."),
    ]],
};

static AUTOSCALER_POLICY: Table = Table {
    groups: &[&[
        texts("periods", "Cron patterns of the times at which it holds."),
        text("timezone", "Time zone of the patterns."),
        integer("idle_count", "Pause pods without any job."),
        duration("idle_time", "How long an unused one is kept; 5m when unset."),
        float("scale_factor", "Pause pods for each running job."),
        integer("scale_factor_limit", "Most pause pods that the factor may ask for."),
        flag("preemptive_mode", "Takes a new job only when its room is ready."),
    ]],
};
