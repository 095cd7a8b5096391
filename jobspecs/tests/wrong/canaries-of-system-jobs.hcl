job "agent" {
  type = "system"
  update {
    canary = 150
  }
  group "agent" {
    task "agent" {
      driver = "fake"
    }
  }
}
