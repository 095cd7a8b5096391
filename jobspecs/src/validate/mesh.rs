//! A service's part in the service mesh.

use model::{Connect, Gateway, Service};

use super::Problems;

pub(super) fn check(service: &Service, path: &str, problems: &mut Problems) {
    let Some(connect) = &service.connect else { return };
    let name = &service.name;
    let path = format!("{path}.Connect");
    if service.provider == "nomad" {
        let message = format!("the service `{name}` can't take part in a mesh with the provider `nomad`");
        problems.add(path.as_str(), message, "write: provider = \"consul\"");
    }
    let given = [
        ("native", connect.native),
        ("sidecar_service", connect.sidecar_service.is_some()),
        ("gateway", connect.gateway.is_some()),
    ];
    let given: Vec<&str> = given.into_iter().filter(|(_, is_given)| *is_given).map(|(word, _)| word).collect();
    match given.as_slice() {
        [] => {
            let message = format!("the `connect` block of service `{name}` is empty");
            problems.add(path.as_str(), message, "write: sidecar_service {}");
        }
        [first, second, ..] => {
            let message = format!("`{first}` and `{second}` exclude each other in service `{name}`");
            problems.add(path.as_str(), message, "keep one of the two");
        }
        [_] => {}
    }
    check_upstreams(connect, &path, problems);
    if let Some(gateway) = &connect.gateway {
        check_gateway(gateway, name, &format!("{path}.Gateway"), problems);
    }
}

fn check_upstreams(connect: &Connect, path: &str, problems: &mut Problems) {
    let proxy = connect.sidecar_service.as_ref().and_then(|sidecar| sidecar.proxy.as_ref());
    let Some(proxy) = proxy else { return };
    let path = format!("{path}.SidecarService.Proxy");
    for (at, upstream) in proxy.upstreams.iter().enumerate() {
        if upstream.destination_name.is_empty() {
            let message = "an upstream has no destination";
            problems.add(format!("{path}.Upstreams[{at}]"), message, "write: destination_name = \"the-service\"");
        }
    }
    for (at, exposed) in proxy.expose.iter().flat_map(|expose| &expose.paths).enumerate() {
        if !exposed.path.starts_with('/') {
            let message = format!("the exposed path `{}` must begin with a slash", exposed.path);
            let hint = format!("write: path = \"/{}\"", exposed.path);
            problems.add(format!("{path}.Expose.Paths[{at}].Path"), message, hint);
        }
    }
}

fn check_gateway(gateway: &Gateway, service: &str, path: &str, problems: &mut Problems) {
    let kinds = [gateway.ingress.is_some(), gateway.terminating.is_some(), gateway.mesh.is_some()];
    if kinds.into_iter().filter(|is_given| *is_given).count() != 1 {
        let message = format!("the gateway `{service}` must be one of `ingress`, `terminating` and `mesh`");
        problems.add(path, message, "keep one of these blocks");
    }
    for (at, listener) in gateway.ingress.iter().flat_map(|ingress| &ingress.listeners).enumerate() {
        let path = format!("{path}.Ingress.Listeners[{at}]");
        if listener.port == 0 {
            problems.add(path.as_str(), "a listener has no port", "write: port = 8080");
        }
        if listener.services.is_empty() {
            let message = "a listener has no service";
            problems.add(path.as_str(), message, "write: service { name = \"the-service\" }");
        }
        let hosts = listener.services.iter().position(|behind| !behind.hosts.is_empty());
        if let Some(number) = hosts
            && listener.protocol == "tcp"
        {
            let message = "a listener for tcp can't tell hosts apart";
            problems.add(format!("{path}.Services[{number}].Hosts"), message, "write: protocol = \"http\"");
        }
    }
}
