locals {
  csv  = csvdecode("name,port,note\nweb,80,\"a, b\"\napi,8080,\n")
  yaml = yamldecode("image: nginx\nports: [80, 443]\ntls: true\nlimits:\n  cpu: 1.5\n")
  json = jsondecode("{\"a\": [1, 2.5, null, true], \"b\": {\"c\": \"d\"}}")
}

job "encoding-functions" {
  type = "batch"

  meta {
    base64encode    = base64encode("héllo wörld")
    base64decode    = base64decode("aMOpbGxvIHfDtnJsZA==")
    csvdecode       = join(" ", [for row in local.csv : "${row.name}:${row.port}:${row.note}"])
    jsondecode      = "${local.json.a[1]} ${local.json.b.c} ${length(local.json.a)}"
    jsonencode      = jsonencode({ name = "web", html = "<a href=\"x\">&</a>", list = [1, true, null, 0.5], nested = { b = 1, a = {} } })
    jsonencode_text = jsonencode("line\nnext \"quoted\" \\ tab\t")
    urlencode       = urlencode("a b&c=d/é?")
    yamldecode      = "${local.yaml.image}:${local.yaml.ports[1]} ${local.yaml.tls} ${local.yaml.limits.cpu}"
    yamlencode      = yamlencode({ server = { port = 8080, hosts = ["a", "b"] }, debug = false, name = "web" })
    yamlencode_list = yamlencode([1, "two", { three = 3, four = "4" }])
  }

  group "g" {
    task "t" {
      driver = "docker"

      config {
        image = "${local.yaml.image}:1.27"
      }

      template {
        destination = "local/config.json"
        data = jsonencode({
          listen = "{{ env \"NOMAD_ADDR_http\" }}"
          log    = { level = "info", file = null }
        })
      }

      template {
        destination = "local/config.yaml"
        data = <<-EOT
          # generated
          route: ${trimspace(yamlencode({ path = "/" }))}
        EOT
      }
    }
  }
}
