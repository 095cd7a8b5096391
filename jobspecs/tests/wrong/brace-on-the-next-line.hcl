job "web"
{
  group "web"
  {
    task "web" {
      driver = "fake"
    }
  }
}
