job "number-functions" {
  type = "batch"

  meta {
    abs          = abs(-7.5)
    ceil         = ceil(4.1)
    floor        = floor(-4.1)
    log          = log(1024, 2)
    max          = max(3, 12, -5)
    max_of_list  = max([5, 17, 9]...)
    min          = min(3, 12, -5)
    parseint     = parseint("755", 8)
    parseint_hex = parseint("FF", 16)
    pow          = pow(2, 16)
    signum       = "${signum(-3)}${signum(0)}${signum(8)}"
    modulo       = 17 % 5
    quotient     = 10 / 4
    precedence   = 2 + 3 * 4 - (6 - 2) / 2
    negative     = -(3 + 4)
    comparison   = 3 >= 3 && !(2 > 10) || false
  }

  group "g" {
    count = max(1, floor(7 / 3))

    task "t" {
      driver = "docker"

      config {
        image      = "alpine:3.20"
        pids_limit = pow(2, 8)
      }

      resources {
        cpu    = 100 * ceil(2.3)
        memory = min(4096, parseint("1000", 2) * 32)
      }
    }
  }
}
