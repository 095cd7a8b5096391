# the group without its job
group "web" {
  count = 2
  task "web" {
    driver = "fake"
  }
}
