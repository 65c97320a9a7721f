//! Selection of the proxy for the API server.
//!
//! kube's own selection compares `NO_PROXY` with the address of the proxy instead of the server.

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

use crate::environment::Environment;
use crate::error::ClientError;
use crate::no_proxy;

/// This machine, which a proxy would resolve to itself.
const DIRECT: &str = "localhost,127.0.0.0/8,::1";

/// The proxy to `server`: the configured one, or that of the environment unless `NO_PROXY` contains the server.
///
/// # Errors
/// [`ClientError::InvalidSetting`]; it does not contain the URL, which may contain a password.
pub(super) fn choose(named: Option<&str>, environment: &Environment, server: &Uri) -> Result<Option<Uri>, ClientError> {
    if let Some(named) = named.filter(|url| !url.is_empty()) {
        return parse(named).map(Some).ok_or_else(|| ClientError::InvalidSetting {
            setting: "proxy_url",
            reason: "it is not a URL such as \"http://proxy.example.com:3128\" or \"socks5://localhost:1080\""
                .to_owned(),
        });
    }
    let names = match server.scheme_str() {
        Some("http") => ["HTTP_PROXY", "http_proxy"],
        _ => ["HTTPS_PROXY", "https_proxy"],
    };
    let Some(proxy) = environment.first(&names) else { return Ok(None) };
    // Proxy variables often contain only a host and a port.
    let proxy = if proxy.contains("://") { proxy } else { format!("http://{proxy}") };
    let exceptions = environment.first(&["NO_PROXY", "no_proxy"]);
    let exceptions =
        exceptions.map_or_else(|| DIRECT.to_owned(), |rules| format!("{},{DIRECT}", no_proxy::domains(&rules)));
    let matcher = Matcher::builder().all(proxy.as_str()).no(exceptions).build();
    if matcher.intercept(server).is_none() {
        return Ok(None);
    }
    let invalid = || ClientError::InvalidSetting {
        setting: "proxy_url",
        reason: format!("it is set by {}, which is not a URL such as \"http://proxy.example.com:3128\"", names[0]),
    };
    parse(&proxy).map(Some).ok_or_else(invalid)
}

fn parse(url: &str) -> Option<Uri> {
    let uri: Uri = url.parse().ok()?;
    let known = ["http", "https", "socks5"].contains(&uri.scheme_str()?);
    (known && uri.host().is_some_and(|host| !host.is_empty())).then_some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(named: Option<&str>, variables: [(&str, &str); 3], server: &str) -> Result<Option<String>, String> {
        let chosen = choose(named, &Environment::fixed(variables), &server.parse().unwrap());
        chosen.map(|proxy| proxy.map(|uri| uri.to_string())).map_err(|error| error.to_string())
    }

    #[test]
    fn configured_proxy_overrides_the_environment() {
        let variables = [("HTTPS_PROXY", "http://other:1"), ("NO_PROXY", "*"), ("", "")];
        let proxy = Some("socks5://localhost:1080");
        assert_eq!(chosen(proxy, variables, "https://127.0.0.1:6443"), Ok(Some("socks5://localhost:1080/".to_owned())));
    }

    #[test]
    fn proxy_of_the_environment_follows_scheme_and_no_proxy() {
        let variables = [
            ("HTTPS_PROXY", "secure.proxy:3128"),
            ("http_proxy", "http://plain:80"),
            ("NO_PROXY", ".svc,10.0.0.0/8, *.internal.example"),
        ];
        let servers = [
            "https://prod.example.com",
            "http://prod.example.com",
            "https://kubernetes.default.svc",
            "https://prod.internal.example",
            "https://10.1.2.3:6443",
            "https://127.0.0.1:6443",
            "https://localhost",
            "https://[::1]:6443",
        ];
        let found = servers.map(|server| chosen(None, variables, server).unwrap());
        let proxy = |text: &str| Some(text.to_owned());
        assert_eq!(
            found,
            [proxy("http://secure.proxy:3128/"), proxy("http://plain:80/"), None, None, None, None, None, None]
        );
    }

    #[test]
    fn invalid_proxy_url_is_refused_without_its_password() {
        let nothing = [("", ""); 3];
        assert_eq!(
            chosen(Some("ftp://me:hunter2@proxy"), nothing, "https://prod.example.com").unwrap_err(),
            "the provider setting \"proxy_url\" cannot be used: it is not a URL such as \
             \"http://proxy.example.com:3128\" or \"socks5://localhost:1080\""
        );
    }
}
