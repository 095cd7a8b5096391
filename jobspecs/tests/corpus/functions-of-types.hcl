variable "override" {
  default = null
}

variable "service" {
  type = object({
    name = string
    port = optional(number)
  })
  default = {
    name = "web"
  }
}

job "type-functions" {
  type = "batch"

  meta {
    convert_number = convert("8080", number) + 1
    convert_list   = jsonencode(convert(["1", "2"], list(number)))
    convert_map    = jsonencode(convert({ a = 1, b = true }, map(string)))
    convert_bool   = convert("true", bool) ? "yes" : "no"
    convert_set    = jsonencode(convert(["b", "a", "b"], set(string)))
    can            = "${can(var.service.name)} ${can(var.service.nope)} ${can(parseint("x", 10))}"
    try            = try(var.service.nope, jsondecode("broken"), "fallback")
    try_first      = try(var.service.name, "fallback")
    optional_port  = var.service.port == null ? "none" : var.service.port
    override       = var.override != null ? var.override : "default"
    empty          = coalesce(var.override, "nothing given")
    equal          = "${1 == 1} ${"a" != "b"} ${[1, 2] == [1, 2]}"
  }

  group "g" {
    task "t" {
      driver = "docker"
      config {
        image = try(var.service.image, "registry.example.com/${var.service.name}:latest")
      }
    }
  }
}
