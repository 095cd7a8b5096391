job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
      env {
        COST    = bcrypt("a", 31)
        SALT    = bcrypt("a")
        RANDOM  = uuidv4()
        SPACE   = uuidv5("mine", "a")
        VERB    = formatdate("YYYYY", "2026-01-31T12:00:00Z")
        QUOTE   = formatdate("'at", "2026-01-31T12:00:00Z")
        TIME    = timeadd("yesterday", "1h")
        LENGTH  = timeadd("2026-01-31T12:00:00Z", "1 day")
        KEY     = rsadecrypt("AAAA", "-----BEGIN PRIVATE KEY-----")
        BASE64  = rsadecrypt("secret!", "")
        SYNTAX  = yamldecode("a: [1")
        TAG     = yamldecode("a: !secret b")
        HASH    = sha256([])
        FOLDER  = abspath("a")
        HOME    = pathexpand("~/a")
        FILES   = join(" ", fileset("conf", "*"))
      }
    }
  }
}
