locals {
  names = ["web", "api"]
}

job "text-functions" {
  type = "batch"

  meta {
    chomp          = chomp("line\n\n")
    format         = format("%s-%03d %.2f %5.1f|%-6s|%q|%t|%%", "web", 7, 3.14159, 2.71, "ab", "x y", true)
    format_base    = format("%x %X %o %b %08b", 255, 255, 8, 5, 5)
    format_order   = format("%[2]s/%[1]s", "tag", "image")
    formatlist     = join(" ", formatlist("%s=%d", ["a", "b"], [1, 2]))
    formatlist_one = join(" ", formatlist("--peer=%s:%s", local.names, "7000"))
    indent         = "spec:\n  ${indent(2, "a: 1\nb: 2\nc: 3")}"
    join           = join(", ", local.names)
    lower          = lower("MiXeD Ünïcode")
    regex_replace  = regex_replace("release-2024.11", "([0-9]+)\\.([0-9]+)", "$2/$1")
    regex_remove   = regex_replace("a1b22c", "[0-9]+", "")
    replace        = replace("10.0.0.1", ".", "-")
    split          = split(":", "registry:5000:x")[1]
    strlen         = strlen("héllo")
    strrev         = strrev("nomad")
    substr         = substr("scheduler", 0, 5)
    substr_end     = substr("scheduler", -4, -1)
    title          = title("hello big world")
    trim           = trim("?!hi there!?", "!?")
    trimprefix     = trimprefix("v1.2.3", "v")
    trimspace      = trimspace("  \n padded\t ")
    trimsuffix     = trimsuffix("job.nomad.hcl", ".hcl")
    trimsuffix_not = trimsuffix("job.nomad", ".hcl")
    upper          = upper("eu-west")
  }

  group "g" {
    task "t" {
      driver = "docker"
      config {
        image = lower("Alpine:3.20")
        args  = formatlist("--%s", split(",", "quiet,force"))
      }
    }
  }
}
