job "escapes" {
  type = "batch"

  meta {
    dollar      = "$${var.not_a_variable}"
    percent     = "%%{ if not_a_directive }"
    both        = "$${a}-%%{b}-${1 + 1}"
    quotes      = "say \"hi\""
    backslash   = "C:\\Program Files\\App"
    newline     = "one\ntwo\tthree\rfour"
    unicode     = "caf\u00e9 \U0001F680"
    raw_unicode = "café 🚀"
    nothing     = ""
  }

  group "escapes" {
    task "print" {
      driver = "docker"

      config {
        image = "bash:5.2"
        args  = ["-c", "for i in $(seq 3); do echo \"$${i} $i\"; done"]
      }

      template {
        destination = "local/raw.sh"
        data = <<SCRIPT
#!/bin/bash
echo "\t is not a tab here, \" stays"
x=$${HOME:-/root}
printf '%%{s} %s\n' "$x"
SCRIPT
      }
    }
  }
}
