job "render" {
  type = "batch"
  parameterized {
    meta_required = ["scene", "frame"]
    meta_optional = ["frame"]
  }
  group "render" {
    task "render" {
      driver = "fake"
      dispatch_payload {}
    }
  }
}
