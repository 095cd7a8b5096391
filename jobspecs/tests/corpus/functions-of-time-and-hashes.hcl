locals {
  when = "2018-01-02T23:12:01Z"
}

job "time-and-hash-functions" {
  type = "batch"

  meta {
    date    = formatdate("DD MMM YYYY hh:mm ZZZ", local.when)
    weekday = formatdate("EEEE, DD-MMMM-YY hh:mm:ss", local.when)
    zone    = formatdate("EEE, D MMM YYYY h:m:s ZZZZ", "2018-01-02T03:04:05-08:00")
    clock   = formatdate("HH:mmaa", local.when)
    quoted  = formatdate("'v'YYYYMMDD", local.when)
    number  = formatdate("M/D/YY", local.when)
    later   = timeadd(local.when, "10m")
    leap    = timeadd("2024-02-28T23:00:00Z", "25h30m")
    earlier = timeadd("2017-11-22T00:00:00Z", "-1s")

    md5        = md5("hello world")
    sha1       = sha1("hello world")
    sha256     = sha256("hello world")
    sha512     = sha512("hello world")
    uuidv5_dns = uuidv5("dns", "www.example.com")
    uuidv5_url = uuidv5("url", "https://www.example.com/")
    uuidv5_own = uuidv5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com")
    short_hash = substr(sha256("config-v7"), 0, 8)
  }

  group "g" {
    task "t" {
      driver = "docker"
      config {
        image = "alpine:3.20"
      }
    }
  }
}
