# What the fixture's stand-in for the command line runs.
job "basket" {
  group "web" {
    count = 3
  }
}
