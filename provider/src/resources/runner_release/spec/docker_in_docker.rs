//! Configuration that a job requires for `docker build` with a `docker:dind` service.

use toml::{Table, Value};

use super::super::schema::DockerInDockerSettings;

/// Returns the `[[runners]]` keys: variables of the client, privileged containers and the volume of the certificates.
///
/// The service itself is part of the job, which specifies it in `.gitlab-ci.yml`.
pub fn runner(docker: &DockerInDockerSettings) -> Table {
    let tls = docker.tls.unwrap_or(true);
    let environment: &[&str] = if tls {
        &[
            "DOCKER_HOST=tcp://docker:2376",
            "DOCKER_TLS_CERTDIR=/certs",
            "DOCKER_TLS_VERIFY=1",
            "DOCKER_CERT_PATH=$DOCKER_TLS_CERTDIR/client",
        ]
    } else {
        // The daemon creates certificates unless this variable is set and empty.
        &["DOCKER_HOST=tcp://docker:2375", "DOCKER_TLS_CERTDIR="]
    };
    let mut kubernetes = toml::toml! { privileged = true };
    if let Some(image) = &docker.image {
        kubernetes.insert("image".into(), Value::from(image.as_str()));
    }
    if tls {
        let volumes = toml::toml! {
            empty_dir = [{ name = "certs", mount_path = "/certs/client", medium = "Memory" }]
        };
        kubernetes.insert("volumes".into(), Value::Table(volumes));
    }
    let mut runner = Table::new();
    let environment = environment.iter().copied().map(Value::from);
    runner.insert("environment".into(), Value::Array(environment.collect()));
    runner.insert("kubernetes".into(), Value::Table(kubernetes));
    runner
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_tls_there_are_no_certificates() {
        let docker = DockerInDockerSettings { image: Some("docker:27".into()), tls: Some(false) };
        assert_eq!(
            runner(&docker),
            toml::toml! {
                environment = ["DOCKER_HOST=tcp://docker:2375", "DOCKER_TLS_CERTDIR="]
                kubernetes = { privileged = true, image = "docker:27" }
            }
        );
    }
}
