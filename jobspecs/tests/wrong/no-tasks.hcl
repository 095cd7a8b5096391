job "web" {
  group "web" {}
}
