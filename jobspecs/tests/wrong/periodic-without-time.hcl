job "report" {
  type = "batch"
  periodic {
    prohibit_overlap = true
  }
  group "report" {
    task "report" {
      driver = "fake"
    }
  }
}
