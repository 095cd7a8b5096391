# A task directly under the job becomes a group of its name.
job "cache" {
  task "redis" {
    driver = "fake"
    env = {
      A = 1
    }
  }
}
